"""Notices and their verdicts, for support scripts (`web-api.md` 6)."""

from collections.abc import Collection, Sequence
from typing import Annotated

from flask import jsonify, request
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from app.api import shapes
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import may, me, needs
from app.api.describing import Moment, Page, Query, describes, one_of
from app.api.paging import page, page_of
from app.api.places import visible_issue, visible_organization, visible_projects
from app.api.types.notifications import DeliveryJson, NoticeJson, ReachJson, ReplyJson, VerdictJson
from app.clock import now
from app.db import db, transaction
from app.domain import timestamps
from app.domain.errors import NotFound
from app.domain.kinds import KINDS
from app.domain.wording import Reach
from app.models import Issue, Notice, Project, User
from app.services import access
from app.services.notices import answering, explaining, verdicts
from app.services.notices.answering import Reply
from app.services.notices.verdicts import Shown
from app.services.people import accounts

ISSUE = Query("issue", "The issue, by its id or short id.", example="SHOP-1")
ORG = Query("org", "The organization, where several have an issue or project of this name.", example="acme")
FILTERS = (
    ISSUE,
    ORG,
    Query("project", "Of this project, by id or slug; several: of any of them.", list[str], ["shop"]),
    Query("kind", "Of this kind.", Annotated[str, one_of(KINDS)], "alert.new"),
    Query("since", "Not older than this.", Moment, "2026-11-23T00:00:00Z"),
)
USER = Query(
    "user", "The address of somebody else; for administrators of the project.", example="ann@example.org"
)
SUBJECTS = {"user": "user", "destination": "integration"}


@bp.get("/notices/")
@needs("event:read")
@describes({200: Page[NoticeJson]}, query=FILTERS)
def notices() -> Answer:
    """Notices and their verdicts, newest first.

    Of projects that the token sees.
    """
    seen = select(Project.id).where(access.sees_project(me()))
    found = select(Notice).where(Notice.project_id.in_(seen), *_conditions())
    together = (Notice.project, Notice.issue, Notice.rule, Notice.activity)
    ordered = found.order_by(Notice.id.desc()).options(
        *(joinedload(each) for each in together), joinedload(Notice.actor).selectinload(User.addresses)
    )

    return page_of(ordered, _shown)


@bp.get("/notices/<public_id>/")
@needs("event:read")
@describes({200: NoticeJson})
def notice(public_id: str) -> Answer:
    """One notice and its verdicts."""
    [shown] = _shown([explaining.visible_notice(db.session, me(), public_id)])
    return jsonify(shown)


@bp.get("/notices/why/")
@needs("event:read")
@describes({200: Page[ReplyJson]}, query=[ISSUE, USER, ORG])
def why() -> Answer:
    """Why somebody heard of an issue, or did not.

    What became of its notices for one person, newest first. About others only administrators of the
    project may ask.
    """
    name = request.args.get("issue")
    if not name:
        raise Invalid("Say which issue: issue=SHOP-1.")
    issue, email = visible_issue(name), request.args.get("user") or me().email
    person = accounts.find_by_primary(db.session, email)
    own = person is not None and person.id == me().id
    if not own:
        may(issue.project, "edit_project")

    def fetch(start: int, count: int) -> Sequence[Reply]:
        return answering.why(db.session, issue, person, own=own, now=now(), start=start, count=count)

    answer = page(fetch, lambda replies: [shapes.reply(each) for each in replies])
    if person and not own:
        _note_lookup(issue, person)
    return answer


def _note_lookup(issue: Issue, person: User) -> None:
    """In a transaction of its own: on SQLite one that has begun to read cannot go on to write."""
    asking = me()
    db.session.rollback()
    with transaction() as own:
        answering.note_lookup(own, issue, of=person, by=asking, now=now(), via="api")


def _conditions() -> list[ColumnElement[bool]]:
    """What the query string asks for."""
    asked = {name: value for name, value in request.args.items() if value}
    conditions: list[ColumnElement[bool]] = []
    if "org" in asked:
        of_organization = Project.organization_id == visible_organization(asked["org"]).id
        conditions.append(Notice.project_id.in_(select(Project.id).where(of_organization)))
    if "project" in asked:
        projects = visible_projects(request.args.getlist("project"), asked.get("org"))
        conditions.append(Notice.project_id.in_([project.id for project in projects]))
    if "issue" in asked:
        conditions.append(_about(asked["issue"]))
    if "kind" in asked:
        conditions.append(Notice.kind == _kind(asked["kind"]))
    if "since" in asked:
        conditions.append(_since(asked["since"]))
    return conditions


def _about(name: str) -> ColumnElement[bool]:
    """Notices outlive their issue, and keep its short id."""
    try:
        return Notice.issue_id == visible_issue(name).id
    except NotFound:
        return Notice.issue_id.is_(None) & (Notice.issue_short_id == name.strip().upper())


def _kind(name: str) -> str:
    if name not in KINDS:
        raise Invalid(f"kind must be one of: {', '.join(KINDS)}.")
    return name


def _since(text: str) -> ColumnElement[bool]:
    moment = timestamps.parse(text)
    if moment is None:
        raise Invalid("since must be a time such as 2026-11-23T03:53:05Z.")
    return Notice.occurred_at >= moment


def _shown(rows: Collection[Notice]) -> list[NoticeJson]:
    seen = verdicts.of(db.session, rows, me())
    reach = explaining.reach_of(db.session, rows, reader=me(), now=now())
    return [_line(row, reach[row.id], seen.get(row.id, ())) for row in rows]


def _line(row: Notice, reach: Reach, seen: Sequence[Shown]) -> NoticeJson:
    return {
        "id": row.public_id,
        "kind": row.kind,
        "category": KINDS[row.kind].category,
        "issue": row.issue_short_id,
        "event": row.event_id,
        "actor": shapes.person(row.actor),
        "rule": {"id": str(row.rule.id), "name": row.rule.name} if row.rule else None,
        "ruleVersion": row.rule_version,
        "ownersVersion": row.owners_version,
        "dateCreated": shapes.moment(row.occurred_at),
        "gate": row.gate_code,
        "reach": _reach(reach),
        "verdicts": [_verdict(each) for each in seen],
    }


def _reach(reach: Reach) -> ReachJson:
    """`held` is what is still to go out."""
    return {
        "told": reach.told + len(reach.places),
        "held": reach.held + reach.sending + reach.retrying,
        "failed": reach.failed,
        "bounced": 0,  # returned mail is not read
        "collapsed": reach.collapsed,
        "notTold": reach.not_told,
        "sentence": ", ".join(reach.parts),
    }


def _verdict(seen: Shown) -> VerdictJson:
    return {
        "subject": {"type": SUBJECTS[seen.subject], "id": str(seen.subject_id), "name": seen.name},
        "channel": seen.channel,
        "outcome": seen.outcome,
        "code": seen.code,
        "sentence": seen.sentence,
        "reasons": list(seen.reasons),
        "because": list(seen.because),
        "until": shapes.moment(seen.until) if seen.until else None,
        "delivery": _delivery(seen),
    }


def _delivery(seen: Shown) -> DeliveryJson | None:
    row = seen.delivery
    if row is None:
        return None
    return {
        "id": row.public_id,
        "state": row.state,
        "messageId": (row.message_id or None) if seen.is_open else None,
        "attempts": [
            {
                "at": None if seen.hides_times else shapes.moment(attempt.at),
                "outcome": attempt.outcome,
                "code": attempt.code,
                "response": attempt.response,
                "ms": attempt.milliseconds,
            }
            for attempt in seen.attempts
        ],
    }
