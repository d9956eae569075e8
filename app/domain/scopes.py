"""What a token may do. `write` includes `read`, `admin` includes `write` (`web-api.md` 1)."""

from collections.abc import Iterable

from app.domain.errors import Refused

SCOPES = (
    "org:read",
    "project:read",
    "project:write",
    "project:admin",
    "project:releases",
    "event:read",
    "event:write",
    "event:admin",
    "team:read",
    "team:write",
    "member:read",
    "alerts:read",
    "alerts:write",
    "org:ci",
)
_LEVELS = ("read", "write", "admin")
# What a build server does; an organization's own token has this scope and nothing else.
_ALSO = {"project:write": {"project:releases"}, "org:ci": {"project:releases"}}


def checked(scopes: Iterable[str]) -> list[str]:
    """The scopes in the table's order, each once; `Refused` names an unknown one and those that exist."""
    wanted = set(scopes)
    if unknown := sorted(wanted - set(SCOPES)):
        raise Refused(f"There is no scope {unknown[0]}. There are {', '.join(SCOPES)}.", field="scope")
    return [scope for scope in SCOPES if scope in wanted]


def included(scope: str) -> frozenset[str]:
    """A scope with everything that it includes."""
    area, _, level = scope.partition(":")
    lower = _LEVELS[: _LEVELS.index(level) + 1] if level in _LEVELS else (level,)
    covered = {f"{area}:{each}" for each in lower}
    return frozenset(covered.union(*(_ALSO.get(each, set()) for each in covered)))


def allow(granted: Iterable[str], needed: str) -> bool:
    """Whether a token with these scopes may do what asks for `needed`."""
    return any(needed in included(scope) for scope in granted)
