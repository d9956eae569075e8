"""Deliveries on their way: claimed by one worker, recorded answer by answer, tried again, given up."""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, joinedload

from app.channels.base import Result, Sent
from app.domain.backoff import next_try
from app.domain.kinds import KINDS
from app.domain.routing import EMAIL, Outcome
from app.models import Attempt, Delivery, Digest, Notice, Verdict

# A worker that died holds its claim no longer than this.
CLAIM = timedelta(minutes=2)
# No message of a claim is begun after this long, which leaves time for the last one: six exchanges with a
# relay (connect, greeting, TLS, sender, recipient, message) that each run into the time-out of ten seconds.
BEGIN_WITHIN = timedelta(seconds=30)
WAITING = ("queued", "deferred")
# What runs for every message goes past the mapper.
TABLE, VERDICTS = cast(Table, Delivery.__table__), cast(Table, Verdict.__table__)


def new_id() -> str:
    """Public name of a delivery; part of its Message-ID."""
    return f"d.{secrets.token_hex(8)}"


def row(
    user_id: int,
    address: str,
    *,
    kind: str,
    subject: str,
    now: datetime,
    channel: str = EMAIL,
    verdict_id: int | None = None,
    digest_id: int | None = None,
) -> dict[str, object]:
    """The columns of a message that is to go out at once, fit for a bulk insert."""
    return {
        "public_id": new_id(),
        "verdict_id": verdict_id,
        "digest_id": digest_id,
        "user_id": user_id,
        "channel": channel,
        "kind": kind,
        "address": address,
        "data": {},
        "subject": subject,
        "state": "queued",
        "created_at": now,
        "send_at": now,
    }


def due(session: Session, *, now: datetime, limit: int) -> Sequence[int]:
    """The deliveries whose time has come, and those that a dead worker left half way; the oldest first."""
    found = select(Delivery.id).where(_is_due(now)).order_by(Delivery.send_at).limit(limit)
    return session.scalars(found).all()


