"""What SDKs are answered: JSON with the CORS headers that browsers insist on, whatever happened."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from app.domain.ratelimits import RateLimit, header
from app.domain.rejections import Rejected

Headers = tuple[tuple[str, str], ...]

_CORS: Headers = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "x-sentry-error, x-sentry-rate-limits, retry-after"),
)
_PREFLIGHT: Headers = (
    (
        "Access-Control-Allow-Headers",
        "x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, accept, content-type, "
        "authentication, authorization, content-encoding, transfer-encoding",
    ),
    ("Access-Control-Max-Age", "3600"),
)
# The smallest picture there is: what an <img> that carries an event gets back.
_PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Headers = ()

    @property
    def status_line(self) -> str:
        return _STATUS_LINES[self.status]

    def all_headers(self) -> list[tuple[str, str]]:
        return [
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            *_CORS,
            *self.headers,
        ]


def accepted(event_id: str | None, limits: Iterable[RateLimit] = ()) -> Answer:
    body = b'{"id":"%s"}' % event_id.encode() if event_id else b"{}"
    return Answer(200, body, headers=_limit_headers(limits))


def taken() -> Answer:
    return Answer(202, b"{}")


def pixel() -> Answer:
    return Answer(200, _PIXEL, "image/gif")


def preflight(methods: str) -> Answer:
    return Answer(204, b"", headers=(("Access-Control-Allow-Methods", methods), *_PREFLIGHT))


def refusal(status: int, detail: str, causes: Iterable[str] = (), *, headers: Headers = ()) -> Answer:
    body = {"detail": detail, "causes": list(causes)} if causes else {"detail": detail}
    # A header is one line of Latin-1; the body tells the same without losing anything.
    line = " ".join(detail.split()).encode("ascii", "replace").decode()
    return Answer(status, msgspec.json.encode(body), headers=(("X-Sentry-Error", line), *headers))


def rejected(error: Rejected) -> Answer:
    return refusal(error.status, error.detail, error.causes)


def wrong_method(allowed: str) -> Answer:
    return refusal(405, f"the method is not allowed here: use {allowed}", headers=(("Allow", allowed),))


def limited(limits: Iterable[RateLimit], detail: str) -> Answer:
    limits = tuple(limits)
    wait = str(max(limit.retry_after for limit in limits))
    return refusal(429, detail, headers=(("Retry-After", wait), *_limit_headers(limits)))


def _limit_headers(limits: Iterable[RateLimit]) -> Headers:
    value = header(limits)
    return (("X-Sentry-Rate-Limits", value),) if value else ()


def said(answer: Answer) -> str:
    """The words of a refusal."""
    detail: str = msgspec.json.decode(answer.body)["detail"]
    return detail
