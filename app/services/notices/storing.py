"""Answers about people written down: verdicts, and the deliveries or open digests that follow from them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.domain import routing
from app.domain.routing import Outcome
from app.models import Delivery, Notice, Verdict
from app.services.calm import holding, pausing
from app.services.mails import delivering
from app.services.preferences import reaching
from app.services.upserting import insert_all

Pair = tuple[Notice, routing.Verdict]


def open_digests(session: Session, pairs: Iterable[Pair], now: datetime) -> dict[str, dict[int, int]]:
    """Where what is held for each person is collected: digest ids by key and person."""
    send_at: dict[str, dict[int, datetime]] = defaultdict(dict)
    for notice, verdict in pairs:
        if verdict.outcome == Outcome.DEFER:
            theirs, at = send_at[holding.key_of(notice, verdict.code)], _send_at(verdict, now)
            is_first = verdict.code == pausing.CODE  # the summary goes out as soon as any of it may
            theirs[verdict.person_id] = min(at, theirs.get(verdict.person_id, at)) if is_first else at
    # In one order, as everybody locks them.
    return {key: holding.open_digests(session, key, at, now=now) for key, at in sorted(send_at.items())}


def _send_at(verdict: routing.Verdict, now: datetime) -> datetime:
    return datetime.fromisoformat(verdict.params["until"]) if "until" in verdict.params else now


def store_verdicts(
    session: Session, pairs: Sequence[Pair], digest_ids: Mapping[str, Mapping[int, int]]
) -> dict[tuple[int, int], int]:
    """Write the verdicts, past the mapper: there are many. Those that send by notice and person."""
    rows = [_row(notice, verdict, digest_ids) for notice, verdict in pairs]
    insert_all(session, Verdict, [row for row in rows if row["outcome"] != Outcome.SEND])
    telling = [row for row in rows if row["outcome"] == Outcome.SEND]
    if not telling:
        return {}
    columns = delivering.VERDICTS.c
    stored = insert(delivering.VERDICTS).returning(columns.notice_id, columns.subject_id, columns.id)
    return {(notice_id, user_id): key for notice_id, user_id, key in session.execute(stored, telling)}


def _row(
    notice: Notice, verdict: routing.Verdict, digest_ids: Mapping[str, Mapping[int, int]]
) -> dict[str, object]:
    held = verdict.outcome == Outcome.DEFER
    return {
        "notice_id": notice.id,
        "subject": "user",
        "subject_id": verdict.person_id,
        "channel": verdict.channel,
        "outcome": str(verdict.outcome),
        "code": verdict.code,
        "params": dict(verdict.params),
        "reasons": [str(reason) for reason in verdict.reasons],
        "digest_id": digest_ids[holding.key_of(notice, verdict.code)][verdict.person_id] if held else None,
    }


def store_deliveries(
    session: Session, pairs: Iterable[Pair], verdict_ids: Mapping[tuple[int, int], int], now: datetime
) -> list[int]:
    told = [(notice, verdict) for notice, verdict in pairs if verdict.outcome == Outcome.SEND]
    people: dict[int | None, set[int]] = defaultdict(set)
    for notice, verdict in told:
        people[notice.project_id].add(verdict.person_id)
    addresses = {place: reaching.addresses_of(session, ids, place) for place, ids in people.items()}
    rows = [
        delivering.row(
            verdict.person_id,
            addresses[notice.project_id][verdict.person_id],
            kind=notice.kind,
            subject=(notice.issue.mail_subject or "") if notice.issue else "",
            now=now,
            channel=verdict.channel,
            verdict_id=verdict_ids[notice.id, verdict.person_id],
        )
        for notice, verdict in told
    ]
    return list(session.scalars(insert(Delivery).returning(Delivery.id), rows)) if rows else []
