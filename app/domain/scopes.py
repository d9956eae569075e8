"""What a token may do. `write` includes `read`, `admin` includes `write` (`web-api.md` 1)."""

from collections.abc import Iterable, Mapping, Sequence

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
# All that an organization's own token may do: what a build server does.
OF_ORGANIZATIONS = ("org:ci",)
# What people choose from, by area, in words. The others of the table open nothing more.
AREAS: Sequence[tuple[str, Mapping[str, str]]] = (
    (
        "Organizations",
        {
            "org:read": "See your organizations, their repositories and monitors",
            "team:read": "See teams",
            "member:read": "See members, with their addresses",
        },
    ),
    (
        "Projects",
        {
            "project:read": "See projects, their settings, keys, integrations, issue owners and releases",
            "project:write": "Change settings, keys, integrations and issue owners; make releases",
            "project:admin": "Make and delete projects; delete keys and integrations",
        },
    ),
    ("Releases", {"project:releases": "Make releases; send commits, deploys and source maps"}),
    (
        "Issues and events",
        {
            "event:read": "See issues, events, comments and who was told",
            "event:write": "Resolve, ignore and assign issues; comment",
            "event:admin": "Delete, discard and merge issues",
        },
    ),
    (
        "Alerts",
        {
            "alerts:read": "See alert rules, maintenance and your notification settings",
            "alerts:write": "Change them",
        },
    ),
)
OFFERED = tuple(scope for _, words in AREAS for scope in words)
# Name → what it is called, and what it ticks.
PRESETS: Mapping[str, tuple[str, Sequence[str]]] = {
    "ci": (
        "sentry-cli and build servers",
        ("org:read", "project:read", "project:releases", "event:read", "event:write"),
    ),
    "read": ("Read only", tuple(scope for scope in OFFERED if scope.endswith(":read"))),
    "everything": ("Everything that you may do", OFFERED),
}
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
