"""What people wrote about errors, on pages: a stranger's text, shown as it is and as nothing else."""

from datetime import UTC, datetime

import pytest

from app.models import ClientLoss, IngestCount

LIST = "/acme/shop/feedback/"
EVIL = '<script>alert(1)</script> {{ 7*7 }} <img src=x onerror="alert(1)">'


@pytest.fixture
def bobs(as_user, cast):
    return as_user(cast.bob)


def test_a_project_lists_who_wrote_what_with_the_way_to_it(bobs, make, cast, issue):
    event = make.event(issue)
    make.feedback(cast.shop, "Nobody knows of this event", name="Bo", email="")
    row = make.feedback(cast.shop, "It broke\nbadly", event_id=event.event_id)
    page = bobs.page(LIST)
    assert page.text.index("It broke\nbadly") < page.text.index("Nobody knows of this event")
    entry = page.select_one(f"#feedback-{row.id}")
    addresses = [link["href"] for link in entry.select("a")]
    assert addresses == [
        "mailto:jane%40example.net",
        f"/acme/shop/issues/{issue.id}/",
        f"/acme/shop/issues/{issue.id}/?event={event.event_id}",
    ]
    assert "has not come in" in page.text


def test_an_issue_shows_the_newest_and_counts_the_rest(bobs, make, cast, issue):
    here = f"/acme/shop/issues/{issue.id}/"
    assert "Feedback" not in [heading.text for heading in bobs.page(here).select("h2")]
    event = make.event(issue)
    for number in range(7):
        make.feedback(cast.shop, f"Piece {number}", event_id=event.event_id)
    page = bobs.page(here)
    assert [words.text for words in page.select("#feedback .breaks")] == [
        f"Piece {n}" for n in (6, 5, 4, 3, 2)
    ]
    assert "7 wrote about it" in page.text
    [more] = [link["href"] for link in page.select("#feedback a") if link.text == "All 7"]
    assert len(bobs.page(more).select("article")) == 7


def test_what_strangers_write_is_inert_everywhere(bobs, make, cast, issue):
    event = make.event(issue)
    make.feedback(cast.shop, EVIL, event_id=event.event_id, name=EVIL)
    for path in (LIST, f"/acme/shop/issues/{issue.id}/"):
        page = bobs.page(path)
        assert EVIL in page.text
        assert not page.select("article img, article script, [onerror]")
        assert all(article.has_attr("hx-ignore") for article in page.select("article"))


def test_what_is_no_address_is_no_link(bobs, session, make, cast):
    row = make.feedback(cast.shop)
    row.email = 'javascript:alert(1)//@x" onclick=x'
    session.flush()
    assert not bobs.page(LIST).select("article a")


def test_pages_go_there_and_back(bobs, make, cast):
    for number in range(30):
        make.feedback(cast.shop, f"Piece {number:02}")
    first = bobs.page(LIST)
    second = bobs.page(first.select_one('[rel="next"]')["href"])
    assert [len(page.select("article")) for page in (first, second)] == [25, 5]
    assert not second.select('[rel="next"]')
    back = bobs.page(second.select_one('[rel="prev"]')["href"])
    assert [each["id"] for each in back.select("article")] == [each["id"] for each in first.select("article")]
    assert not back.select('[rel="prev"]')


@pytest.mark.any_database
def test_without_any_the_page_says_how_to_get_some(bobs, make, cast):
    key = make.key(cast.shop)
    page = bobs.page(LIST)
    assert "Sentry.captureFeedback" in page.text
    assert f"DSN https://{key.public}@" in page.text
    assert "/api/0/projects/acme/shop/user-feedback/" in page.text


@pytest.mark.any_database
def test_feedback_of_what_one_does_not_see_does_not_exist(as_user, cast, issue, make):
    other = make.issue(cast.other_shop)
    assert as_user(cast.dee).get(LIST).status_code == 404
    for wrong in (other.id, 10**15, "x", "-1"):
        assert as_user(cast.bob).get(f"{LIST}?issue={wrong}").status_code == 404


def test_the_keys_page_shows_what_came_in_and_what_was_lost(as_user, session, cast):
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for outcome, count in (("accepted", 30), ("rate_limited", 4), ("duplicate", 9)):
        session.add(
            IngestCount(project_id=cast.shop.id, hour=now, category="error", outcome=outcome, count=count)
        )
    session.add(
        ClientLoss(project_id=cast.shop.id, hour=now, category="error", reason="before_send", count=1200)
    )
    session.flush()
    page = as_user(cast.alice).page("/acme/shop/settings/keys/")
    assert page.select_one(".traffic svg")["aria-label"] == (
        "34 events came in within 14 days, 30 kept and 4 rejected"
    )
    reasons = [" ".join(line.text.split()) for line in page.select("section li")]
    assert reasons == ["4 events: over the limit of its key", "1.2k events: dropped by before_send"]
    tallest = max(int(bar["height"]) for bar in page.select(".traffic rect"))
    assert 0 < tallest <= 48
