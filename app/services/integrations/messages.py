"""Notice → `Message`: what integrations are told, as much of it as the project lets out."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from app.channels import CHANNELS
from app.domain import explanations, stacks
from app.domain.kinds import KINDS
from app.domain.links import Links
from app.domain.message import Frame, Happened, Message, Subject, clean, cut, dedup_key
from app.domain.phrases import plural
from app.domain.storms import STORM
from app.models import Delivery, Destination, Event, InstanceName, Issue, Notice, Project
from app.services.calm import storm_issues
from app.services.events import event_body
from app.services.integrations import channel_accounts, destinations, standings
from app.services.mails.mail_detail import COUNTS, LINK, detail_of
from app.services.notices import notice_facts
from app.services.upserting import insert_missing

MOST_FRAMES = 10
MOST_ISSUES = 10  # of a message about several
SUMMARY = "digest"
HEADLINES = {
    SUMMARY: "Many new issues",
    "new": "New issue",
    "regression": "Regression",
    "again": "Alert",
    "resolved": "Resolved",
    "ignored": "Ignored",
    "unignored": "No longer ignored",
    "assigned": "Assigned",
    "comment": "Comment",
    "deleted": "Deleted",
}


def instance_name(session: Session, url: str) -> str:
    """What dedup keys call this instance: made once for each public address."""
    found = session.get(InstanceName, url)
    if found is None:
        rows = [{"url": url, "name": secrets.token_hex(6)}]
        insert_missing(session, InstanceName, rows, "url")
        found = session.get_one(InstanceName, url)
    return found.name


def compose(session: Session, delivery: Delivery, *, url: str) -> Message:
    """The message of one delivery. `url` is the instance's public address."""
    verdict, destination = delivery.verdict, delivery.destination
    if verdict is None or destination is None:
        raise LookupError(f"delivery {delivery.id} has lost what it is about")
    notice, links = verdict.notice, Links(url)
    project = destination.project
    detail = detail_of(project)
    issue = notice.issue
    shown_url = _url(notice, project, links)
    message = Message(
        id=message_id(delivery),
        kind=KINDS[notice.kind].integration,
        type=KINDS[notice.kind].webhook,
        key=dedup_key(instance_name(session, url), delivery.lane or 0),
        at=notice.occurred_at,
        project=clean(project.name),
        project_slug=project.slug,
        instance_url=url,
        url=shown_url,
        headline=_headline(notice, project, detail),
        issue=subject(issue, shown_url, detail) if issue else _gone(notice, shown_url, detail),
        event=_happened(session, notice) if detail not in (LINK, COUNTS) else None,
        rule_id=notice.rule_id,
        rule=clean(notice.rule.name) if notice.rule else "",
        reason=clean(explanations.origin(notice.kind, notice_facts.of(notice, zone="UTC"))),
        actor_id=notice.actor_id,
        actor=clean(notice.actor.name) if notice.actor else "",
        comment=_comment(notice) if detail not in (LINK, COUNTS) else "",
        tags=_chosen_tags(notice, destination.id),
        called=_called(session, notice, destination),
        references=_references(session, delivery),
        callbacks=callbacks(destination, url),
        is_repeat=delivery.attempt_count > 1,
        issues=_several(session, notice, links, detail) if notice.issue_short_id is None else (),
    )
    return message.bare() if delivery.data.get("bare") else message


def callbacks(destination: Destination, url: str) -> dict[str, str]:
    """Where the other side of an integration may call, by the names of the calls."""
    names = CHANNELS[destination.channel].about.callbacks
    return {name: f"{url.rstrip('/')}/hooks/{destination.callback_key}/{name}" for name in names}


def message_id(delivery: Delivery) -> str:
    """The same for every try: who receives it twice can tell."""
    return f"msg_{delivery.public_id.rpartition('.')[2]}"


def _url(notice: Notice, project: Project, links: Links) -> str:
    if notice.issue:
        return links.issue(project.organization.slug, project.slug, notice.issue.id)
    return links.notice(notice.public_id)


def _headline(notice: Notice, project: Project, detail: str) -> str:
    kind = KINDS[notice.kind].integration
    if kind == SUMMARY:
        return clean(_summary(notice, project))
    if notice.issue_short_id is None:
        words = "Test message" if kind == "test" else KINDS[notice.kind].word
        return clean(f"{words} from Tocsin for {project.name}")
    about = notice.issue_short_id if detail == LINK else (notice.issue_title or notice.issue_short_id)
    if into := notice.data.get("into"):
        return clean(f"Merged into {into}: {about}")
    return clean(f"{HEADLINES.get(kind, KINDS[notice.kind].word)}: {about}")


def _summary(notice: Notice, project: Project) -> str:
    """What came together: of a maintenance that is over, or of a storm."""
    if "maintenance" not in notice.data:
        return f"Many new issues in {project.name}"
    count = int(notice.data.get("count", 0))
    return f"After maintenance of {project.name}: {plural(count, 'unresolved issue')}"


def _several(session: Session, notice: Notice, links: Links, detail: str) -> Sequence[Subject]:
    """The issues that a message without one of its own is about, the worst first."""
    if notice.kind == STORM:
        found = storm_issues.issues(session, notice, most=MOST_ISSUES).top
    else:
        ids = notice.data.get("issues", ())
        known = {row.id: row for row in session.scalars(select(Issue).where(Issue.id.in_(ids)))}
        found = [known[issue_id] for issue_id in ids if issue_id in known]
    return [subject(each, _address(each, links), detail) for each in found]


