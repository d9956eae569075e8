"""How many events a project received and rejected, hour by hour or day by day (`web-api.md` 4)."""

from datetime import UTC, datetime, timedelta

from flask import jsonify, request

from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import needs
from app.api.describing import Query, describes
from app.api.places import visible_project
from app.api.types.feedback import PointJson
from app.clock import now
from app.db import db
from app.domain import timestamps
from app.services.events import traffic

STEPS = {"1h": traffic.HOUR, "1d": traffic.DAY}
USUAL = timedelta(days=1)
EPOCH, FAR = datetime(1970, 1, 1, tzinfo=UTC), timedelta(days=365 * 200)
# Of points in an answer: a quarter of a year of hours, six years of days.
MOST = 2200
QUERIES = (
    Query("stat", f"One of: {', '.join(traffic.STATS)}; received, if absent.", example="rejected"),
    Query("since", "Seconds since 1970, or a date. A day before `until`, if absent.", example="1795392000"),
    Query("until", "Likewise. Now, if absent."),
    Query("resolution", f"One of: {', '.join(STEPS)}; 1h, if absent.", example="1d"),
)


@bp.get("/projects/<org>/<proj>/stats/")
@needs("project:read")
@describes({200: list[PointJson]}, query=QUERIES)
def stats(org: str, proj: str) -> Answer:
    """How many events came in.

    Pairs of a time, in seconds since 1970, and a number. `received` are all that came in with a valid key,
    each counted once; `rejected` those of them that were not kept: over a limit, of a discarded issue, not
    readable.
    """
    project = visible_project(org, proj)
    step = STEPS[_one_of("resolution", tuple(STEPS), "1h")]
    stat = _one_of("stat", tuple(traffic.STATS), "received")
    until = _moment("until", now())
    since = _moment("since", until - USUAL)
    if since > until:
        raise Invalid("since must not be after until.")
    if (until - since) / step > MOST:
        raise Invalid(f"At most {MOST} points: ask for less, or for a resolution of 1d.")
    found = traffic.series(db.session, project, stat, since=since, until=until, step=step)
    return jsonify([[int(at.timestamp()), count] for at, count in found])


def _one_of(name: str, choices: tuple[str, ...], usual: str) -> str:
    chosen = request.args.get(name) or usual
    if chosen not in choices:
        raise Invalid(f"{name} must be one of: {', '.join(choices)}.")
    return chosen


def _moment(name: str, usual: datetime) -> datetime:
    given = request.args.get(name)
    at = timestamps.parse(given) if given else usual
    if at is None or not EPOCH <= at < EPOCH + FAR:
        raise Invalid(f"{name} must be seconds since 1970, or a date such as 2026-11-23T15:00:00Z.")
    return at