def claim(session: Session, delivery_ids: Collection[int], *, now: datetime) -> Sequence[int]:
    """Take what is due of these, for `CLAIM`; of two workers one gets it."""
    return session.scalars(
        update(Delivery)
        .where(Delivery.id.in_(delivery_ids), _is_due(now))
        .values(state="sending", claimed_until=now + CLAIM, attempt_count=Delivery.attempt_count + 1)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Of mails; what goes to integrations is a matter of `posting`."""
    return Delivery.destination_id.is_(None) & or_(
        and_(Delivery.state.in_(WAITING), Delivery.send_at <= now),
        and_(Delivery.state == "sending", Delivery.claimed_until < now),
    )


def load(session: Session, delivery_ids: Collection[int]) -> Sequence[Delivery]:
    """These deliveries with all that composing them needs, in a constant number of queries."""
    ways = (
        joinedload(Delivery.verdict).joinedload(Verdict.notice),
        # The digests of one action share their notices: those are not read again for each person.
        joinedload(Delivery.digest).selectinload(Digest.verdicts).selectinload(Verdict.notice),
    )
    parts = (Notice.issue, Notice.activity, Notice.actor, Notice.project, Notice.rule)
    found = (
        select(Delivery)
        .where(Delivery.id.in_(delivery_ids))
        .order_by(Delivery.id)
        .options(joinedload(Delivery.user), *(way.joinedload(part) for way in ways for part in parts))
    )
    return session.scalars(found).unique().all()


def name(connection: Connection, names: Collection[Mapping[str, object]]) -> None:
    """Note under which `subject` and `message_id` messages go out, by `delivery`, before they do."""
    if names:
        named = update(TABLE).where(TABLE.c.id == bindparam("delivery"))
        both: dict[str, Any] = {"subject": bindparam("subject"), "message_id": bindparam("message_id")}
        connection.execute(named.values(both), list(names))


def record(connection: Connection, answers: Collection[Sent], *, now: datetime, worker: str) -> None:
    """Write down answers: accepted, to be tried again, or given up. What was not tried is due again.

    A constant number of statements. A delivery that was deleted meanwhile is left in peace.
    """
    standing = {row.id: row for row in connection.execute(_standing(sent.delivery_id for sent in answers))}
    known = [sent for sent in answers if sent.delivery_id in standing]
    if not known:
        return
    changes = [_change(sent, standing[sent.delivery_id], now) for sent in known]
    columns = ("state", "attempt_count", "send_at", "finished_at")
    claimed = update(TABLE).where(TABLE.c.id == bindparam("delivery"), TABLE.c.state == "sending")
    connection.execute(
        claimed.values({"claimed_until": None, **{name: bindparam(f"new_{name}") for name in columns}}),
        [{"delivery": key, **{f"new_{name}": change[name] for name in columns}} for key, change in changes],
    )
    # A sign-in link has no business here once it is out.
    finished = [key for key, change in changes if change["finished_at"]]
    connection.execute(update(TABLE).where(TABLE.c.id.in_(finished)).values(data={}))
    attempts = [
        _attempt(sent, standing[sent.delivery_id].attempts + 1, str(change["state"]), now, worker)
        for sent, (_, change) in zip(known, changes, strict=True)
        if sent.result is not Result.NOT_TRIED
    ]
    if attempts:
        connection.execute(insert(Attempt), attempts)


def _standing(delivery_ids: Iterable[int]) -> Select[int, int, datetime, datetime, str, int]:
    earlier = select(func.count()).where(Attempt.delivery_id == Delivery.id).scalar_subquery()
    due_since = func.coalesce(Delivery.put_off_until, Delivery.created_at).label("due_since")
    columns = (Delivery.id, Delivery.attempt_count, due_since, Delivery.send_at, Delivery.kind)
    return select(*columns, earlier.label("attempts")).where(Delivery.id.in_(list(delivery_ids)))


def _change(sent: Sent, row: Any, now: datetime) -> tuple[int, dict[str, object]]:
    """The delivery's id, and its columns as the answer leaves them."""
    change = {"attempt_count": row.attempt_count, "send_at": row.send_at, "finished_at": None}
    if sent.result is Result.NOT_TRIED:
        return row.id, {**change, "state": "queued", "attempt_count": row.attempt_count - 1}
    outcome, again_at = _outcome(sent, row.kind, row.attempt_count, row.due_since, now)
    ends = {"send_at": again_at} if again_at else {"finished_at": now}
    return row.id, {**change, "state": outcome, **ends}


def _attempt(sent: Sent, number: int, outcome: str, now: datetime, worker: str) -> dict[str, object]:
    return {
        "delivery_id": sent.delivery_id,
        "number": number,
        "at": now,
        "outcome": outcome,
        "code": sent.code,
        "response": sent.response,
        "milliseconds": sent.milliseconds,
        "worker": worker,
        "peer": sent.peer,
    }


def cancel(connection: Connection, delivery_ids: Collection[int], *, now: datetime) -> None:
    """Call off messages that nobody should get any more; their verdicts say why."""
    connection.execute(
        update(TABLE)
        .where(TABLE.c.id.in_(delivery_ids), TABLE.c.state == "sending")
        .values(state="cancelled", finished_at=now, data={}, claimed_until=None)
    )


def refuse(connection: Connection, refused: Mapping[int, tuple[str, Mapping[str, object]]]) -> None:
    """Note why these verdicts, by id, hold no longer. What is in a digest drops out of it."""
    if not refused:
        return
    dropped = case((VERDICTS.c.outcome == Outcome.DEFER, str(Outcome.SKIP)), else_=VERDICTS.c.outcome)
    changed = {"code": bindparam("new_code"), "params": bindparam("new_params"), "outcome": dropped}
    connection.execute(
        update(VERDICTS).where(VERDICTS.c.id == bindparam("verdict")).values(changed),
        [
            {"verdict": key, "new_code": code, "new_params": dict(params)}
            for key, (code, params) in refused.items()
        ],
    )


def put_off(connection: Connection, until: Mapping[int, datetime]) -> None:
    """Leave these deliveries, by id, for later: nothing was tried."""
    if until:
        connection.execute(
            update(TABLE)
            .where(TABLE.c.id == bindparam("delivery"), TABLE.c.state == "sending")
            .values(
                state="deferred",
                send_at=bindparam("until"),
                put_off_until=bindparam("until"),
                claimed_until=None,
                attempt_count=TABLE.c.attempt_count - 1,
            ),
            [{"delivery": key, "until": moment} for key, moment in until.items()],
        )


def _outcome(
    sent: Sent, kind: str, attempts: int, due_since: datetime, now: datetime
) -> tuple[str, datetime | None]:
    if sent.result is Result.ACCEPTED:
        return "accepted", None
    if sent.result is Result.FAILED:
        return "failed", None
    again_at = next_try(attempts, due_since=due_since, now=now, lasts=KINDS[kind].lasts)
    return ("deferred", again_at) if again_at else ("expired", None)
