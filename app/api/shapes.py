"""How things look in the API. Ids are text, times end in Z, what is unknown is null (`web-api.md` 1)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import current_app

from app.clock import now
from app.domain.links import Links
from app.models import Activity, Event, Issue, Membership, Organization, Project, ProjectKey, Team, User
from app.services import issue_facts, workspaces

Json = dict[str, Any]


def base_url() -> str:
    """The public address, without a slash at its end."""
    url: str = current_app.config["SETTINGS"].tocsin_url
    return url.rstrip("/")


def links() -> Links:
    return Links(base_url())


def moment(at: datetime | None) -> str | None:
    """`2026-11-23T03:53:05.031076Z`; a time without a zone breaks sentry-cli."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else None


def organization(row: Organization) -> Json:
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


def team(row: Team) -> Json:
    return {"id": str(row.id), "slug": row.slug, "name": row.name, "dateCreated": moment(row.created_at)}


def project(row: Project) -> Json:
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
        "isMember": True,
        "hasAccess": True,
        "features": [],
        "team": teams[0] if teams else None,
        "teams": teams,
        "organization": organization(row.organization),
    }


def project_settings(row: Project) -> Json:
    return {"subjectPrefix": row.subject_prefix, "mailDetail": row.mail_detail}


def member(row: Membership) -> Json:
    person = row.user
    return {
        "id": str(row.id),
        "email": person.email,
        "name": person.name,
        "role": row.role,
        "user": {"id": str(person.id), "email": person.email, "name": person.name},
    }


def key(row: ProjectKey) -> Json:
    dsn = workspaces.dsn(base_url(), row, row.project)
    ingest = f"{base_url()}/api/{row.project_id}"
    limit = {"window": row.rate_limit_window, "count": row.rate_limit_count} if row.rate_limit_count else None
    return {
        "id": row.public,
        "name": row.label,
        "label": row.label,
        "public": row.public,
        "projectId": row.project_id,
        "isActive": row.is_active,
        "rateLimit": limit,
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


def person(row: User | None) -> Json | None:
    if row is None:
        return None
    return {"id": str(row.id), "name": row.name, "email": row.email, "username": row.handle}


def assignee(row: Issue) -> Json | None:
    if row.assignee_user:
        user = row.assignee_user
        return {"type": "user", "id": str(user.id), "name": user.name, "email": user.email}
    if row.assignee_team:
        return {"type": "team", "id": str(row.assignee_team.id), "name": row.assignee_team.slug}
    return None


def issue(row: Issue, *, subscribed: bool, hours: Sequence[int] = ()) -> Json:
    where = row.project
    return {
        "id": str(row.id),
        "shortId": row.short_id,
        "title": row.title,
        "culprit": row.culprit,
        "level": row.level,
        "type": row.type,
        "status": row.status,
        "substatus": "archived_forever" if row.status == "ignored" else issue_facts.substatus(row, now=now()),
        "statusDetails": {},
        "platform": row.platform,
        "project": {"id": str(where.id), "slug": where.slug, "name": where.name, "platform": where.platform},
        "metadata": row.details,
        "count": str(row.times_seen),
        "userCount": row.users_seen,
        "firstSeen": moment(row.first_seen),
        "lastSeen": moment(row.last_seen),
        "assignedTo": assignee(row),
        "isBookmarked": False,
        "isSubscribed": subscribed,
        "hasSeen": True,
        "isPublic": False,
        "logger": row.logger or None,
        "annotations": [],
        "numComments": row.comment_count,
        "shareId": None,
        "permalink": links().issue(where.organization.slug, where.slug, row.id),
        "stats": {"24h": _series(hours)},
    }


def _series(hours: Sequence[int]) -> list[list[int]]:
    this_hour = int(now().timestamp()) // 3600 * 3600
    first = this_hour - 3600 * (len(hours) - 1)
    return [[first + 3600 * index, count] for index, count in enumerate(hours)]


def activity(row: Activity) -> Json:
    return {
        "id": str(row.id),
        "type": row.type,
        "user": person(row.actor),
        "data": row.data,
        "dateCreated": moment(row.created_at),
    }


def event_line(row: Event) -> Json:
    """An event as lists show it."""
    return {
        "id": row.event_id,
        "eventID": row.event_id,
        "groupID": str(row.issue_id),
        "projectID": str(row.project_id),
        "title": row.title,
        "message": row.title,
        "culprit": row.culprit,
        "platform": row.platform,
        "type": row.type,
        "dateCreated": moment(row.timestamp),
        "dateReceived": moment(row.received_at),
    }


def event(row: Event, data: Mapping[str, Any], older: str | None, newer: str | None) -> Json:
    """An event in full; exceptions in the order received, the last one outermost."""
    return {
        **event_line(row),
        "tags": [{"key": key, "value": value} for key, value in data.get("tags") or ()],
        "user": data.get("user"),
        "entries": [
            {"type": name, "data": data[member]} for member, name in _ENTRIES if data.get(member)
        ],
        "contexts": data.get("contexts") or {},
        "context": data.get("extra") or {},
        "sdk": data.get("sdk"),
        "packages": data.get("modules") or {},
        "errors": [
            {"type": each.get("type"), "data": {"name": each.get("name")}} for each in data.get("errors") or ()
        ],
        "fingerprints": [row.hash],
        "release": {"version": row.release} if row.release else None,
        "dist": data.get("dist"),
        "location": (data.get("metadata") or {}).get("filename"),
        "metadata": data.get("metadata") or {},
        "userReport": None,
        "nextEventID": newer,
        "previousEventID": older,
    }


_ENTRIES = (
    ("exception", "exception"),
    ("logentry", "message"),
    ("breadcrumbs", "breadcrumbs"),
    ("request", "request"),
    ("threads", "threads"),
    ("debug_meta", "debugmeta"),
)
