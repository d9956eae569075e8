"""A stream entry read: its event made regular, its other items sorted, everything counted.

All that costs time happens here, before the transaction begins; nothing here writes.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.domain import check_ins, client_reports, timestamps
from app.domain import event as events
from app.domain.check_ins import CheckIn
from app.domain.client_reports import Losses
from app.domain.decoding import decode
from app.domain.envelope import Envelope, Item, from_store, parse
from app.domain.event import Event, Receipt
from app.domain.ownership import Rules
from app.domain.ownership_lines import Match
from app.models import Project
from app.services.events import enclosures, event_body
from app.services.events.categories import ATTACHMENT, ERROR, MONITOR, category_of
from app.services.events.stream_entry import (
    ACCEPTED,
    CHECK_IN,
    DISCARDED,
    DROPPED,
    INVALID,
    RATE_LIMITED,
    STORE,
    TALLY,
    Entry,
    read_tally,
)

# More than the request allowed can only be a bomb that was made for the worker.
MAX_DECODED = 100 << 20
# Of an envelope; SDKs send each in one of its own.
MOST_CHECK_INS, MOST_FEEDBACK = 20, 10


# Puts the original source into regular data; what went wrong.
Unminify = Callable[[dict[str, Any]], list[dict[str, Any]]]


# The lines of owners that an event matches, and the rules that they are of.
Lines = tuple[Rules, list[Match]]


@dataclass(slots=True)
class Read:
    """What is to be kept of an entry. `attachments` belong to the event named in the entry."""

    entry: Entry
    project: Project
    event: Event | None = None
    body: bytes = b""
    attachments: list[dict[str, Any]] = field(default_factory=list)
    feedback: list[dict[str, Any]] = field(default_factory=list)
    check_ins: list[CheckIn] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    losses: Losses = field(default_factory=Counter)  # what the SDK says that it did not send
    lines: Lines | None = None

    def discard(self) -> None:
        """Its event is of an issue that somebody discarded: it was taken for nothing."""
        self.event = None
        self.counts[ERROR, ACCEPTED] -= 1
        self.counts[ERROR, DISCARDED] += 1


def read(entry: Entry, project: Project, unminify: Unminify | None = None) -> Read:
    """Raises whatever a broken entry makes it raise: the caller sets such an entry aside."""
    made = Read(entry, project)
    if entry.kind == TALLY:
        made.counts.update(read_tally(entry.body))
        return made
    plain = decode(entry.body, entry.encoding, cap=MAX_DECODED)
    if entry.kind == CHECK_IN:
        _keep_check_in(made, plain)
        return made
    envelope = from_store(plain) if entry.kind == STORE else parse(plain)
    main = envelope.event
    for item in envelope.items:
        if item is not main:
            _READERS.get(item.type, _drop)(made, item)
    made.attachments, notes = enclosures.within_limits(made.attachments)
    made.counts[ATTACHMENT, DROPPED] += len(notes)
    if main is not None:
        _read_event(made, envelope, main, notes, unminify)
    return made


def _read_event(
    made: Read, envelope: Envelope, item: Item, notes: list[dict[str, Any]], unminify: Unminify | None
) -> None:
    if made.entry.limited:
        made.counts[ERROR, RATE_LIMITED] += 1
        return
    receipt = _receipt(made.entry, made.project, envelope)
    made.event = events.regular(events.load(item.payload), receipt, unminify=unminify)
    if notes:
        made.event.data.setdefault("errors", []).extend(notes)
    made.body = event_body.of(made.event)


def _receipt(entry: Entry, project: Project, envelope: Envelope) -> Receipt:
    return Receipt(
        event_id=entry.event_id or "",
        received_at=entry.received_at,
        sent_at=timestamps.parse(envelope.header.get("sent_at")),
        client_ip=entry.client_ip,
        store_ips=project.store_ips,
        scrub=project.scrub_data,
        extra_sensitive=tuple(project.sensitive_fields),
        safe_fields=tuple(project.safe_fields),
    )


def _drop(made: Read, item: Item) -> None:
    made.counts[category_of(item.type), DROPPED] += 1


def _read_attachment(made: Read, item: Item) -> None:
    if made.entry.limited:
        made.counts[ATTACHMENT, RATE_LIMITED] += 1
    else:
        made.attachments.append(enclosures.attachment(item, made.entry))


def _read_feedback(made: Read, item: Item) -> None:
    if made.entry.limited:
        made.counts[category_of(item.type), RATE_LIMITED] += 1
        return
    if len(made.feedback) >= MOST_FEEDBACK:
        _drop(made, item)
        return
    row = enclosures.feedback_row(item, made.entry, made.project)
    made.counts[category_of(item.type), ACCEPTED if row else INVALID] += 1
    if row:
        made.feedback.append(row)


def _read_client_report(made: Read, item: Item) -> None:
    losses = client_reports.read(item.payload)
    made.counts[category_of(item.type), INVALID if losses is None else ACCEPTED] += 1
    made.losses.update(losses or {})


def _read_check_in(made: Read, item: Item) -> None:
    if made.entry.checks_limited:
        made.counts[MONITOR, RATE_LIMITED] += 1
    elif item.size > check_ins.MOST_BYTES or len(made.check_ins) >= MOST_CHECK_INS:
        _drop(made, item)
    else:
        _keep_check_in(made, item.payload)


def _keep_check_in(made: Read, payload: bytes) -> None:
    """Counted with what becomes of it, which shows only when it is kept."""
    sent = check_ins.read(payload)
    if sent:
        made.check_ins.append(sent)
    else:
        made.counts[MONITOR, INVALID] += 1


_READERS: dict[str, Callable[[Read, Item], None]] = {
    "attachment": _read_attachment,
    "user_report": _read_feedback,
    "feedback": _read_feedback,
    "client_report": _read_client_report,
    "check_in": _read_check_in,
}