def _address(issue: Issue, links: Links) -> str:
    return links.issue(issue.project.organization.slug, issue.project.slug, issue.id)


def subject(issue: Issue, url: str, detail: str) -> Subject:
    if detail == LINK:
        return Subject(issue.id, issue.short_id, url, level=issue.level, status=issue.status)
    return Subject(
        id=issue.id,
        short_id=issue.short_id,
        url=url,
        title=clean(issue.title),
        culprit=clean(issue.culprit),
        level=issue.level,
        status=issue.status,
        first_seen=issue.first_seen,
        last_seen=issue.last_seen,
        event_count=issue.times_seen,
        user_count=issue.users_seen,
        assignee=_assignee(issue),
    )


def _gone(notice: Notice, url: str, detail: str) -> Subject | None:
    """What is still known of an issue that is not there any more."""
    if notice.issue_short_id is None:
        return None
    title = "" if detail == LINK else clean(notice.issue_title)
    return Subject(destinations.lane_of(notice) or 0, notice.issue_short_id, url, title, status="deleted")


def _assignee(issue: Issue) -> str:
    if issue.assignee_user:
        return clean(issue.assignee_user.name)
    return f"#{issue.assignee_team.slug}" if issue.assignee_team else ""


def _happened(session: Session, notice: Notice) -> Happened | None:
    if notice.event_id is None:
        return None
    named = (Event.project_id == notice.project_id) & (Event.event_id == notice.event_id)
    row = session.scalar(select(Event).where(named).options(undefer(Event.body)))
    return of_event(row, event_body.unpack(row.body)) if row else None


def of_event(row: Event, data: Mapping[str, Any]) -> Happened:
    """What is told of an event, from its regular data."""
    exceptions = data.get("exception") or []
    last = exceptions[-1] if exceptions else {}
    tags = {clean(name): clean(value) for name, value in data.get("tags") or ()}
    return Happened(
        id=row.event_id,
        at=row.timestamp,
        environment=clean(row.environment),
        release=clean(row.release),
        server_name=tags.get("server_name", ""),
        url=cut(tags.get("url", "").partition("?")[0], 200),
        handled=(last.get("mechanism") or {}).get("handled"),
        tags=tags,
        exception_type=clean(last.get("type")),
        exception_value=clean(last.get("value")),
        frames=[_frame(frame) for frame in reversed(stacks.in_app(stacks.top_frames(dict(data))))][
            :MOST_FRAMES
        ],
    )


def _frame(frame: Mapping[str, Any]) -> Frame:
    return Frame(
        file=cut(clean(frame.get("filename") or frame.get("module")), 200),
        line=frame.get("lineno"),
        function=cut(clean(frame.get("function")), 200),
        in_app=bool(frame.get("in_app")),
    )


def _comment(notice: Notice) -> str:
    if notice.kind != "comment" or notice.activity is None:
        return ""
    return clean(notice.activity.data.get("text"))


def _chosen_tags(notice: Notice, destination_id: int) -> tuple[str, ...]:
    """Those that the rule wants to see."""
    actions = notice.rule.actions if notice.rule else ()
    wanted = (row for row in actions if row.get("integration") in ("all", destination_id))
    return tuple(dict.fromkeys(str(name) for row in wanted for name in row.get("tags") or ()))


def _called(session: Session, notice: Notice, destination: Destination) -> dict[str, str]:
    """The accounts there of who acted and who has the issue."""
    assignee = notice.issue.assignee_user_id if notice.issue else None
    return channel_accounts.called(session, destination, {"actor": notice.actor_id, "assignee": assignee})


def _references(session: Session, delivery: Delivery) -> dict[str, Any]:
    standing = standings.of(session, delivery)
    return dict(standing.references) if standing else {}


def sample(project: Project, *, kind: str, at: datetime, url: str, detail: str = "full") -> Message:
    """A made-up message, for the picture beside a form."""
    links = Links(url)
    address = links.issue(project.organization.slug, project.slug, 1043)
    name = f"{project.slug.upper()}-4F"
    issue = Subject(
        1043, name, address, "KeyError: 'cart'", "shop.cart in checkout", "error", "unresolved", at, at, 7, 3
    )
    event = Happened(
        id="8f21c5a0b7d94e0f8a53d1c2b3a49586",
        at=at,
        environment="production",
        release="shop@4.2.1",
        server_name="web-1",
        tags={"environment": "production", "release": "shop@4.2.1", "server_name": "web-1"},
        exception_type="KeyError",
        exception_value="'cart'",
        frames=(Frame("shop/cart.py", 42, "checkout", True),),
    )
    found = next(row for row in KINDS.values() if row.integration == kind)
    bare = detail == LINK
    return Message(
        id="msg_8f21c5a0b7d94e0f",
        kind=kind,
        type=found.webhook,
        key=dedup_key("b7d94e0f8a53", 1043),
        at=at,
        project=project.name,
        project_slug=project.slug,
        instance_url=url,
        url=address,
        headline=f"{HEADLINES[kind]}: {name if bare else issue.title}",
        issue=Subject(1043, name, address) if bare else issue,
        event=None if detail in (LINK, COUNTS) else event,
        rule_id=7,
        rule="New issues",
        reason="Rule “New issues” fired for event 8f21c5a0, the first of this issue.",
    )
