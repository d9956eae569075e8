"""What an empty list offers: the same search without one of its terms, or asking for less exactly."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import Response

from app.clock import now
from app.db import db
from app.domain.resolutions import LATEST
from app.domain.search import BadSearch
from app.domain.search.pieces import Piece, pieces
from app.services.issues import finding, widening
from app.services.issues.finding import Scope
from app.web.hypermedia import fragments
from app.web.identity import login_required
from app.web.issues.asking import PERIODS, Asked, address_of, query_of, scope_at, slug_of, what_is_asked
from app.web.issues.blueprint import bp

MOST_WIDER, MOST_CLEARED = 3, 4


@dataclass(frozen=True, slots=True)
class Way:
    """A list that may hold more; `what` is written in the search (`is_typed`) or selected beside it."""

    asked: Asked
    what: str
    clears: bool = True
    is_typed: bool = True
    address: str = ""
    shown: str | None = None  # how many issues, once they are counted


@dataclass(frozen=True, slots=True)
class Widening:
    ways: Sequence[Way]
    is_counted: bool = False
    unknown_tags: Sequence[str] = ()


def shown(count: int | None) -> str | None:
    """A number of issues that was counted up to the limit."""
    if count is None:
        return None
    return f"{count - 1}+" if count == finding.COUNTED_UP_TO else str(count)


@bp.get("/<org>/<slug>/wider")
@login_required
def wider(org: str, slug: str) -> Response:
    """The ways out of an empty list with their numbers, which the page does not wait for."""
    scope, asked = scope_at(org, slug), what_is_asked()
    return fragments(
        "issues/_widening.html",
        otherwise=address_of(scope, asked),
        org=scope.organization,
        slug=slug_of(scope),
        asked=asked,
        widening=_counted(scope, asked),
    )


def uncounted(scope: Scope, asked: Asked) -> Widening | None:
    """None for a page beyond the first, and where nothing was asked for."""
    ways = [] if asked.cursor or asked.is_default else _ways(scope, asked, pieces(asked.text))
    return Widening(ways) if ways else None


def _counted(scope: Scope, asked: Asked) -> Widening:
    """Only what would show anything."""
    try:
        apart = pieces(asked.text)
    except BadSearch:
        return Widening((), is_counted=True)
    ways = _ways(scope, asked, apart)
    searches = [(_scope_of(scope, way.asked), query_of(scope, way.asked)) for way in ways]
    numbers = widening.counts(db.session, searches, now=now())
    tags = [piece.tag for piece in apart if piece.tag][:MOST_CLEARED]
    found = [replace(way, shown=shown(number)) for way, number in zip(ways, numbers, strict=True) if number]
    return Widening(found, True, widening.unknown_tags(db.session, scope, tags))


def _scope_of(scope: Scope, asked: Asked) -> Scope:
    return scope if asked.project else replace(scope, project_ids=())


def _ways(scope: Scope, asked: Asked, apart: Sequence[Piece]) -> Sequence[Way]:
    wider = [
        Way(replace(asked, text=piece.with_wider), piece.wider, clears=False)
        for piece in apart
        if piece.wider
    ]
    cleared = [Way(replace(asked, text=piece.without), piece.written) for piece in apart]
    found = [*wider[:MOST_WIDER], *cleared[:MOST_CLEARED], *_selected(asked)]
    return [replace(way, address=address_of(scope, way.asked)) for way in found]


def _selected(asked: Asked) -> Sequence[Way]:
    chosen = {
        "environment": asked.environment,
        "release": "latest release"
        if asked.release == LATEST
        else asked.release and f"release {asked.release}",
        "project": asked.project,
        "period": asked.period and PERIODS[asked.period][0].lower(),
    }
    without = {
        "environment": replace(asked, environment=""),
        "release": replace(asked, release=""),
        "project": replace(asked, project=""),
        "period": replace(asked, period=""),
    }
    return [Way(without[name], value, is_typed=False) for name, value in chosen.items() if value]
