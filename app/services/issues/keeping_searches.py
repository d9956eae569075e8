"""Searches that people keep: saved under a name, pinned as the first thing seen, or only made lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import cast, delete, literal, null, select, union_all
from sqlalchemy.orm import Session

from app.domain import search
from app.domain.errors import NotFound, Refused
from app.domain.search import BadSearch
from app.models import Organization, PinnedSearch, RecentSearch, SavedSearch, User
from app.models.base import BigKey, UtcDateTime
from app.services import access, limiting
from app.services.issues import finding
from app.services.issues.finding import Scope
from app.services.releases import releasing
from app.services.releases.releases import OFFERED
from app.services.upserting import insert_into

LONGEST_NAME, MOST_RECENT, MOST_OWN = 128, 8, 50
# Who may keep a search for everybody: `roles.LOWEST`.
FOR_EVERYBODY = "edit_organization"
REMEMBERED = timedelta(days=30)
BUILT_IN = (
    ("Unresolved", "is:unresolved"),
    ("Needs triage", "is:unresolved is:unassigned"),
    ("Assigned to me", "is:unresolved assigned:me"),
    ("My bookmarks", "is:unresolved bookmarks:me"),
    ("New today", "is:unresolved age:-24h"),
)
PINNED, ENVIRONMENT, RELEASE = "pinned", "environment", "release"


@dataclass(frozen=True, slots=True)
class Named:
    """A search of the list to choose from. Built-in ones have no id; `is_everybodys` of saved ones only."""

    name: str
    query: str
    sort: str | None = None
    id: int | None = None
    is_everybodys: bool = False


@dataclass(frozen=True, slots=True)
class Pin:
    query: str
    sort: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What a person chooses from, the last used first; unnamed searches made lately; their pin."""

    named: Sequence[Named]
    recent: Sequence[str]
    pin: Pin | None
    may_share: bool  # save for everybody, and delete what is everybody's

    def deletable(self) -> Sequence[Named]:
        """The saved ones which this person may delete."""
        own = [each for each in self.named if each.id is not None]
        return [each for each in own if self.may_share or not each.is_everybodys]


@dataclass(frozen=True, slots=True)
class Beside:
    """What a list is shown with: the person's pin, and the environments and releases to choose from.

    Of the releases the newest come first; there may be `more_releases`.
    """

    pin: Pin | None
    environments: Sequence[str]
    releases: Sequence[str]
    more_releases: bool


def beside(session: Session, scope: Scope) -> Beside:
    """One query, for every list asks."""
    mine = PinnedSearch.user_id == scope.user.id, PinnedSearch.organization_id == scope.organization.id
    environments = finding.environments(scope).subquery()
    newest = releasing.recent(session, scope.places).subquery()
    nothing = literal(""), cast(null(), UtcDateTime), cast(null(), BigKey)
    pinned = select(literal(PINNED).label("kind"), PinnedSearch.query, PinnedSearch.sort, *nothing[1:])
    named = select(literal(ENVIRONMENT), environments.c.name, *nothing)
    released = select(literal(RELEASE), newest.c.version, literal(""), newest.c.at, newest.c.id)
    rows = session.execute(union_all(pinned.where(*mine), named, released)).all()
    pin = next((Pin(query, sort) for kind, query, sort, *_ in rows if kind == PINNED), None)
    dated = sorted(
        ((at, number, name) for kind, name, _, at, number in rows if kind == RELEASE), reverse=True
    )
    return Beside(
        pin,
        sorted(name for kind, name, *_ in rows if kind == ENVIRONMENT),
        [name for *_, name in dated[:OFFERED]],
        len(dated) > OFFERED,
    )


def kept(session: Session, organization: Organization, user: User) -> Kept:
    """Four queries."""
    lately = recent(session, organization, user)
    named = [
        *(Named(name, query) for name, query in BUILT_IN),
        *(
            Named(row.name, row.query, row.sort, row.id, row.user_id is None)
            for row in sorted(saved(session, organization, user), key=lambda row: row.name.casefold())
        ),
    ]
    used = {query: -place for place, query in enumerate(lately)}
    named.sort(key=lambda each: used.get(each.query, -len(lately)), reverse=True)
    known = {each.query for each in named}
    return Kept(
        named,
        [query for query in lately if query not in known],
        pinned(session, organization, user),
        access.can(session, user, organization, FOR_EVERYBODY),
    )


def recent(session: Session, organization: Organization, user: User) -> Sequence[str]:
    """What the person searched for there, the last first."""
    mine = (RecentSearch.organization_id == organization.id) & (RecentSearch.user_id == user.id)
    found = select(RecentSearch.query).where(mine).order_by(RecentSearch.used_at.desc())
    return session.scalars(found.limit(MOST_RECENT)).all()


