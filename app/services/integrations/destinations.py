"""Integrations of a project: which there are, what concerns each, and what is decided about it.

What is decided is recorded like the answer for a person: a verdict with the subject "destination".
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.channels import is_paging, needs_open, takes
from app.domain.errors import NotFound
from app.domain.kinds import ALERTS, CLOSING, KINDS, TEST
from app.domain.routing import Happening, Outcome, Reason
from app.models import AlertRule, Delivery, Destination, Notice, Project, Verdict
from app.services.calm import pausing
from app.services.calm.pausing import Hold
from app.services.integrations import standings
from app.services.mails import delivering

SUBJECT = "destination"
ALL = "all"
NO_OWNER = "no_owner"
SUMMARY = "digest"


# Which there are


def of_project(session: Session, project_id: int) -> Sequence[Destination]:
    """All of them, by name."""
    found = select(Destination).where(Destination.project_id == project_id)
    return session.scalars(found.order_by(Destination.name, Destination.id)).all()


def enabled(session: Session, project_id: int) -> Sequence[Destination]:
    """Those that are switched on, by name."""
    return [each for each in of_project(session, project_id) if each.enabled]


def of_rule(rule: AlertRule, known: Iterable[Destination]) -> list[Destination]:
    """Those of the known ones that the rule names."""
    named = {row["integration"] for row in rule.actions if row.get("id") == "integration"}
    return [each for each in known if ALL in named or each.id in named]


def find(session: Session, project: Project, destination_id: int) -> Destination:
    """One of the project's, else `NotFound`."""
    row = session.get(Destination, destination_id)
    if row is None or row.project_id != project.id:
        raise NotFound
    return row


def rules_using(session: Session, destination: Destination) -> list[AlertRule]:
    """The project's rules that send to it, by name."""
    found = select(AlertRule).where(AlertRule.project_id == destination.project_id).order_by(AlertRule.name)
    return [rule for rule in session.scalars(found) if of_rule(rule, [destination])]


def rules_naming(session: Session, destination: Destination) -> list[AlertRule]:
    """Those of them that name it itself, not all there are."""
    rules = rules_using(session, destination)
    return [rule for rule in rules if any(row.get("integration") == destination.id for row in rule.actions)]


# What is decided


@dataclass(frozen=True, slots=True)
class Decided:
    """The answer for one destination, as a verdict records it."""

    destination: Destination
    outcome: Outcome
    code: str
    reasons: Sequence[Reason] = ()
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """Alerts that somebody else has to be told of instead."""

    missed: Sequence[tuple[Notice, Decided]] = ()


def tell(
    session: Session,
    notices: Sequence[Notice],
    happenings: Mapping[Notice, Happening] | None = None,
    *,
    now: datetime,
) -> Told:
    """Decide about every destination that these notices concern, and write that down.

    `happenings` say which are part of a storm, or of an issue that comes back again and again. What stopped
    at a gate concerns no destination; that an alert has no owner concerns people alone.
    """
    asked = [notice for notice in notices if notice.gate_code in (None, NO_OWNER)]
    decided = _paused(session, decide(session, asked, happenings or {}), now)
    rows = [_verdict(notice, each) for notice, answers in decided.items() for each in answers]
    if not rows:
        return Told()
    columns = delivering.VERDICTS.c
    stored = insert(delivering.VERDICTS).returning(columns.notice_id, columns.subject_id, columns.id)
    ids = {(notice_id, to): key for notice_id, to, key in session.execute(stored, rows)}
    deliveries = [
        _delivery(each.destination, notice, ids[notice.id, each.destination.id], now)
        for notice, answers in decided.items()
        for each in answers
        if each.outcome == Outcome.SEND
    ]
    session.add_all(deliveries)
    session.flush()
    return Told([pair for pair in _pairs(decided) if is_missed(*pair)])


def _paused(
    session: Session, decided: Mapping[Notice, Sequence[Decided]], now: datetime
) -> dict[Notice, list[Decided]]:
    """The same, but what maintenance holds waits for its summary, where that is wanted.

    What is open on a service that pages is closed all the same.
    """
    held = pausing.held(session, decided, now=now)
    return {
        notice: [waiting(notice, each, held[notice]) if notice in held else each for each in answers]
        for notice, answers in decided.items()
    }


def waiting(notice: Notice, answer: Decided, hold: Hold) -> Decided:
    """The answer while a maintenance holds."""
    closes = is_paging(answer.destination.channel) and KINDS[notice.kind].integration in CLOSING
    if answer.outcome != Outcome.SEND or closes:
        return answer
    is_wanted = SUMMARY in answer.destination.kinds or is_told_singly(answer.destination.channel)
    params = {**answer.params, "until": hold.until.isoformat(), "maintenance": hold.why}
    return replace(
        answer,
        outcome=Outcome.DEFER if is_wanted else Outcome.SKIP,
        code=pausing.CODE,
        params=params if is_wanted else {**params, "unheld": True},
    )


def is_told_singly(channel: str) -> bool:
    """Whether it has no form for summaries: then each issue is told by itself."""
    return not takes(channel, SUMMARY)


def _pairs(decided: Mapping[Notice, Sequence[Decided]]) -> Iterable[tuple[Notice, Decided]]:
    return ((notice, each) for notice, answers in decided.items() for each in answers)


def is_missed(notice: Notice, decided: Decided) -> bool:
    """An alert for an integration that was switched off because it does not work; not by a person."""
    is_broken = decided.code == "integration_disabled" and decided.destination.disabled_reason
    return bool(is_broken) and KINDS[notice.kind].category == ALERTS


