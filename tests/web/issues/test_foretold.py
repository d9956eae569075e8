"""Who will hear of it, and whom one can name: asked from the comment box and the menus."""

import pytest

from app import clock
from app.models import Activity, QuietHours
from app.services.people import workspaces


@pytest.fixture
def reach(as_user, cast, issue, htmx):
    """What stands under Alice's comment box once she has typed this."""

    def typed(text):
        answer = as_user(cast.alice).post(
            f"/issues/{issue.id}/reach", data={"text": text}, headers=htmx("div#x")
        )
        assert answer.status_code == 200
        return answer.text

    return typed


@pytest.fixture
def names(as_user, cast, issue, htmx, parsed):
    """The names offered to Alice for what she has typed."""

    def offered(typed):
        answer = as_user(cast.alice).get(
            f"/issues/{issue.id}/names", query_string={"q": typed}, headers=htmx("")
        )
        return [option["data-name"] for option in parsed(answer.text).select("[role=option]")]

    return offered


def test_the_box_says_who_will_hear_before_anything_is_posted(reach, make, cast, parsed, session):
    make.choice(cast.cy, "workflow", "participating")
    line = parsed(reach("hello"))
    assert " ".join(line.p.text.split()) == "Will tell: Bob by email."
    assert "1 not told. Why" in line.summary.text
    assert line.li.text == "Cy: Their own settings."
    assert " ".join(parsed(reach("hello @cy")).p.text.split()) == "Will tell: Cy, Bob by email."
    assert session.query(Activity).count() == 0


def test_a_name_that_nobody_hears_under_is_warned_of(reach, parsed):
    warning = parsed(reach("hello @dee")).select_one(".field-error")
    assert "@dee has no part in Shop and would not be told." in warning.text
    assert warning.a["href"] == "/acme/settings/members/"


def test_only_who_may_add_people_is_shown_the_way_to_it(as_user, cast, issue, htmx):
    sent = {"data": {"text": "hello @dee"}, "headers": htmx("div#x")}
    assert "<a " not in as_user(cast.bob).post(f"/issues/{issue.id}/reach", **sent).text


def test_five_are_named_and_the_others_counted(reach, make, cast, parsed, session):
    for n in range(8):
        person = make.member(cast.acme, make.user(f"Zed {n}"))
        workspaces.add_to_team(session, cast.team, person, now=make.now)
    assert "and 5 more by email" in " ".join(parsed(reach("hello")).p.text.split())


def test_the_names_of_people_are_only_text(reach, cast):
    cast.bob.name = "<script>alert(1)</script>"
    assert "<script>" not in reach("hello")


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("resolved", "Will tell 2 people by email."),
        ("assigned&assignee=user:{bob}", "Will tell 1 person by email."),
        ("assigned&assignee=user:{dee}", "Nobody with access to Shop is called"),
        ("alert.new", "There are: "),
        ("", "There are: "),
    ],
)
def test_menus_say_how_many_will_hear(as_user, cast, make, issue, htmx, kind, says):
    if "bob" in kind:
        make.choice(cast.bob, "workflow", "participating")
        make.choice(cast.cy, "workflow", "participating")
    path = f"/issues/{issue.id}/reach?kind={kind.format(bob=cast.bob.id, dee=cast.dee.id)}"
    assert says in as_user(cast.alice).get(path, headers=htmx("")).text


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("@", ["@bob", "@cy"]),
        ("@B", ["@bob"]),
        ("@okoro", ["@cy"]),
        ("@alice", []),
        ("@dee", []),
        ("#", ["#shop-team"]),
        ("#pay", []),
        ("b", []),
        ("", []),
    ],
)
def test_members_and_teams_of_the_project_are_offered(names, cast, typed, expected):
    cast.cy.name = "Cy Okoro"
    assert names(typed) == expected


@pytest.mark.parametrize("path", ["reach?kind=resolved", "names?q=@", "participants"])
@pytest.mark.parametrize("who", ["dee", "charlie"])
def test_who_may_not_see_the_issue_learns_nothing_of_its_people(as_user, cast, issue, htmx, who, path):
    browser = as_user(getattr(cast, who))
    assert browser.get(f"/issues/{issue.id}/{path}", headers=htmx("")).status_code == 404
    assert browser.post(f"/issues/{issue.id}/reach", data={"text": "@bob"}).status_code == 404


# Participants


@pytest.fixture
def around(as_user, cast, issue, htmx, parsed):
    """The participants as Alice sees them."""
    return lambda: parsed(
        as_user(cast.alice).get(f"/issues/{issue.id}/participants", headers=htmx("section#x")).text
    )


def lines(part):
    return [" ".join(line.get_text(" ").split()) for line in part.select(".people > li")]


def test_participants_stand_there_with_what_reaches_them(make, cast, issue, around):
    make.subscription(issue, cast.bob, "commented")
    make.subscription(issue, cast.cy, "bookmarked")
    make.choice(cast.cy, "workflow", "never")
    assert lines(around()) == [
        "BO Bob commented gets email",
        "CY Cy follows it Their own settings.",
    ]


def test_who_is_there_for_their_team_alone_stands_behind_it(make, cast, issue, around):
    issue.assignee_team_id = cast.team.id
    for person in (cast.alice, cast.bob, cast.cy):
        make.subscription(issue, person, "team_assigned")
    make.choice(cast.cy, "workflow", "never")
    assert lines(around()) == ["# #shop-team the assigned team 2 of 3 reachable"]


def test_of_many_participants_twenty_are_shown_and_all_a_click_away(make, cast, issue, as_user, session):
    for n in range(24):
        person = make.member(cast.acme, make.user(f"Zed {n}"))
        workspaces.add_to_team(session, cast.team, person, now=make.now)
        make.subscription(issue, person, "commented")
    browser = as_user(cast.alice)
    page = browser.page(f"/acme/shop/issues/{issue.id}/")
    people = page.select_one(f"#issue-{issue.id}-participants")
    assert len(people.select("li")) == 20
    more = people.find("a", string="All 24")
    assert len(browser.page(more["href"]).select(f"#issue-{issue.id}-participants li")) == 24


def test_who_is_quiet_cannot_be_found_out_by_asking(reach, make, cast, parsed, session):
    today = clock.now().weekday()
    days = [today, (today + 1) % 7]
    session.add(QuietHours(user_id=cast.bob.id, days=days, start_minute=0, end_minute=0))
    line = " ".join(parsed(reach("hello")).text.split())
    assert line == "Will tell: Bob, Cy by email."


@pytest.mark.parametrize("name", ["zzz", "charlie"])
def test_a_name_that_nobody_bears_is_hinted_at_in_the_same_words(reach, parsed, name):
    line = parsed(reach(f"hello @{name} and @bob"))
    assert line.select_one(".hint").text == f"@{name} is nobody in Shop, so nobody is told by it."
    assert "Will tell" in line.p.text
    assert not line.select_one(".field-error")


def test_several_such_names_are_named_together(reach, parsed):
    said = parsed(reach("hello @yyy, @zzz")).select_one(".hint").text
    assert said.startswith("@yyy and @zzz are nobody in Shop")
