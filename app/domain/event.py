"""An event: a client's JSON made regular, with its title, its tags, its user and the hash of its issue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain import grouping, tags, timestamps, titles, tolerant_json
from app.domain.normalising import normalise
from app.domain.requests import forget_addresses, identity, settle_address
from app.domain.scrubbing import NO_SCRUBBER, SAFE_FIELDS, scrubber
from app.domain.shapes import Reading

MAX_NOTES = 100


@dataclass(frozen=True, slots=True)
class Receipt:
    """How an event came in, and what its project wants of it."""

    event_id: str
    received_at: datetime
    sent_at: datetime | None = None
    client_ip: str | None = None
    store_ips: bool = True
    scrub: bool = True
    extra_sensitive: tuple[str, ...] = ()
    safe_fields: tuple[str, ...] = SAFE_FIELDS


@dataclass(frozen=True, slots=True)
class Event:
    """`data` is what is stored: lists of exceptions, threads and breadcrumbs, oldest first, and objects."""

    event_id: str
    timestamp: datetime
    received_at: datetime
    level: str
    platform: str
    logger: str
    type: str
    title: str
    culprit: str
    message: str
    metadata: dict[str, str]
    transaction: str
    release: str
    environment: str
    dist: str
    server_name: str
    tags: tuple[tuple[str, str], ...]
    user: dict[str, Any] | None
    user_ident: str | None
    fingerprint: tuple[str, ...] | None
    hash: str
    hash_version: int
    grouping: str
    data: dict[str, Any]

    @property
    def main_exception(self) -> dict[str, Any] | None:
        return grouping.main_exception(self.data)


def load(payload: bytes) -> dict[str, Any]:
    """The JSON object of an event item; Malformed for anything else."""
    return tolerant_json.read_object(payload, "the event")


def regular(
    payload: dict[str, Any],
    receipt: Receipt,
    *,
    unminify: Callable[[dict[str, Any]], list[dict[str, Any]]] | None = None,
) -> Event:
    """The event in its regular form. Never fails: what is wrong is left out and noted in `data["errors"]`.

    `unminify` puts the original source into its frames, before they decide the event's title and issue.
    """
    reading = Reading(
        scrubber(receipt.extra_sensitive, receipt.safe_fields) if receipt.scrub else NO_SCRUBBER,
        timestamps.drift(receipt.sent_at, receipt.received_at),
    )
    data = normalise(payload, reading)
    timestamp = _timestamp(payload.get("timestamp"), receipt, reading)
    _settle_user(data, receipt)
    unread = unminify(data) if unminify else []
    if problems := [*unread, *data.get("errors", ()), *_noted(reading)]:
        data["errors"] = problems[:MAX_NOTES]
    return _event(data, timestamp, receipt)


def _timestamp(value: Any, receipt: Receipt, reading: Reading) -> datetime:
    if value is None:
        return receipt.received_at
    moment = timestamps.parse(value)
    moment = moment and timestamps.shifted(moment, reading.clock_shift)
    if moment is None or not timestamps.believable(moment, receipt.received_at):
        reading.note("timestamp")
        return receipt.received_at
    return moment


def _settle_user(data: dict[str, Any], receipt: Receipt) -> None:
    settings = data.get("sdk", {}).get("settings")
    infer_ip = settings.get("infer_ip") if isinstance(settings, dict) else None
    settle_address(data, client_ip=receipt.client_ip, infer_ip=infer_ip)
    if not receipt.store_ips:
        forget_addresses(data)


def _noted(reading: Reading) -> list[dict[str, Any]]:
    return [{"type": "invalid_data", "name": name} for name in reading.notes]


def _event(data: dict[str, Any], timestamp: datetime, receipt: Receipt) -> Event:
    grouped = grouping.group(data)
    fingerprint = data.get("fingerprint")
    complete = tags.complete(data.pop("tags", {}), data)
    return Event(
        event_id=receipt.event_id,
        timestamp=timestamp,
        received_at=receipt.received_at,
        level=data["level"],
        platform=data["platform"],
        logger=data.get("logger", ""),
        type="error" if "exception" in data else "default",
        title=titles.title(data),
        culprit=titles.culprit(data),
        message=data.get("logentry", {}).get("formatted", ""),
        metadata=titles.metadata(data),
        transaction=data.get("transaction", ""),
        release=data.get("release", ""),
        environment=data.get("environment", ""),
        dist=data.get("dist", ""),
        server_name=data.get("server_name", ""),
        tags=complete,
        user=data.get("user"),
        user_ident=identity(data.get("user")),
        fingerprint=tuple(fingerprint) if fingerprint else None,
        hash=grouped.hash,
        hash_version=grouped.version,
        grouping=grouped.explanation,
        data=data,
    )