def decide(
    session: Session, notices: Sequence[Notice], happenings: Mapping[Notice, Happening]
) -> dict[Notice, list[Decided]]:
    """What `tell` writes down. Reads alone."""
    asked = [notice for notice in notices if KINDS[notice.kind].integration and notice.project_id]
    known = _known(session, {notice.project_id for notice in asked if notice.project_id})
    issue_ids = {issue_id for notice in asked if (issue_id := lane_of(notice))}
    lanes = standings.open_lanes(session, known, issue_ids) if any(known.values()) else set()
    late = standings.opened_at(session, lanes) if any(map(_closes, asked)) else {}
    return {
        notice: answers(
            notice,
            known.get(notice.project_id or 0, ()),
            {lane for lane in lanes if not _is_overtaken(notice, late.get(lane))},
            happenings.get(notice),
        )
        for notice in asked
    }


def _closes(notice: Notice) -> bool:
    return KINDS[notice.kind].integration in CLOSING


def _is_overtaken(notice: Notice, opened_at: datetime | None) -> bool:
    """Whether what it would close was opened again since: it was planned late, and the issue is back."""
    return _closes(notice) and opened_at is not None and opened_at > notice.occurred_at


def answers(
    notice: Notice,
    known: Sequence[Destination],
    lanes: Collection[tuple[int, int | None]],
    what: Happening | None,
) -> list[Decided]:
    """About each that the notice concerns; `lanes` are what is open where."""
    return [
        _explained(notice, answer, what)
        for each in _concerned(notice, known)
        if (answer := _decide(each, KINDS[notice.kind].integration, (each.id, lane_of(notice)) in lanes))
    ]


def lane_of(notice: Notice) -> int | None:
    """The issue that it is about, also if that is not there any more."""
    return notice.issue_id or notice.data.get("issue")


def _concerned(notice: Notice, known: Sequence[Destination]) -> Sequence[Destination]:
    """An alert goes where its rule says, a test where it was asked for; the rest, storms too, is for all."""
    category = KINDS[notice.kind].category
    if category == TEST:
        return [each for each in known if each.id == notice.data.get(SUBJECT)]
    if category == ALERTS and KINDS[notice.kind].in_thread:
        return of_rule(notice.rule, known) if notice.rule else []
    return known


def _explained(notice: Notice, answer: Decided, what: Happening | None) -> Decided:
    """The answer with its reasons; told with another notice where that sums this one up."""
    if notice.rule:
        because = {"rule": notice.rule.name, "integration": "this integration"}
        params = {**answer.params, "because": because}
        answer = replace(answer, reasons=(Reason.RULE_INTEGRATION,), params=params)
    is_told = answer.outcome == Outcome.SEND and not is_told_singly(answer.destination.channel)
    collapsed = _collapsed(what) if is_told else None
    if collapsed is None:
        return answer
    code, public_id = collapsed
    params = {**answer.params, "notice": public_id}
    return replace(answer, outcome=Outcome.COLLAPSE, code=code, params=params)


def _collapsed(what: Happening | None) -> tuple[str, str] | None:
    """The code, and the notice that tells of it instead."""
    if what and what.storm:
        return "storm", what.storm
    return ("flapping", what.flapping) if what and what.flapping else None


def _decide(destination: Destination, kind: str, is_open: bool) -> Decided | None:
    """The ladder of a destination; None where nothing is open that could be closed.

    A test goes out even where it is switched off: it is how one mends it. What a channel has no form for does
    not concern it.
    """
    if kind == TEST:
        return Decided(destination, Outcome.SEND, "send")
    closes = is_paging(destination.channel) and kind in CLOSING
    if not closes and not takes(destination.channel, kind):
        return None
    if not destination.enabled:
        return Decided(destination, Outcome.SKIP, "integration_disabled")
    if closes:
        return Decided(destination, Outcome.SEND, "send") if is_open else None
    if kind not in destination.kinds:
        return Decided(destination, Outcome.SKIP, "channel_off", params={"integration_kind": kind})
    if needs_open(destination.channel, kind) and not is_open:
        return None
    return Decided(destination, Outcome.SEND, "send")


def _known(session: Session, project_ids: Collection[int]) -> dict[int, list[Destination]]:
    found: dict[int, list[Destination]] = defaultdict(list)
    wanted = select(Destination).where(Destination.project_id.in_(project_ids))
    for row in session.scalars(wanted.order_by(Destination.name, Destination.id)):
        found[row.project_id].append(row)
    return found


def let_go(session: Session, verdict: Verdict, *, now: datetime) -> None:
    """Send after all what was held, or could not be sent when its time was."""
    destination = session.get(Destination, verdict.subject_id)
    if destination is None:
        verdict.outcome, verdict.code = str(Outcome.SKIP), "integration_removed"
        return
    verdict.outcome, verdict.code = str(Outcome.SEND), "send"
    session.add(_delivery(destination, verdict.notice, verdict.id, now))


def _verdict(notice: Notice, decided: Decided) -> dict[str, object]:
    return {
        "notice_id": notice.id,
        "subject": SUBJECT,
        "subject_id": decided.destination.id,
        "channel": decided.destination.channel,
        "outcome": str(decided.outcome),
        "code": decided.code,
        "params": dict(decided.params),
        "reasons": [str(reason) for reason in decided.reasons],
        "digest_id": None,
    }


def _delivery(destination: Destination, notice: Notice, verdict_id: int, now: datetime) -> Delivery:
    return Delivery(
        public_id=delivering.new_id(),
        verdict_id=verdict_id,
        destination_id=destination.id,
        lane=lane_of(notice),
        channel=destination.channel,
        kind=notice.kind,
        address=destination.name,
        data={},
        created_at=now,
        send_at=now,
    )
