"""What all calls have in common, in words of OpenAPI: tokens, pages, errors (`web-api.md` 1 and 5)."""

from typing import Any

from app.api.blueprint import RATE
from app.api.paging import MOST

Json = dict[str, Any]

INFO: Json = {
    "title": "Tocsin web API",
    "version": "0",
    "description": (
        "Send `Authorization: Bearer TOKEN`. Bodies and answers are JSON. Ids are text, times are UTC and "
        "end in Z, and what is unknown is null. The slash at the end of an address may be left out."
    ),
}

SECURITY: Json = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "A token of a person or of an organization. Each call names the scopes of which the token needs "
            "one; `write` includes `read`, and `admin` includes `write`."
        ),
    }
}

PAGING: Json = {
    "cursor": {
        "name": "cursor",
        "in": "query",
        "description": "Where the page begins: from the Link header of the page before.",
        "schema": {"type": "string"},
    },
    "per_page": {
        "name": "per_page",
        "in": "query",
        "description": "How many lines a page has at most. Also called `limit`.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": MOST},
    },
}

LINK: Json = {
    "description": (
        "The pages before and after, always both. "
        '`results="false"` says that there is none; else ask for its address, or send its `cursor`.'
    ),
    "required": True,
    "schema": {"type": "string"},
    "example": (
        '<https://tocsin.example.org/api/0/organizations/?cursor=0:0:0>; rel="previous"; results="false"; '
        'cursor="0:0:0", <https://tocsin.example.org/api/0/organizations/?cursor=0:100:0>; rel="next"; '
        'results="true"; cursor="0:100:0"'
    ),
}

SCHEMAS: Json = {
    "Error": {
        "description": "What is wrong, for a person to read.",
        "type": "object",
        "properties": {"detail": {"type": "string", "minLength": 1}},
        "required": ["detail"],
        "additionalProperties": False,
    },
    "MemberErrors": {
        "description": "What is wrong with each member that was sent.",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "minLength": 1},
        },
    },
}


def _refusal(text: str, *schemas: str, example: Json) -> Json:
    shapes = [{"$ref": f"#/components/schemas/{name}"} for name in schemas]
    schema = shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
    return {"description": text, "content": {"application/json": {"schema": schema, "example": example}}}


# Status → its name in the document, and what it says.
ERRORS: dict[int, tuple[str, Json]] = {
    400: (
        "BadRequest",
        _refusal(
            "Something that was sent cannot be taken.",
            *("Error", "MemberErrors"),
            example={"name": ["This field is required."]},
        ),
    ),
    401: (
        "NoToken",
        _refusal("There is no token, or a wrong one.", "Error", example={"detail": "Invalid token"}),
    ),
    403: (
        "NotAllowed",
        _refusal(
            "The token lacks the scope, or its person the role.",
            "Error",
            example={"detail": "You do not have permission to perform this action."},
        ),
    ),
    404: (
        "NotFound",
        _refusal(
            "There is no such thing, or none that the token may see.",
            "Error",
            example={"detail": "The requested resource does not exist"},
        ),
    ),
    409: (
        "Conflict",
        _refusal(
            "Somebody else changed this at the same moment, or the name is taken.",
            "Error",
            example={"detail": "Somebody else changed this at the same moment. Look again, then retry."},
        ),
    ),
    413: (
        "TooLarge",
        _refusal(
            "What was sent is too large.",
            "Error",
            example={"detail": "The data value transmitted exceeds the capacity limit."},
        ),
    ),
    429: (
        "TooOften",
        _refusal(
            f"Asked too often: {RATE.replace(';', ',')} are answered. `Retry-After` says when to ask again.",
            "Error",
            example={"detail": "Too many requests: at most 100 per 1 second are answered."},
        ),
    ),
}
RESPONSES: Json = dict(ERRORS.values())


def errors(*, is_open: bool, is_write: bool, has_body: bool) -> list[int]:
    """The statuses that every call of this sort may be answered."""
    scoped = [] if is_open else [403, 404]
    return [400, 401, *scoped, *([409] if is_write else []), *([413] if has_body else []), 429]