def pinned(session: Session, organization: Organization, user: User) -> Pin | None:
    row = session.get(PinnedSearch, (organization.id, user.id))
    return Pin(row.query, row.sort) if row else None


def saved(session: Session, organization: Organization, user: User) -> Sequence[SavedSearch]:
    """The person's own, and everybody's, by name."""
    found = select(SavedSearch).where(
        SavedSearch.organization_id == organization.id,
        (SavedSearch.user_id == user.id) | SavedSearch.user_id.is_(None),
    )
    return session.scalars(found.order_by(SavedSearch.name, SavedSearch.id)).all()


@dataclass(frozen=True, slots=True)
class Wish:
    name: str
    query: str
    sort: str = "date"
    for_everybody: bool = False


def save(session: Session, organization: Organization, wish: Wish, *, by: User, now: datetime) -> SavedSearch:
    """`Refused` with the field at fault: a name is unique among one's own, or among everybody's."""
    name, query = " ".join(wish.name.split()), wish.query.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Refused(f"Give the search a name of at most {LONGEST_NAME} characters.", field="name")
    _check(query, wish.sort)
    if wish.for_everybody and not access.can(session, by, organization, FOR_EVERYBODY):
        raise Refused("Only owners and managers save searches for everybody.", field="visibility")
    owner = None if wish.for_everybody else by.id
    others = SavedSearch.user_id.is_(None) if owner is None else SavedSearch.user_id == owner
    here = SavedSearch.organization_id == organization.id
    full = Refused(f"{MOST_OWN} searches are kept at most. Delete one first.", field="name")
    theirs = select(SavedSearch.id).where(here, others)
    limiting.check_room(session, organization if owner is None else by, theirs, MOST_OWN, full)
    if session.scalar(theirs.where(SavedSearch.name == name)) is not None:
        raise Refused(f"There is a search “{name}” already.", field="name")
    row = SavedSearch(
        organization_id=organization.id,
        user_id=owner,
        name=name,
        query=query,
        sort=wish.sort,
        created_by_id=by.id,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def _check(query: str, sort: str) -> None:
    try:
        search.parse(query)
    except BadSearch as error:
        raise Refused(str(error), field="query") from None
    if sort not in finding.SORTS:
        raise Refused(f"Sort by one of {', '.join(finding.SORTS)}.", field="sort")


def remove(session: Session, organization: Organization, search_id: int, *, by: User) -> str:
    """Its name; `NotFound` for what is another person's, or everybody's and not this person's to delete."""
    row = session.get(SavedSearch, search_id)
    if row is None or row.organization_id != organization.id or row.user_id not in (None, by.id):
        raise NotFound
    if row.user_id is None and not access.can(session, by, organization, FOR_EVERYBODY):
        raise NotFound
    session.delete(row)
    return row.name


def pin(session: Session, organization: Organization, user: User, *, query: str, sort: str) -> None:
    """From now on this person sees it first in every list of the organization."""
    _check(query, sort)
    row = {"organization_id": organization.id, "user_id": user.id, "query": query.strip(), "sort": sort}
    statement = insert_into(session, PinnedSearch)
    latest = {name: statement.excluded[name] for name in ("query", "sort")}
    session.connection().execute(
        statement.on_conflict_do_update(index_elements=["organization_id", "user_id"], set_=latest), [row]
    )


def unpin(session: Session, organization: Organization, user: User) -> bool:
    """What is unresolved comes first again; False if nothing was pinned."""
    mine = (PinnedSearch.organization_id == organization.id) & (PinnedSearch.user_id == user.id)
    gone = session.scalar(delete(PinnedSearch).where(mine).returning(PinnedSearch.user_id))
    return gone is not None


def note_use(session: Session, organization_id: int, user_id: int, query: str, *, now: datetime) -> None:
    """Remember a search as the last one made. One statement; `forget_old` takes away what nobody needs."""
    row = {
        "organization_id": organization_id,
        "user_id": user_id,
        "digest": sha256(query.encode()).hexdigest(),
        "query": query,
        "used_at": now,
    }
    statement = insert_into(session, RecentSearch)
    keys = ["organization_id", "user_id", "digest"]
    latest = {"used_at": statement.excluded.used_at}
    session.connection().execute(statement.on_conflict_do_update(index_elements=keys, set_=latest), [row])


def forget(session: Session, organization: Organization, user: User) -> None:
    """All that the person searched for lately there."""
    mine = (RecentSearch.organization_id == organization.id) & (RecentSearch.user_id == user.id)
    session.execute(delete(RecentSearch).where(mine))


def forget_old(session: Session, *, now: datetime) -> None:
    session.execute(delete(RecentSearch).where(RecentSearch.used_at < now - REMEMBERED))
