"""An example of whatever a schema describes: made from it, so that it always fits."""

from typing import Any

Json = dict[str, Any]
COMPONENTS = "#/components/schemas/"
# By name, for members whose type tells no example. Where a member means something else, its type says what.
USUAL: Json = {
    "id": "1",
    "name": "Shop",
    "slug": "shop",
    "email": "ann@example.org",
    "username": "ann",
    "title": "ValueError: cart is empty",
    "culprit": "shop.views in pay",
    "environment": "production",
    "version": "shop@1.4.0",
    "platform": "python",
    "permalink": "https://tocsin.example.org/acme/shop/issues/1/",
    "sha1": "356a192b7913b04c54574d18c28d46e6395428ab",
}
MOMENT = "2026-11-23T15:04:05.000000Z"
BY_TYPE: Json = {"string": "text", "integer": 1, "number": 1.5, "boolean": False, "null": None}


def of(schema: Json, components: Json, name: str = "") -> Any:
    """A value for a member of this name; the first of what it may be, and lists of one."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return of(components[schema["$ref"].removeprefix(COMPONENTS)], components, name)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return of(schema["anyOf"][0], components, name)
    return _of_type(schema, components, name)


def _of_type(schema: Json, components: Json, name: str) -> Any:
    kind = schema.get("type")
    if kind == "object":
        members = schema.get("properties", {})
        return {member: of(inner, components, member) for member, inner in members.items()}
    if kind == "array":
        return [of(each, components) for each in schema.get("prefixItems", [schema.get("items") or {}])]
    if schema.get("format") == "date-time":
        return MOMENT
    return USUAL[name] if kind == "string" and name in USUAL else BY_TYPE.get(kind or "")
