"""What each endpoint of the protocol does with a request: check it, keep its bytes, answer.

Nothing here parses more of an event than its id: understanding it is the digester's work.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import parse_qs

import msgspec

from app.clock import now
from app.domain import authentication, check_ins
from app.domain.decoding import beginning, decode
from app.domain.envelope import (
    MAX_ENCODED_EVENT,
    MAX_EVENT_BYTES,
    MAX_HEADER_BYTES,
    Envelope,
    from_store,
    parse,
    parse_header,
)
from app.domain.ratelimits import RateLimit
from app.domain.rejections import Malformed, Rejected, Unauthenticated
from app.ingest import answers, security_reports
from app.ingest.answers import Answer
from app.ingest.keys import Key, Keys
from app.ingest.limits import WITHIN, count_check_ins, count_event
from app.ingest.request import Request
from app.ingest.stream import Stream, StreamFull
from app.services.events.categories import MONITOR, category_of
from app.services.events.stream_entry import CHECK_IN, ENVELOPE, OVERLOADED, RATE_LIMITED, STORE, Entry, tally
from app.settings_kinds import Network

MAX_DECODED = 100 << 20
# What the limit of a key holds for: all that is kept, but for check-ins, which have one of their own.
FEEDBACK_TYPES = frozenset({"user_report", "feedback"})
LIMITED = frozenset({"event", "attachment"}) | FEEDBACK_TYPES
OVERLOAD = RateLimit(10, 10, "organization", "overloaded", categories=())


@dataclass(frozen=True, slots=True)
class Intake:
    """What endpoints need of this process."""

    keys: Keys
    stream: Stream
    trusted_proxies: tuple[Network, ...]


Endpoint = Callable[[Intake, Request], Answer]


def take_envelope(intake: Intake, request: Request) -> Answer:
    """Nothing is unpacked for strangers: a header, the query or the body's first line must tell who sends."""
    project_id = authentication.project_id(request.project)
    found = _credentials(request)
    key = _key(intake, request, found, project_id) if found else None
    body = request.body(known=key is not None)
    if found is None or key is None:
        found = authentication.agreed(None, _dsn_within(body, request.encoding), project_id=project_id)
        key = _key(intake, request, found, project_id)
    envelope = parse(decode(body, request.encoding, cap=MAX_DECODED))
    authentication.agreed(found, envelope.header.get("dsn"), project_id=project_id)
    return _keep(intake, key, envelope, _entry(intake, request, key, ENVELOPE, body))


def take_store(intake: Intake, request: Request) -> Answer:
    key = _required_key(intake, request)
    body = request.body()
    envelope = from_store(decode(body, request.encoding, cap=MAX_ENCODED_EVENT))
    return _keep(intake, key, envelope, _entry(intake, request, key, STORE, body))


def take_query(intake: Intake, request: Request) -> Answer:
    """An event in the query string of a picture, from pages that may do nothing else."""
    key = _required_key(intake, request)
    sent = parse_qs(request.query).get("sentry_data", [""])[0].encode()
    if not sent:
        raise Malformed("sentry_data is missing")
    entry = replace(_entry(intake, request, key, STORE, sent), encoding="")
    answer = _keep(intake, key, from_store(sent), entry)
    return answers.pixel() if answer.status == 200 else answer


def take_security_report(intake: Intake, request: Request) -> Answer:
    key = _required_key(intake, request)
    report = decode(request.body(), request.encoding, cap=MAX_EVENT_BYTES)
    agent = request.header("HTTP_USER_AGENT")
    body = msgspec.json.encode(security_reports.as_event(report, query=request.query, user_agent=agent))
    entry = replace(_entry(intake, request, key, STORE, body), encoding="")
    return _keep(intake, key, from_store(body), entry)


