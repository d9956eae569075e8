"""Issue owners: whom lines stand for, and how they are saved, kept and restored."""

import pytest
from sqlalchemy import select

from app.domain import ownership
from app.domain.errors import NotFound, Refused
from app.domain.ownership_lines import OwnershipErrors
from app.models import EmailAddress, Ownership, OwnershipVersion
from app.services.owners import entrusting, owner_checks, owner_versions, owning, reassigning
from app.services.owners.entrusting import Wishes
from app.services.owners.owner_versions import File
from app.services.preferences.preferring import configured
from tests.support.growth import growth

pytestmark = pytest.mark.both_databases

INSTANCE = configured(workflow="always")


@pytest.fixture
def save(session, cast, now):
    def saved(raw=None, **wishes):
        return entrusting.save(
            session, cast.shop, Wishes(raw=raw, **wishes), by=cast.alice, via="page", now=now
        )

    return saved


def resolved(session, project, paths):
    rules = owning.rules_of(session, project.id).rules
    event = {"stacktrace": {"frames": [{"filename": path} for path in paths]}}
    return owning.resolve(session, project.id, ownership.match(rules, event, []))


# Whom they stand for


def test_owners_are_those_of_all_lines_in_their_order(session, cast, make):
    make.owners(cast.shop, "a/* bob@example.org\n*.py #shop-team cy@example.org")
    found = resolved(session, cast.shop, ["a/x.py"])
    assert found.users == {
        cast.bob.id: (1, "a/* bob@example.org", None),
        cast.alice.id: (2, "*.py #shop-team cy@example.org", "#shop-team"),
        cast.cy.id: (2, "*.py #shop-team cy@example.org", None),
    }
    assert next(iter(found.users)) == cast.bob.id
    assert list(found.teams) == [cast.team.id]
    assert found.unknown == []


def test_whoever_lost_access_or_left_is_unknown_from_then_on(session, cast, make):
    make.owners(cast.shop, "* bob@example.org #shop-team cy@example.org")
    cast.bob.is_active = False
    cast.shop.teams = []
    session.flush()
    found = resolved(session, cast.shop, ["x"])
    assert (found.users, found.teams) == ({}, {})
    assert found.unknown == ["bob@example.org", "#shop-team", "cy@example.org"]


def test_any_address_of_a_member_identifies_them_and_who_holds_it_comes_first(session, cast, make):
    make.owners(cast.shop, "* bob@example.org cy@example.org")
    for user in (cast.cy, cast.alice):
        session.add(EmailAddress(user_id=user.id, address="pay@example.org", verified_at=None))
        session.add(EmailAddress(user_id=user.id, address="bob@example.org", verified_at=None))
    session.flush()
    make.owners(cast.shop, "* Pay@Example.org bob@example.org")
    assert list(resolved(session, cast.shop, ["x"]).users) == [cast.cy.id, cast.bob.id]


def test_a_project_without_owners_tells_everybody_and_assigns_nothing(session, cast):
    found = owning.rules_of(session, cast.shop.id)
    assert (found.rules.lines, found.fallthrough, found.auto_assign, found.version) == ((), True, False, 0)


def test_the_owners_of_a_stored_event_are_found(session, cast, make):
    make.owners(cast.shop, "shop/* bob@example.org")
    event = make.event(make.issue(cast.shop))
    matches = owning.matches_of(owning.rules_of(session, cast.shop.id).rules, event)
    assert list(owning.resolve(session, cast.shop.id, matches).users) == [cast.bob.id]


def test_however_many_lines_and_owners_it_takes_three_queries(session, cast, make, count_statements):
    make.owners(cast.shop, "\n".join(f"{n}* #shop-team bob@example.org cy@example.org" for n in range(50)))
    event = make.event(make.issue(cast.shop))
    session.expire_all()
    owners = {"stacktrace": {"frames": [{"filename": f"{n}x"} for n in range(50)]}}
    with count_statements() as sent:
        rules = owning.rules_of(session, event.project_id).rules
        owning.resolve(session, event.project_id, ownership.match(rules, owners, []))
    assert len(sent) <= 4, sent  # one of them reads the event again


# Saving


def test_every_change_is_a_version_with_its_author_and_nothing_is_one_without_a_change(session, cast, save):
    made = save("* bob@example.org\r\n# end", auto_assign=True)
    assert (made.version, made.by_id, made.via) == (1, cast.alice.id, "page")
    assert save("* bob@example.org\n# end") is None
    assert save(fallthrough=False).version == 2
    row = session.get(Ownership, cast.shop.id)
    assert (row.raw, row.auto_assign, row.fallthrough) == ("* bob@example.org\n# end", True, False)


