"""Roles in an organization, low to high, and what each may do (`notifications.md` 1)."""

BILLING, MEMBER, ADMIN, MANAGER, OWNER = "billing", "member", "admin", "manager", "owner"
ROLES = (BILLING, MEMBER, ADMIN, MANAGER, OWNER)

WORDS = {
    OWNER: "Everything, and who else owns the organization",
    MANAGER: "People, teams and every project",
    ADMIN: "Settings of the projects of their teams; new projects and teams",
    MEMBER: "Issues of the projects of their teams",
    BILLING: "No issues",
}

# Permission → the lowest role that has it.
LOWEST = {
    "see": MEMBER,
    "act": MEMBER,
    "discard": ADMIN,
    "delete_comments": ADMIN,
    "edit_project": ADMIN,
    "create_project": ADMIN,
    "create_team": ADMIN,
    "edit_members": MANAGER,
    "edit_organization": MANAGER,
    "edit_owners": OWNER,
}
SEES_EVERY_PROJECT = frozenset({MANAGER, OWNER})
SEES_NO_PROJECT = frozenset({BILLING})


def at_least(role: str, lowest: str) -> bool:
    return ROLES.index(role) >= ROLES.index(lowest)


def has(role: str, permission: str) -> bool:
    return at_least(role, LOWEST[permission])


def may_give(role: str, other: str) -> bool:
    """Nobody hands out, changes or takes away a role above their own."""
    return has(role, "edit_members") and at_least(role, other)
