"""A test of an alert rule, on the way of all messages: to the person who asked, and to one integration.

It tells of the project's newest event, or of a made-up one. It is no firing: the rule does not rest after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.domain.kinds import TEST
from app.domain.rule_content import Content
from app.models import AlertRule, Delivery, Destination, Issue, Notice, Project, User, Verdict
from app.services.integrations import destinations
from app.services.mails import mail_samples
from app.services.mails.mail_detail import detail_of
from app.services.mails.mail_records import Records
from app.services.mails.mail_sample_texts import TEXTS
from app.services.mails.mail_samples import MadeUp, Scenery
from app.services.notices import testing_mail
from app.services.notices.announcing import announce
from app.services.people import onboarding

RULE, ISSUE, EVENT = "rule", "issue", "event"
SAMPLE = "This project has no event yet, so the issue is made up and its links lead nowhere."


def send(
    session: Session,
    project: Project,
    content: Content,
    *,
    by: User,
    destination: Destination | None = None,
    now: datetime,
) -> Notice:
    """Decided, recorded and on its way; its page shows what becomes of it."""
    event = onboarding.newest_event(session, project)
    data: dict[str, Any] = {"user": by.id, "by": by.name, RULE: content.name}
    if event and event.issue_id:
        data |= {ISSUE: event.issue_id, EVENT: event.event_id}
    if destination:
        data |= {destinations.SUBJECT: destination.id, "name": destination.name}
    notice = announce(session, TEST, project.id, data, now=now)
    testing_mail.tell(session, notice, by, now=now)
    if destination:
        destinations.tell(session, [notice], now=now)
    return notice


# Composing


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The alert as it would be sent: rows that are never stored. `records` only for what is made up."""

    delivery: Delivery
    note: str
    records: Records | None = None


def rehearsal(session: Session, delivery: Delivery) -> Rehearsal | None:
    """What a test of a rule shows; None for any other message."""
    notice = delivery.carried[0].notice if delivery.carried else None
    if notice is None or notice.kind != TEST or RULE not in notice.data or delivery.user is None:
        return None
    note = f"This is a test of the alert rule “{notice.data[RULE]}”. It went to no other person."
    issue = session.get(Issue, notice.data[ISSUE]) if ISSUE in notice.data else None
    if issue is None or notice.project is None:
        return _made_up(notice, delivery.user, f"{note} {SAMPLE}")
    return Rehearsal(_stand_in(notice, issue, delivery.user), note)


def because(note: str) -> Mapping[str, Any]:
    """What the foot of a test says instead of why somebody is told."""
    nothing = {"also": (), "required": "", "rule_switches": (), "switch_url": "", "switch_label": ""}
    return {"note": note, "why": "you asked for a test", **nothing}


def _stand_in(notice: Notice, issue: Issue, user: User) -> Delivery:
    alert = Notice(
        id=-notice.id,
        public_id=notice.public_id,
        kind="alert.again",
        project_id=notice.project_id,
        project=notice.project,
        issue_id=issue.id,
        issue=issue,
        issue_short_id=issue.short_id,
        issue_title=issue.title,
        event_id=notice.data[EVENT],
        rule=AlertRule(name=notice.data[RULE]),
        data={},
        occurred_at=notice.occurred_at,
        mail_epoch=1,
    )
    return _delivery(alert, user)


def _delivery(alert: Notice, user: User) -> Delivery:
    verdict = Verdict(
        notice=alert, subject="user", subject_id=user.id, channel="email", outcome="send", code="send"
    )
    verdict.params, verdict.reasons = {}, []
    return Delivery(verdict=verdict, user=user, kind=alert.kind, channel="email", address="", subject="")


def _made_up(notice: Notice, user: User, note: str) -> Rehearsal:
    project = notice.project
    texts = replace(TEXTS["typical"], rule=notice.data[RULE], reader=user.name)
    if project:
        texts = replace(texts, project=project.name)
    scenery = Scenery(texts, detail_of(project), zone=user.timezone)
    delivery = mail_samples.single(scenery, "alert.new", "fallback_all")
    delivery.carried[0].notice.public_id = notice.public_id
    return Rehearsal(delivery, note, MadeUp(scenery))
