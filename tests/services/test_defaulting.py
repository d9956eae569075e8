"""The instance's defaults: for those who chose nothing, with the effect told before."""

import pytest
from sqlalchemy import select

from app.domain.errors import Refused, Stale
from app.models import NotificationDefault, NotificationSetting, QuietHours, SettingAudit
from app.services.preferences import defaulting, preferring

pytestmark = pytest.mark.both_databases
# Of the cast: alice, bob, cy and charlie. Dee is in no team.
EVERYBODY = 4


@pytest.fixture
def set_default(session, cast, now):
    def choose(category, value, *, kind="", version=0):
        defaulting.choose(session, category, kind, value, version=version, by=cast.alice, now=now)

    return choose


def line(session, category, kind="", workflow="always"):
    found = defaulting.lines(session, workflow=workflow)
    return next(each for each in found if (each.category, each.kind) == (category, kind))


def test_a_default_holds_for_those_who_chose_nothing(session, make, cast, set_default):
    make.choice(cast.bob, "workflow", "always")
    set_default("workflow", "never")
    instance = preferring.defaults(session, workflow="always")
    people = [cast.alice.id, cast.bob.id, cast.cy.id]
    held = preferring.choices(session, people, cast.shop.id, instance)
    assert [held[id_].workflow.value for id_ in people] == ["never", "always", "never"]


def test_changing_a_default_touches_nobodys_choices(session, make, cast, set_default):
    make.choice(cast.bob, "alerts", "on")
    make.choice(cast.cy, "alerts", "off", project=cast.shop)
    before = [(row.id, row.value, row.version) for row in session.scalars(select(NotificationSetting))]
    set_default("alerts", "off")
    assert [
        (row.id, row.value, row.version) for row in session.scalars(select(NotificationSetting))
    ] == before


def test_each_line_says_how_many_follow_it(session, make, cast):
    make.choice(cast.bob, "workflow", "never")
    make.choice(cast.cy, "workflow", "never", project=cast.shop)
    make.user("Gone", is_active=False)
    found = line(session, "workflow")
    assert (found.following, found.people) == (EVERYBODY - 1, EVERYBODY)
    assert line(session, "workflow", "comments").following == EVERYBODY


EFFECTS = {
    "all workflow mail": ("workflow", "", "never", "3 people will stop getting workflow mail."),
    "alerts": ("alerts", "", "off", "4 people will stop getting alerts by mail."),
    "own activity": ("own_activity", "", "on", "4 people will get mail about what they do themselves."),
    "fatal alerts": (
        "fatal_rings",
        "",
        "off",
        "1 person will get fatal alerts only after their quiet hours.",
    ),
    "a kind": (
        "workflow",
        "comments",
        "off",
        "4 people will stop getting workflow mail of the kind “Comments”.",
    ),
    "what holds already": ("alerts", "", "on", "Nothing changes for anybody: it holds already."),
}


@pytest.mark.parametrize(("category", "kind", "value", "words"), EFFECTS.values(), ids=EFFECTS)
def test_the_effect_is_told_before(session, make, cast, category, kind, value, words):
    make.choice(cast.bob, "workflow", "participating")
    hours = QuietHours(user_id=cast.bob.id, days=[0], start_minute=0, end_minute=60)
    session.add(hours)
    session.flush()
    found = defaulting.effect(session, category, kind, value, workflow="always")
    assert found.words == words
    assert session.scalars(select(NotificationDefault)).all() == []


def test_every_change_that_can_be_made_has_words(session):
    for category, kind in defaulting.LINES:
        for value in (None, *preferring.values(category, kind)):
            assert defaulting.effect(session, category, kind, value, workflow="always").words


def test_going_back_leaves_no_row_and_the_environment_holds_again(session, set_default):
    set_default("workflow", "always")
    assert line(session, "workflow", workflow="never").now.value == "always"
    set_default("workflow", None, version=1)
    assert session.scalars(select(NotificationDefault)).all() == []
    assert line(session, "workflow", workflow="never").now.value == "never"


def test_a_default_that_was_changed_meanwhile_is_not_overwritten(session, set_default):
    set_default("alerts", "off")
    with pytest.raises(Stale):
        set_default("alerts", "on")
    assert line(session, "alerts").now.value == "off"


def test_every_change_is_in_the_log_with_who_made_it(session, set_default):
    set_default("alerts", "off")
    set_default("workflow", "off", kind="comments")
    assert [(change.sentence, change.by) for change in defaulting.log(session)] == [
        ("Comments: Default → Off", "Alice"),
        ("Alerts: Default → Off", "Alice"),
    ]
    assert {row.scope for row in session.scalars(select(SettingAudit))} == {"instance"}


REFUSED = {
    "no such category": ("security", "", "off"),
    "one that is nobody's default": ("subscription", "", "off"),
    "no such value": ("alerts", "", "never"),
    "no such kind": ("workflow", "weather", "off"),
}


@pytest.mark.parametrize(("category", "kind", "value"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_default_is_refused(session, set_default, category, kind, value):
    with pytest.raises(Refused):
        set_default(category, value, kind=kind)
    with pytest.raises(Refused):
        defaulting.effect(session, category, kind, value, workflow="always")


def test_the_page_takes_a_constant_number_of_queries(session, make, cast, count_statements):
    for person in (cast.alice, cast.bob, cast.cy):
        make.choice(person, "workflow", "never")
    with count_statements() as sent:
        defaulting.lines(session, workflow="always")
    assert len(sent) == 4


def test_those_whom_no_mail_reaches_are_not_counted(session, make, cast):
    make.user("Nowhere")
    for address in cast.cy.addresses:
        address.verified_at = None
    session.flush()
    assert line(session, "alerts").people == EVERYBODY - 1
    assert line(session, "fatal_rings").people == 0


def test_changing_a_default_says_what_it_was_and_its_version(session, cast, now):
    def change(value, version):
        return defaulting.choose(session, "alerts", "", value, version=version, by=cast.alice, now=now)

    assert change("off", 0) == (None, 1)
    assert change(None, 1) == ("off", 0)
    assert defaults_left(session) == []


def defaults_left(session):
    return session.scalars(select(NotificationDefault)).all()
