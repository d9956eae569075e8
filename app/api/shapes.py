"""How things look in the API. Ids are text, times end in Z, what is unknown is null (`web-api.md` 1)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast, overload

from flask import current_app

from app.api.types.comments import ActivityJson
from app.api.types.issues import AssigneeJson, IssueJson, IssueMetadataJson, StatusDetailsJson
from app.api.types.notifications import ReplyJson
from app.api.types.workspaces import (
    KeyJson,
    MemberJson,
    OrganizationJson,
    PersonJson,
    ProjectJson,
    RateLimitJson,
    SeenByJson,
    TeamJson,
)
from app.clock import now
from app.domain import importance
from app.domain.lifecycle import IGNORED
from app.domain.links import Links
from app.models import Activity, Issue, IssueSight, Membership, Organization, Project, ProjectKey, Team, User
from app.services.issues import issue_facts
from app.services.notices.answering import Reply
from app.services.people import workspaces

Json = dict[str, Any]

# What an activity's data may tell everybody; the rest says how its people had set up their notifications.
TOLD_OF_ACTIVITIES = (
    *("text", "edited_at", "to", "was", "version", "commit", "repository"),
    *("condition", "ended", "hours", "monitor", "environment", "recoveries", "priority"),
)


def base_url() -> str:
    """The public address; it has no slash at its end."""
    url: str = current_app.config["SETTINGS"].tocsin_url
    return url


def links() -> Links:
    return Links(base_url())


@overload
def moment(at: datetime) -> str: ...


@overload
def moment(at: datetime | None) -> str | None: ...


def moment(at: datetime | None) -> str | None:
    """`2026-11-23T03:53:05.031076Z`; a time without a zone breaks sentry-cli."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z" if at else None


def organization(row: Organization) -> OrganizationJson:
    return {
        "id": str(row.id),
        "slug": row.slug,
        "name": row.name,
        "dateCreated": moment(row.created_at),
        "isEarlyAdopter": False,
        "require2FA": False,
        "requireEmailVerification": False,
        "features": [],
        "status": {"id": "active", "name": "active"},
        "links": {"organizationUrl": base_url(), "regionUrl": base_url()},
    }


def team(row: Team) -> TeamJson:
    return {"id": str(row.id), "slug": row.slug, "name": row.name, "dateCreated": moment(row.created_at)}


def project(row: Project, *, is_member: bool) -> ProjectJson:
    teams = [team(each) for each in row.teams]
    return {
        "id": str(row.id),
        "slug": row.slug,
        "name": row.name,
        "platform": row.platform,
        "dateCreated": moment(row.created_at),
        "firstEvent": moment(row.first_event_at),
        "status": "active",
        "isBookmarked": False,
        "isMember": is_member,
        "hasAccess": True,
        "features": [],
        "team": teams[0] if teams else None,
        "teams": teams,
        "organization": organization(row.organization),
    }


def member(row: Membership) -> MemberJson:
    person = row.user
    return {
        "id": str(row.id),
        "email": person.email,
        "name": person.name,
        "role": row.role,
        "user": {"id": str(person.id), "email": person.email, "name": person.name},
    }


def key(row: ProjectKey) -> KeyJson:
    dsn = workspaces.dsn(base_url(), row, row.project)
    ingest = f"{base_url()}/api/{row.project_id}"
    return {
        "id": row.public,
        "name": row.label,
        "label": row.label,
        "public": row.public,
        "projectId": row.project_id,
        "isActive": row.is_active,
        "rateLimit": _limit(row),
        "dateCreated": moment(row.created_at),
        "dsn": {
            "public": dsn,
            "secret": dsn,
            "csp": f"{ingest}/csp-report/?sentry_key={row.public}",
            "security": f"{ingest}/security/?sentry_key={row.public}",
            "minidump": f"{ingest}/minidump/?sentry_key={row.public}",
            "cdn": None,
        },
    }


def _limit(row: ProjectKey) -> RateLimitJson | None:
    window, count = row.rate_limit_window, row.rate_limit_count
    return {"window": window, "count": count} if window and count else None


def person(row: User | None) -> PersonJson | None:
    if row is None:
        return None
    return {"id": str(row.id), "name": row.name, "email": row.email, "username": row.handle}


def seen_by(row: IssueSight, *, with_email: bool) -> SeenByJson:
    who = row.user
    return {
        "id": str(who.id),
        "name": who.name,
        "email": who.email if with_email else None,
        "username": who.handle,
        "lastSeen": moment(row.seen_at),
    }


def assignee(row: Issue) -> AssigneeJson | None:
    return assigned_to(row.assignee_user or row.assignee_team)


def assigned_to(who: User | Team | None) -> AssigneeJson | None:
    if isinstance(who, User):
        return {"type": "user", "id": str(who.id), "name": who.name, "email": who.email}
    return {"type": "team", "id": str(who.id), "name": who.slug} if who else None


def issue(
    row: Issue,
    *,
    subscribed: bool,
    bookmarked: bool,
    seen: bool,
    status_details: StatusDetailsJson | None = None,
    hours: Sequence[int] = (),
) -> IssueJson:
    where = row.project
    return {
        "id": str(row.id),
        "shortId": row.short_id,
        "title": row.title,
        "culprit": row.culprit,
        "level": row.level,
        "type": row.type,
        "status": row.status,
        "substatus": _substatus(row, status_details or {}),
        "statusDetails": status_details or {},
        "platform": row.platform,
        "project": {"id": str(where.id), "slug": where.slug, "name": where.name, "platform": where.platform},
        "metadata": cast(IssueMetadataJson, row.details),
        "count": str(row.times_seen),
        "userCount": row.users_seen,
        "firstSeen": moment(row.first_seen),
        "lastSeen": moment(row.last_seen),
        "assignedTo": assignee(row),
        "isBookmarked": bookmarked,
        "isSubscribed": subscribed,
        "hasSeen": seen,
        "isPublic": False,
        "logger": row.logger or None,
        "annotations": [],
        "numComments": row.comment_count,
        "shareId": None,
        "permalink": links().issue(where.organization.slug, where.slug, row.id),
        "priority": importance.of(row.importance, row.level),
        "stats": {"24h": _series(hours)},
    }


def _substatus(row: Issue, details: StatusDetailsJson) -> str | None:
    if row.status != IGNORED:
        return issue_facts.substatus(row, now=now())
    if "ignoreUntilEscalating" in details:
        return "archived_until_escalating"
    return "archived_until_condition_met" if details else "archived_forever"


def _series(hours: Sequence[int]) -> list[list[int]]:
    this_hour = int(now().timestamp()) // 3600 * 3600
    first = this_hour - 3600 * (len(hours) - 1)
    return [[first + 3600 * index, count] for index, count in enumerate(hours)]


def activity(row: Activity) -> ActivityJson:
    return {
        "id": str(row.id),
        "type": row.type,
        "user": person(row.actor),
        "data": {name: row.data[name] for name in TOLD_OF_ACTIVITIES if name in row.data},
        "dateCreated": moment(row.created_at),
    }


def reply(row: Reply) -> ReplyJson:
    """An answer to "why did I hear of it, or not?"."""
    label, path = row.switch or ("", "")
    return {
        "notice": row.notice,
        "answer": row.answer,
        "code": row.code,
        "scope": row.scope,
        "sentence": row.sentence,
        "switch": {"label": label, "url": base_url() + path} if row.switch else None,
    }
