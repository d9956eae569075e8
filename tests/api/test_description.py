"""The description of the API: all of it, in a form that programs read, and as pages."""

import json
import re

import jsonschema_rs
import pytest
from openapi_spec_validator.schemas import get_schema_content_v31

from app.api.groups import PARTS
from app.api.openapi import calls

pytestmark = pytest.mark.any_database


@pytest.fixture
def description(program):
    return program(None).read("/openapi.json")


def test_every_call_is_described_in_words_and_types(app):
    for call in calls(app):
        words = (call.view.__doc__ or "").partition("\n")[0]
        assert re.fullmatch(r"[^\n]{5,90}\.", words), f"{call.name} needs one line of docstring: {words}"
        assert call.description.answers, f"{call.name} lacks @describes"
        assert call.group, f"app/api/groups.py says nothing of {call.module}"
        unknown = set(re.findall(r"{(\w+)}", call.path)) - set(PARTS)
        assert not unknown, f"app/api/groups.py says nothing of {unknown} in {call.path}"


def test_it_is_openapi_as_programs_read_it(description):
    assert not list(jsonschema_rs.Draft202012Validator(get_schema_content_v31()).iter_errors(description))
    names = [each["operationId"] for path in description["paths"].values() for each in path.values()]
    assert len(names) == len(set(names))
    assert not [name for name in description["components"]["schemas"] if not name.isalnum()]


def test_it_tells_the_scopes_that_are_asked_for(description):
    update = description["paths"]["/projects/{org}/{proj}/issues/"]["put"]
    assert update["security"] == [{"token": ["event:write"]}]
    assert description["paths"]["/"]["get"]["security"] == [{}, {"token": []}]


def test_its_examples_are_examples_of_what_it_says(description):
    components, looked_at = description["components"], set()
    for operation in [each for path in description["paths"].values() for each in path.values()]:
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in [each.get("content", {}).get("application/json") for each in bodies]:
            if content and (text := json.dumps(content)) not in looked_at:
                looked_at.add(text)
                schema = {**content["schema"], "components": components}
                validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
                wrong = [each.message for each in validator.iter_errors(content["example"])]
                assert not wrong, f"{operation['operationId']}: {wrong}"


def test_people_read_every_call_without_signing_in(app, client):
    overview = client.get("/help/api/").text
    for call in calls(app):
        slug = call.group.lower().replace(" ", "-")
        assert f'href="/help/api/{slug}/' in overview
    for slug in set(re.findall(r"/help/api/([a-z-]+)/", overview)):
        page = client.get(f"/help/api/{slug}/").text
        for call in calls(app):
            if call.group.lower().replace(" ", "-") == slug:
                assert call.path in page, call
    assert client.get("/help/api/nothing/").status_code == 404
