"""Every call of the API, tried with what its description allows and with what it does not.

Whatever is sent, no call fails, and each answers only what is described: statuses, kinds of content, members.
`HYPOTHESIS_PROFILE=thorough` looks much further (see CONTRIBUTING).
"""

import copy
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks

from app.api.groups import GROUPS
from app.api.openapi import calls
from app.domain.scopes import SCOPES
from app.extensions import api_description, limiter
from tests.api import test_access

parts = test_access.parts  # the fixture

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
# Few and always the same, unless somebody wants to know.
THOROUGH = settings.get_current_profile_name() == "thorough"
BOUNDS = settings(
    max_examples=150 if THOROUGH else 3,
    derandomize=not THOROUGH,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink] if THOROUGH else [Phase.generate],
)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


def aimed(description: Any, parts: Mapping[str, object]) -> Any:
    """The description with names of things that exist for the gaps in addresses: others would be 404."""
    aimed = copy.deepcopy(description)
    for path in aimed["paths"].values():
        for operation in path.values():
            for part in operation["parameters"]:
                if part.get("in") == "path":
                    named = parts.get(part["name"], 1)
                    part["schema"] = {"enum": [named if part["schema"]["type"] == "integer" else str(named)]}
    return aimed


@pytest.fixture
def tried(app, session, make, cast, parts, monkeypatch) -> Callable[[str], None]:
    """Tries a group of calls: those that take something away come last."""
    monkeypatch.setattr(limiter, "enabled", False)
    token = make.token(cast.alice, SCOPES)
    session.commit()
    description = aimed(msgspec.json.decode(api_description(app).encoded), parts)
    schema = schemathesis.openapi.from_dict(description)
    schema.app = app
    headers = {"Authorization": f"Bearer {token}"}

    def attempt(case) -> None:
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS, headers=headers)

    def every_call_of(group: str) -> None:
        named = [call for call in calls(app) if call.group == group]
        for call in sorted(named, key=lambda call: call.method == "DELETE"):
            operation = schema[call.path][call.method]
            for mode in MODES:
                look = BOUNDS(given(case=operation.as_strategy(mode))(attempt))
                with suppress(Unsatisfiable):  # nothing of it can be wrong
                    look()

    return every_call_of


@pytest.mark.parametrize("group", [group.name for group in GROUPS])
def test_what_is_answered_is_what_is_described(tried, group):
    tried(group)
