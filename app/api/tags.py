"""The tags of an issue, their values, and its hashes (`web-api.md` 4)."""

from collections.abc import Sequence
from typing import Any

from app.api import event_shapes
from app.api.blueprint import Answer, bp
from app.api.credentials import needs
from app.api.describing import Page, describes
from app.api.paging import page, page_of
from app.api.places import visible_issue
from app.api.shapes import moment
from app.api.types.tags import HashJson, TagJson, TagValueJson
from app.db import db
from app.domain.errors import NotFound
from app.models import IssueTag
from app.services.events import event_body
from app.services.issues import issue_tags
from app.services.issues.issue_tags import Tag


@bp.get("/issues/<issue>/tags/")
@bp.get("/organizations/<org>/issues/<issue>/tags/")
@needs("event:read")
@describes({200: Page[TagJson]})
def tags(issue: str, org: str | None = None) -> Answer:
    """The tags of an issue, the most frequent first."""
    row = visible_issue(issue, org)

    def fetch(start: int, count: int) -> Sequence[Any]:
        return db.session.execute(issue_tags.tags(row).offset(start).limit(count)).all()

    return page(fetch, lambda rows: [_tag(each) for each in issue_tags.with_values(db.session, row, rows)])


@bp.get("/issues/<issue>/tags/<tag>/values/")
@bp.get("/organizations/<org>/issues/<issue>/tags/<tag>/values/")
@needs("event:read")
@describes({200: Page[TagValueJson]})
def tag_values(issue: str, tag: str, org: str | None = None) -> Answer:
    """The values of a tag, the most frequent first."""
    found = issue_tags.values(visible_issue(issue, org), tag)
    if db.session.scalar(found.limit(1)) is None:
        raise NotFound

    return page_of(found, lambda rows: [_value(row) for row in rows])


@bp.get("/issues/<issue>/hashes/")
@bp.get("/organizations/<org>/issues/<issue>/hashes/")
@needs("event:read")
@describes({200: Page[HashJson]})
def hashes(issue: str, org: str | None = None) -> Answer:
    """The fingerprints of which an issue takes in the events: several once it was merged."""
    row = visible_issue(issue, org)

    def shape(found: Sequence[str]) -> list[HashJson]:
        latest = issue_tags.latest_events(db.session, row, found)
        lines = {each.hash: event_shapes.line(each, event_body.unpack(each.body)) for each in latest.values()}
        return [{"id": each, "latestEvent": lines.get(each)} for each in found]

    return page_of(issue_tags.hashes(row), shape)


def _tag(tag: Tag) -> TagJson:
    return {
        "key": tag.key,
        "name": tag.key,
        "totalValues": tag.events,
        "uniqueValues": tag.values,
        "topValues": [_value(row) for row in tag.top],
    }


def _value(row: IssueTag) -> TagValueJson:
    return {
        "key": row.key,
        "name": row.value,
        "value": row.value,
        "count": row.count,
        "firstSeen": None,
        "lastSeen": moment(row.last_seen),
    }
