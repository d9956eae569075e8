"""Limits hold for those who come at the same time, too."""

import pytest
from sqlalchemy import func, select

from app.domain.errors import Refused
from app.models import ApiToken, Monitor, Organization, Project, PushHook, SavedSearch, User
from app.services.issues import keeping_searches
from app.services.monitors import monitor_rows, monitoring
from app.services.people import tokens
from app.services.releases import pushing
from app.services.sealing import Seal

pytestmark = pytest.mark.on_postgresql


def monitor(name):
    typed = {"kind": "crontab", "schedule": "0 3 * * *", "zone": "UTC", "margin": "1", "max_runtime": "30"}
    return monitoring.Wishes(name=name, **typed, failures="1", recoveries="1")


def search(own, acme, _shop, alice, name, now):
    keeping_searches.save(own, acme, keeping_searches.Wish(name, "is:unresolved"), by=alice, now=now)


def searches_of_all(own, acme, _shop, alice, name, now):
    wish = keeping_searches.Wish(name, "is:unresolved", for_everybody=True)
    keeping_searches.save(own, acme, wish, by=alice, now=now)


def token(own, _acme, _shop, alice, name, now):
    tokens.give_person(own, alice, name=name, by=alice, now=now)


def token_of_all(own, acme, _shop, alice, name, now):
    tokens.give_organization(own, acme, name=name, url="https://tocsin.example.org", by=alice, now=now)


def hook(own, acme, _shop, alice, _name, now):
    pushing.add(own, acme, "github", Seal(["k" * 32]), by=alice, now=now)


def job(own, _acme, shop, _alice, name, now):
    monitoring.create(own, shop, name, monitor(name), now=now)


@pytest.mark.parametrize(
    ("makes", "limit", "model"),
    [
        (search, (keeping_searches, "MOST_OWN"), SavedSearch),
        (searches_of_all, (keeping_searches, "MOST_OWN"), SavedSearch),
        (token, (tokens, "MOST"), ApiToken),
        (token_of_all, (tokens, "MOST"), ApiToken),
        (hook, (pushing, "MOST_HOOKS"), PushHook),
        (job, (monitor_rows, "MOST_MONITORS"), Monitor),
    ],
)
def test_of_two_who_make_the_last_one_at_once_one_is_refused(
    side_by_side, session, cast, now, monkeypatch, makes, limit, model
):
    monkeypatch.setattr(*limit, 1)
    ids = cast.acme.id, cast.shop.id, cast.alice.id
    session.commit()

    def act(name):
        def run(own):
            places = zip((Organization, Project, User), ids, strict=True)
            makes(own, *(own.get_one(kind, id_) for kind, id_ in places), name, now)

        return run

    raised = side_by_side(act("one"), act("two"), meeting=f"INSERT INTO {model.__tablename__}")
    assert [type(each) for each in raised if each] == [Refused]
    assert session.scalar(select(func.count()).select_from(model)) == 1
