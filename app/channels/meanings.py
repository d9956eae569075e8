"""From what happened to what it means: one place for all channels that call over HTTP."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from app.channels.base import Answer, Outcome
from app.channels.http import Blocked, Reply, header
from app.domain import outward
from app.domain.message import clean

LONGEST_WAIT = timedelta(hours=1)
# The other side is there, but slow down.
BUSY = (429, 503)
AGAIN = (408, 425)
OURS = (400, 413, 422)

Meaning = Callable[[Reply], Answer]


def blocked(request: str = "") -> Answer:
    """An address that Tocsin does not call."""
    return Answer(Outcome.BLOCKED, "blocked", outward.NOT_ALLOWED, request, advice=outward.NOT_ALLOWED)


def attempt(send: Callable[[], Reply], meaning: Meaning, *, request: str) -> Answer:
    """One try, whatever becomes of it. `request` is shown in the log."""
    try:
        reply = send()
    except Blocked:
        return blocked(request)
    except (HTTPError, OSError) as error:
        code, words = _words(error)
        return Answer(Outcome.RETRY, code, words, request, is_unsure=_may_have_arrived(error))
    return _with(reply, meaning(reply), request)


def _with(reply: Reply, answer: Answer, request: str) -> Answer:
    return replace(
        answer,
        code=answer.code or str(reply.status),
        response=answer.response or reply.text,
        request=request,
        milliseconds=reply.milliseconds,
        peer=reply.peer,
    )


def usual(reply: Reply, *, now: datetime) -> Answer:
    """What a status means where a service says nothing else about it."""
    status = reply.status
    if 200 <= status < 300:
        return Answer(Outcome.DELIVERED)
    if status in BUSY:
        wait = retry_after(reply.headers, now=now)
        return Answer(Outcome.RETRY_AT if wait else Outcome.RETRY, retry_after=wait)
    if status in OURS:
        return Answer(Outcome.BAD_MESSAGE)
    if status == 410:
        return Answer(Outcome.BROKEN, advice="The other side says that the address is gone for good (410).")
    if 300 <= status < 400:
        return Answer(Outcome.RETRY, advice=moved(reply))
    if status in AGAIN or status >= 500:
        return Answer(Outcome.RETRY)
    return Answer(Outcome.DOUBTFUL, advice=f"The other side answered {status}.")


def moved(reply: Reply) -> str:
    """Redirects are not followed: whoever set the address up should know where to it has moved."""
    location = clean(reply.header("location")) if reply.may_show else ""
    bare = location.partition("?")[0].partition("#")[0][:200]
    to = f" to {bare}" if bare else ""
    return f"The address redirects{to}, which is not followed. Enter the new address."


def retry_after(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """Seconds, or a date; an hour at most."""
    text = header(headers, "retry-after").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(timedelta(seconds=int(text)), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(at - now, timedelta()), LONGEST_WAIT)


def _words(error: Exception) -> tuple[str, str]:
    """A code and a sentence that name no address: it may be part of a secret."""
    if isinstance(error, NameResolutionError):
        return "dns", "The name could not be resolved."
    if isinstance(error, SSLError | ssl.SSLError):
        return "tls", f"No secure connection: {_tls_reason(error)}"
    if isinstance(error, ReadTimeoutError | TimeoutError) and not isinstance(error, ConnectTimeoutError):
        return "timeout", "No answer in time."
    if isinstance(error, ConnectTimeoutError):
        return "connect", "No connection in time."
    if isinstance(error, NewConnectionError):
        return "connect", "The connection was refused, or there is no way to the address."
    if isinstance(error, ProtocolError):
        return "cut", "The connection was cut before there was an answer."
    return "error", f"It did not work: {type(error).__name__}."


def _tls_reason(error: BaseException) -> str:
    cause = error.args[0] if error.args and isinstance(error.args[0], BaseException) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate is not good: {cause.verify_message}."
    return "the other side speaks no TLS that is understood."


def _may_have_arrived(error: Exception) -> bool:
    """Whether the request had been sent when it went wrong."""
    never = NameResolutionError | NewConnectionError | ConnectTimeoutError | SSLError | ssl.SSLError
    return not isinstance(error, never)