def take_check_in(intake: Intake, request: Request) -> Answer:
    """A check-in by plain URL: `/cron/{slug}/{key}/`, for jobs that can call an address and no more."""
    project_id = authentication.project_id(request.project)
    if len(request.rest) != 2:
        raise Malformed("the address of a check-in is /cron/SLUG/KEY/")
    slug, public_key = request.rest
    key = intake.keys.check(public_key, project_id, request.origin)
    sent = decode(request.body(), request.encoding, cap=check_ins.MOST_BYTES + 1)
    said = check_ins.from_request(slug, request.query, sent)
    count = count_check_ins(intake.stream, key)
    if count.over:
        intake.stream.append_beyond(tally(key.project_id, now(), [(MONITOR, RATE_LIMITED)], key_id=key.id))
        return answers.limited(count.limits, "too many check-ins with this key")
    entry = _entry(intake, request, key, CHECK_IN, msgspec.json.encode(said))
    try:
        intake.stream.append(replace(entry, encoding="", event_id=uuid.uuid4().hex))
    except StreamFull:
        return answers.limited([OVERLOAD], "too many events are waiting to be digested")
    return answers.taken()


def not_taken(_intake: Intake, request: Request) -> Answer:
    return answers.refusal(501, "crash dumps are not supported")


def _credentials(request: Request) -> authentication.Credentials | None:
    return authentication.credentials(
        x_sentry_auth=request.header("HTTP_X_SENTRY_AUTH"),
        authorization=request.header("HTTP_AUTHORIZATION"),
        query=request.query,
    )


def _dsn_within(body: bytes, encoding: str) -> object:
    """The DSN in the envelope's header, read from no more of the body than may hold it."""
    try:
        return parse_header(beginning(body, encoding, size=MAX_HEADER_BYTES + 1)).get("dsn")
    except Rejected as error:
        raise Unauthenticated("no key, and no envelope that could name one") from error


def _required_key(intake: Intake, request: Request) -> Key:
    project_id = authentication.project_id(request.project)
    found = authentication.agreed(_credentials(request), None, project_id=project_id)
    return _key(intake, request, found, project_id)


def _key(intake: Intake, request: Request, found: authentication.Credentials, project_id: int) -> Key:
    return intake.keys.check(found.public_key, project_id, request.origin)


def _entry(intake: Intake, request: Request, key: Key, kind: str, body: bytes) -> Entry:
    return Entry(
        project_id=key.project_id,
        kind=kind,
        received_at=now(),
        body=body,
        encoding=request.encoding,
        client_ip=request.client_address(intake.trusted_proxies),
        key_id=key.id,
    )


def _keep(intake: Intake, key: Key, envelope: Envelope, entry: Entry) -> Answer:
    """Append what may be kept, and say what may not."""
    if not envelope.items:
        return answers.accepted(envelope.event_id)
    types = [item.type for item in envelope.items]
    checks = types.count("check_in")
    checked = count_check_ins(intake.stream, key, checks) if checks else WITHIN
    if checked.over and checks == len(types):
        intake.stream.append_beyond(_loss(entry, envelope, RATE_LIMITED))
        return answers.limited(checked.limits, "too many check-ins with this key")
    event_id = envelope.event_id or (uuid.uuid4().hex if envelope.event else None)
    count = WITHIN
    if not LIMITED.isdisjoint(types):
        count = count_event(intake.stream, key, has_feedback=not FEEDBACK_TYPES.isdisjoint(types))
    entry = replace(entry, event_id=event_id, limited=count.over, checks_limited=checked.over)
    try:
        intake.stream.append(_without_lost_body(entry, envelope))
    except StreamFull as full:
        if full.tally_fits:
            intake.stream.append_beyond(_loss(entry, envelope, OVERLOADED))
        return answers.limited([OVERLOAD], "too many events are waiting to be digested")
    limits = count.limits + checked.limits
    if count.over:
        return answers.limited(limits, "too many events with this key")
    return answers.accepted(event_id, limits)


def _without_lost_body(entry: Entry, envelope: Envelope) -> Entry:
    """What is limited goes with an event over its limit; only if more came along is the body needed."""
    if entry.limited and all(item.type in LIMITED for item in envelope.items):
        return _loss(entry, envelope, RATE_LIMITED)
    return entry


def _loss(entry: Entry, envelope: Envelope, outcome: str) -> Entry:
    counted = [(category_of(item.type), outcome) for item in envelope.items]
    return tally(entry.project_id, entry.received_at, counted, key_id=entry.key_id)