def test_a_text_that_names_somebody_without_access_is_refused_with_all_of_them(session, cast, save):
    with pytest.raises(OwnershipErrors) as raised:
        save("path:x nobody@example.com #nosuch\n* dee@example.org\ny\nz #shop-taem bobb@example.net")
    assert [str(each) for each in raised.value.problems] == [
        "line 1, column 8: no member with access to shop is called nobody@example.com.",
        "line 1, column 27: no team with access to shop is called #nosuch.",
        "line 2, column 3: no member with access to shop is called dee@example.org.",
        "line 3, column 2: an owner is missing: name a #team or a mail address after the pattern",
        "line 4, column 3: no team with access to shop is called #shop-taem. Did you mean #shop-team?",
        "line 4, column 14: no member with access to shop is called bobb@example.net. "
        "Did you mean bob@example.org?",
    ]
    assert session.scalars(select(OwnershipVersion)).all() == []
    assert session.get(Ownership, cast.shop.id) is None


def test_switches_can_be_changed_though_somebody_has_left(session, cast, save):
    save("* bob@example.org")
    cast.bob.is_active = False
    session.flush()
    assert save("* bob@example.org", auto_assign=True).version == 2


def test_who_began_with_an_older_version_overwrites_nothing(save):
    save("* bob@example.org")
    with pytest.raises(Refused, match="Somebody else saved"):
        save("* cy@example.org", seen=0)
    assert save("* cy@example.org", seen=1).version == 2


def test_an_earlier_version_can_be_restored(session, cast, save, now):
    save("* bob@example.org\na #shop-team", file=File(raw="* @bob", names={"@bob": "bob@example.org"}))
    save("* cy@example.org\na #shop-team", fallthrough=False, without_file=True)
    assert [
        (each.sign, each.text, each.line) for each in owner_versions.of(session, cast.shop)[0].changes
    ] == [
        ("-", "* bob@example.org", 1),
        ("+", "* cy@example.org", 1),
        ("+", "when no line matches: nobody is told", None),
        ("-", "CODEOWNERS", None),
    ]
    made = entrusting.restore(session, cast.shop, 1, by=cast.bob, via="page", now=now)
    assert made.version == 3
    assert made.content == owner_versions.find(session, cast.shop, 1).content
    with pytest.raises(NotFound):
        entrusting.restore(session, cast.shop, 9, by=cast.bob, via="page", now=now)


def test_imported_lines_come_before_those_that_people_wrote(session, cast, save):
    save(
        "src/* #shop-team",
        file=File(raw="*.py @acme/shop-team\n*.js @no", names={"@acme/shop-team": "#shop-team"}),
    )
    rules = owning.rules_of(session, cast.shop.id).rules
    assert [line.text for line in rules.lines] == ["*.py @acme/shop-team", "src/* #shop-team"]
    found = resolved(session, cast.shop, ["src/a.py"])
    assert found.teams[cast.team.id] == (1, "CODEOWNERS: *.py @acme/shop-team", "#shop-team")


def test_a_file_maps_its_names_to_people_with_access_only(session, cast, save):
    names = ["@bob", "@acme/shop-team", "cy@example.org", "@acme/other", "@dee"]
    assert entrusting.guesses(session, cast.shop, names) == {
        "@bob": "bob@example.org",
        "@acme/shop-team": "#shop-team",
        "cy@example.org": "cy@example.org",
    }
    with pytest.raises(Refused, match="@dee: nobody with access to shop is called so"):
        save(file=File(raw="* @dee", names={"@dee": "dee@example.org"}))


# Trying


def check(session, cast, raw, now, *, fallthrough=True):
    return owner_checks.check(session, cast.shop, raw, fallthrough=fallthrough, now=now, instance=INSTANCE)


def test_every_line_is_told_how_often_it_matches_and_whom_it_cannot_reach(session, cast, make, now):
    make.issue(cast.shop, events=2)
    cast.bob.addresses[0].verified_at = None
    session.flush()
    raw = "shop/* cy@example.org\n# words\nlib/* #shop-team\nx/* bob@example.org\ny"
    found = check(session, cast, raw, now)
    assert [(each.number, each.tone, each.words) for each in found.lines] == [
        (1, "ok", "2 of the last 2 events"),
        (3, "warning", "2 of 3 in #shop-team reachable"),
        (3, "unused", "no match in 30 days"),
        (4, "warning", "Bob cannot be reached: no verified address, or alerts off"),
        (4, "unused", "no match in 30 days"),
        (5, "wrong", "column 2: an owner is missing: name a #team or a mail address after the pattern"),
    ]
    assert (found.uncovered, found.length) == (0, 5)


