"""Searches that people keep: whose they are, what stands first, what is refused."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.errors import NotFound, Refused
from app.models import Release, ReleaseProject
from app.services.issues import keeping_searches
from app.services.issues.finding import Scope
from app.services.issues.keeping_searches import BUILT_IN, MOST_RECENT, REMEMBERED, Wish
from app.services.releases import releasing
from app.services.releases.releases import OFFERED
from app.services.releases.releasing import Wishes

pytestmark = pytest.mark.both_databases


@pytest.fixture
def save(session, cast, now):
    def made(name="Loud", query="level:error", *, by, everybody=False, sort="date"):
        wish = Wish(name, query, sort, everybody)
        return keeping_searches.save(session, cast.acme, wish, by=by, now=now)

    return made


@pytest.fixture
def kept(session, cast):
    return lambda user: keeping_searches.kept(session, cast.acme, user)


def names(kept):
    return [each.name for each in kept.named]


def test_without_any_there_are_those_that_are_built_in(cast, kept):
    assert [(each.name, each.query) for each in kept(cast.bob).named] == list(BUILT_IN)


def test_ones_own_are_for_oneself_and_everybodys_for_everybody(cast, kept, save):
    save("Mine", by=cast.bob)
    save("Ours", by=cast.alice, everybody=True)
    assert set(names(kept(cast.bob))) - {name for name, _ in BUILT_IN} == {"Mine", "Ours"}
    assert set(names(kept(cast.dee))) - {name for name, _ in BUILT_IN} == {"Ours"}


def test_names_are_unique_among_ones_own_and_among_everybodys(cast, save):
    save(by=cast.alice)
    save(by=cast.bob)
    save(by=cast.alice, everybody=True)
    for everybody in (False, True):
        with pytest.raises(Refused, match="already"):
            save(by=cast.alice, everybody=everybody)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"query": "is:nothing"}, "query"),
        ({"sort": "loudness"}, "sort"),
        ({"everybody": True}, "visibility"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_field(cast, save, wish, field):
    with pytest.raises(Refused) as caught:
        save(**wish, by=cast.bob)
    assert caught.value.field == field


def test_everybodys_are_deleted_by_who_may_save_them_and_ones_own_by_oneself(session, cast, save):
    ours, mine = save(by=cast.alice, everybody=True), save(by=cast.bob)

    def remove(row, by):
        return keeping_searches.remove(session, cast.acme, row.id, by=by)

    for row, by in ((ours, cast.bob), (mine, cast.alice)):
        with pytest.raises(NotFound):
            remove(row, by)
    assert remove(ours, cast.alice) == remove(mine, cast.bob) == "Loud"


def test_what_was_used_last_comes_first(session, cast, kept, save, now):
    save("Loud", by=cast.bob)
    for minutes, query in enumerate(("level:error", "cart", "is:unresolved age:-24h", "cart")):
        at = now + timedelta(minutes=minutes)
        keeping_searches.note_use(session, cast.acme.id, cast.bob.id, query, now=at)
    found = kept(cast.bob)
    assert names(found)[:3] == ["New today", "Loud", "Unresolved"]
    assert found.recent == ["cart"]
    assert kept(cast.alice).recent == []


def test_only_the_last_few_are_offered_and_old_ones_are_forgotten(session, cast, kept, now):
    for number in range(MOST_RECENT + 3):
        at = now + timedelta(seconds=number)
        keeping_searches.note_use(session, cast.acme.id, cast.bob.id, f"word{number}", now=at)
    assert kept(cast.bob).recent == [f"word{number}" for number in range(MOST_RECENT + 2, 2, -1)]
    keeping_searches.forget_old(session, now=now + REMEMBERED + timedelta(seconds=MOST_RECENT))
    assert len(kept(cast.bob).recent) == 3


def test_releases_to_choose_from_are_the_newest_of_what_is_in_view(make, session, cast, now):
    """Also once they were finished, in whatever order; and those of others are not read."""
    second = make.project(cast.acme, "second", teams=[cast.team])
    hidden = make.project(cast.acme, "hidden")
    for number in range(OFFERED + 2):
        make.release(cast.shop, f"1.{number}", at=now + timedelta(minutes=number))
    both = make.release(second, "1.3")
    for project in (hidden, cast.other_shop):
        make.release(project, "9.0", at=now + timedelta(days=1))
    archived = make.release(second, "2.0", at=now + timedelta(days=2))
    releasing.change(session, archived, Wishes(status="archived"), by=None, now=now)
    releasing.change(session, both, Wishes(date_released=now + timedelta(days=3)), by=None, now=now)

    def offered(**narrowed):
        found = keeping_searches.beside(session, Scope(cast.bob, cast.acme, **narrowed))
        return list(found.releases), found.more_releases

    newest = [f"1.{number}" for number in range(OFFERED + 1, 2, -1) if number != 3]
    assert offered() == (["1.3", *newest, "1.2"], True)
    assert offered(project=cast.shop) == offered()
    assert offered(project=second) == offered(project_ids=[second.id]) == (["1.3"], False)
    links = select(ReleaseProject.ordered_at, Release).join(Release, Release.id == ReleaseProject.release_id)
    assert all(at == release.order_date for at, release in session.execute(links))


def test_one_search_is_pinned_at_a_time(session, cast, kept):
    for query in ("level:fatal", ""):
        keeping_searches.pin(session, cast.acme, cast.bob, query=query, sort="freq")
    assert (kept(cast.bob).pin.query, kept(cast.bob).pin.sort) == ("", "freq")
    assert kept(cast.alice).pin is None
    assert keeping_searches.unpin(session, cast.acme, cast.bob)
    assert not keeping_searches.unpin(session, cast.acme, cast.bob)
    assert kept(cast.bob).pin is None
