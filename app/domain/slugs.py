"""Slugs: the names of organizations, teams and projects in addresses.

An organization's slug is the first segment of its pages, a project's the second, so neither may be a word
that a page of ours already has in that place. A test holds both lists against the routes.
"""

import re
import unicodedata

from app.domain.errors import Refused

LONGEST = 50
_SLUG = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST - 1}}}", re.ASCII)

RESERVED_FOR_ORGANIZATIONS = frozenset(
    {
        "_",
        "about",
        "account",
        "admin",
        "api",
        "assets",
        "auth",
        "deliveries",
        "destinations",
        "dev",
        "docs",
        "events",
        "favicon",
        "healthz",
        "help",
        "i",
        "hooks",
        "inbound",
        "inbox",
        "issues",
        "login",
        "logout",
        "manage",
        "metrics",
        "new",
        "notices",
        "organizations",
        "projects",
        "readyz",
        "reply",
        "robots",
        "search",
        "settings",
        "setup",
        "static",
        "teams",
        "tocsin",
        "u",
        "users",
        "welcome",
        "well-known",
    }
)
RESERVED_FOR_PROJECTS = frozenset(
    {"alerts", "issues", "members", "new", "owners", "projects", "releases", "settings", "teams", "welcome"}
)


def organization_slug(text: str) -> str:
    return _checked(text, RESERVED_FOR_ORGANIZATIONS)


def may_be_organization(text: str) -> bool:
    """Whether an address that begins so can be an organization's."""
    return bool(_SLUG.fullmatch(text)) and text not in RESERVED_FOR_ORGANIZATIONS


def project_slug(text: str) -> str:
    return _checked(text, RESERVED_FOR_PROJECTS)


def team_slug(text: str) -> str:
    return _checked(text, frozenset({"new"}))


def _checked(text: str, reserved: frozenset[str]) -> str:
    """The slug as it is stored; `Refused` says what is wrong with it."""
    slug = text.strip().lower()
    if not _SLUG.fullmatch(slug):
        raise Refused(
            f"A slug has 1 to {LONGEST} letters a–z, digits, hyphens or underscores, "
            "and begins with a letter or digit.",
            field="slug",
        )
    if slug.isdigit():
        raise Refused("A slug needs a letter: numbers alone stand for ids.", field="slug")
    if slug in reserved:
        raise Refused(f"“{slug}” is the address of a page here. Choose another slug.", field="slug")
    return slug


def suggest(name: str) -> str:
    """A slug made from a name; empty when no letter or digit of it can be used."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].rstrip("-")