def test_what_no_line_covers_is_told_with_the_folders_it_happens_in(session, cast, make, now):
    make.issue(cast.shop, events=3)
    found = check(session, cast, "lib/* #shop-team", now)
    assert (found.uncovered, found.share) == (3, 100)
    assert found.areas == [("path:shop/*", 3)]


def test_an_event_is_read_once_however_often_the_text_changes(session, cast, make, now, count_statements):
    issue = make.issue(cast.shop, events=1)
    covered = []
    for raw in ("", "shop/* bob@example.org", "shop/* bob@example.org\n* #shop-team"):
        with count_statements() as sent:
            covered.append(check(session, cast, raw, now).uncovered == 0)
    assert covered == [False, True, True]
    assert not [statement for statement in sent if "events.body" in statement]
    make.event(issue)
    with count_statements() as sent:
        assert check(session, cast, raw, now).events == 2
    assert len([statement for statement in sent if "events.body" in statement]) == 1


def test_a_line_that_only_an_older_issue_matches_is_no_dead_line(session, cast, make, now, monkeypatch):
    monkeypatch.setattr(owner_checks.owner_samples, "RECENT", 1)
    make.event(
        make.issue(cast.shop, title="Old: one"), exception={"values": []}, request={"url": "https://x/old"}
    )
    make.issue(cast.shop, events=2)
    [line] = check(session, cast, "url:*/old #shop-team", now).lines
    assert (line.tone, line.words) == ("ok", "1 issue of the last 30 days")


def test_a_change_tells_who_would_hear_of_more_and_fewer_open_issues(session, cast, make, now):
    make.owners(cast.shop, "shop/* bob@example.org")
    for n in range(2):
        make.issue(cast.shop, title=f"Key{n}: x", events=1)
    make.issue(cast.shop, title="Done: x", events=1, status="resolved")
    effect = check(session, cast, "shop/* cy@example.org", now).effect
    assert (effect.issues, effect.people) == (2, [("Bob", 0, 2), ("Cy", 2, 0)])
    effect = check(session, cast, "none/* cy@example.org", now).effect
    assert effect.people == [("Alice", 2, 0), ("Cy", 2, 0)]
    assert check(session, cast, "none/* #shop-team", now, fallthrough=False).effect.people == [("Bob", 0, 2)]


def test_owners_are_applied_to_open_issues_that_nobody_has_after_a_look(session, cast, make, now):
    make.owners(cast.shop, "shop/* bob@example.org")
    free = make.issue(cast.shop, title="Free: x", events=1)
    taken = make.issue(cast.shop, title="Taken: x", events=1, assignee_user_id=cast.cy.id)
    left = make.issue(cast.shop, title="Left: x", events=1, auto_assign_off=True)
    done = make.issue(cast.shop, title="Done: x", events=1, status="resolved")
    [planned] = reassigning.plan(session, cast.shop)
    assert (planned.issue, planned.called, planned.match.number) == (free, "Bob", 1)
    assert reassigning.apply(session, cast.shop, by=cast.alice, now=now) == 1
    assert [each.assignee_user_id for each in (free, taken, left, done)] == [
        cast.bob.id,
        cast.cy.id,
        None,
        None,
    ]
    assert reassigning.plan(session, cast.shop) == []


def test_what_changed_of_a_long_text_is_told_by_the_lines_that_are_in_one_alone():
    old = [f"a{n} #t" for n in range(1500)]
    new = [*old[1:], "b #t", old[7]]
    changes = owner_versions.lines("\n".join(old), "\n".join(new))
    assert [(each.sign, each.text, each.line) for each in changes] == [
        ("-", "a0 #t", 1),
        ("+", "b #t", 1500),
        ("+", "a7 #t", 1501),
    ]


def test_what_changed_of_a_text_costs_no_more_the_longer_it_is():
    longest = "\n".join(f"{n % 97} #t" for n in range(12_000))
    rest = "".join(reversed(longest))
    assert growth(lambda text: list(owner_versions.lines(text, rest[: len(text)])), longest, times=4) < 12


def test_hints_name_verified_primary_addresses_of_members_and_are_given_for_the_first_strangers(
    cast, make, session
):
    session.add(EmailAddress(address="robert@example.net", user_id=cast.bob.id, is_primary=False))
    session.flush()
    with pytest.raises(OwnershipErrors) as raised:
        entrusting.check(session, cast.shop, "a robertt@example.net\na bobb@x.example")
    assert [" Did you mean" in each.message for each in raised.value.problems] == [False, True]
    text = "\n".join(f"a bob{n}@x.example" for n in range(80))
    with pytest.raises(OwnershipErrors) as raised:
        entrusting.check(session, cast.shop, text)
    hinted = [each.line for each in raised.value.problems if "Did you mean" in each.message]
    assert (len(raised.value.problems), hinted) == (80, list(range(1, 51)))
