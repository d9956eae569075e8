"""Searches that people keep, as the pages offer them."""

from flask import jsonify

from app.api import orders
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import me, needs
from app.api.describing import Page, describes
from app.api.paging import whole_list
from app.api.places import visible_organization
from app.api.reading import Json, body, known_members, text
from app.api.types.searches import NewSearchJson, PinJson, SearchJson
from app.clock import now
from app.db import db
from app.domain import timestamps
from app.domain.errors import NotFound
from app.domain.ids import parse_id
from app.models import SavedSearch
from app.services.issues import keeping_searches
from app.services.issues.keeping_searches import BUILT_IN, Pin, Wish

EVERYBODYS, OWN = "organization", "owner"


@bp.get("/organizations/<org>/searches/")
@needs("event:read")
@describes({200: Page[SearchJson]})
def searches(org: str) -> Answer:
    """The searches that there are to choose from.

    Those that are built in, everybody's, and the person's own.
    """
    organization = visible_organization(org)
    pin = keeping_searches.pinned(db.session, organization, me())
    rows = keeping_searches.saved(db.session, organization, me())
    built_in = [_shape(None, name, query, pin) for name, query in BUILT_IN]
    return whole_list([*built_in, *(_shape(row, row.name, row.query, pin) for row in rows)])


@bp.post("/organizations/<org>/searches/")
@needs("event:write")
@describes({201: SearchJson}, body=NewSearchJson)
def create_search(org: str) -> Answer:
    """Keep a search under a name.

    For oneself, or with the visibility `organization` for everybody, which is for owners and managers.
    """
    organization, given = visible_organization(org), body()
    known_members(given, "name", "query", "sort", "visibility")
    visibility = text(given, "visibility") or OWN
    if visibility not in (OWN, EVERYBODYS):
        raise Invalid(f"There is no visibility {visibility}. There are {OWN} and {EVERYBODYS}.", "visibility")
    wish = Wish(text(given, "name"), _query(given), _sort(given), visibility == EVERYBODYS)
    row = keeping_searches.save(db.session, organization, wish, by=me(), now=now())
    pin = keeping_searches.pinned(db.session, organization, me())
    db.session.commit()
    return jsonify(_shape(row, row.name, row.query, pin)), 201


@bp.delete("/organizations/<org>/searches/<search_id>/")
@needs("event:write")
@describes({204: None})
def delete_search(org: str, search_id: str) -> Answer:
    """Delete a search that was saved.

    One's own; owners and managers delete everybody's too.
    """
    number = parse_id(search_id)
    if number is None:
        raise NotFound
    keeping_searches.remove(db.session, visible_organization(org), number, by=me())
    db.session.commit()
    return "", 204


@bp.put("/organizations/<org>/pinned-searches/")
@needs("event:write")
@describes({200: SearchJson}, body=PinJson)
def pin_search(org: str) -> Answer:
    """Choose what to see first in all lists of the organization."""
    organization, given = visible_organization(org), body()
    known_members(given, "query", "sort", "type")
    pin = Pin(_query(given), _sort(given))
    keeping_searches.pin(db.session, organization, me(), query=pin.query, sort=pin.sort)
    db.session.commit()
    return jsonify(_shape(None, "", pin.query, pin))


@bp.delete("/organizations/<org>/pinned-searches/")
@needs("event:write")
@describes({204: None})
def unpin_search(org: str) -> Answer:
    """See what is unresolved first again."""
    if not keeping_searches.unpin(db.session, visible_organization(org), me()):
        raise NotFound
    db.session.commit()
    return "", 204


def _query(given: Json) -> str:
    if "query" not in given:
        raise Invalid("Say what is searched for; everything is an empty text.", "query")
    return text(given, "query")


def _sort(given: Json) -> str:
    return orders.read(text(given, "sort"), member="sort")


def _shape(row: SavedSearch | None, name: str, query: str, pin: Pin | None) -> SearchJson:
    return {
        "id": str(row.id) if row else None,
        "name": name,
        "query": query,
        "sort": orders.written(row.sort if row else pin.sort if pin and not name else "date"),
        "visibility": "owner" if row is None or row.user_id else "organization",
        "isGlobal": row is None and name != "",
        "isPinned": pin is not None and pin.query == query,
        "dateCreated": timestamps.format(row.created_at) if row else None,
    }
