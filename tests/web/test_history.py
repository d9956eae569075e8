"""A person's own record: everything sent, held or not sent to them, by filter, by page, and as a file."""

import csv
import io
from datetime import datetime, timedelta

import pytest

from app.models import SettingAudit, Verdict
from app.services.notices import recalling
from app.services.preferences import preferring
from tests.support.browser import HTMX

ROOT = "/settings/account/notifications/"
HISTORY, LOG, FILE = f"{ROOT}history/", f"{ROOT}log/", f"{ROOT}history.csv"


@pytest.fixture
def bobs(as_user, cast):
    return as_user(cast.bob)


@pytest.fixture
def record(session, make, cast, issue, now):
    """Makes a verdict about Bob: `record("E: held", outcome="defer", code="quiet_hours")`."""

    def make_one(title, *, state=None, project=None, at=now, outcome="send", code="send", params=None):
        where = make.issue(project, title=title) if project else issue
        notice = make.notice(where, planned_at=now, occurred_at=at, issue_title=title)
        if state:
            delivery = make.delivery(notice, cast.bob, state=state)
            verdict = delivery.verdict
        else:
            verdict = Verdict(
                notice_id=notice.id, subject="user", subject_id=cast.bob.id, channel="email", reasons=[]
            )
        verdict.outcome, verdict.code, verdict.params = outcome, code, params or {"scope": "account"}
        session.add(verdict)
        session.flush()
        return notice

    return make_one


@pytest.fixture
def everything(record, now):
    until = (now + timedelta(hours=9)).isoformat()
    record("E: sent", state="accepted")
    record("E: on its way", state="queued")
    record("E: held", outcome="defer", code="quiet_hours", params={"until": until})
    record("E: failed", state="failed")
    record("E: called off", state="cancelled", code="no_longer_open")
    record("E: off", outcome="skip", code="alerts_off")
    record("E: merged", outcome="collapse", code="merged", params={"notice": "n_1"})


def titles(page):
    return [source.text for source in page.select("#history tbody .source[hx-ignore]")]


BY_OUTCOME = {
    "sent": ["E: sent"],
    "waiting": ["E: held", "E: on its way"],
    "failed": ["E: failed"],
    "not_sent": ["E: off", "E: called off"],
    "collapsed": ["E: merged"],
    "": ["E: merged", "E: off", "E: called off", "E: failed", "E: held", "E: on its way", "E: sent"],
}


@pytest.mark.both_databases
@pytest.mark.parametrize(("outcome", "found"), BY_OUTCOME.items())
def test_the_filter_finds_what_the_page_marks(session, cast, everything, now, outcome, found):
    told = recalling.told(session, cast.bob, recalling.Sought(outcome=outcome), now=now)
    assert [each.notice.issue_title for each in told] == found
    if outcome:
        assert {each.line.mark for each in told} == {outcome}


def test_what_was_not_sent_stands_beside_what_was(bobs, everything):
    assert len(titles(bobs.page(HISTORY))) == 7
    assert titles(bobs.page(f"{HISTORY}?outcome=not_sent")) == ["E: off", "E: called off"]
    assert titles(bobs.page(f"{HISTORY}?code=alerts_off")) == ["E: off"]


def test_a_project_is_filtered_on(bobs, make, cast, record):
    other = make.project(cast.acme, "wiki", teams=[cast.team])
    record("E: shop", state="accepted")
    record("E: wiki", state="accepted", project=other)
    assert titles(bobs.page(f"{HISTORY}?project={other.id}")) == ["E: wiki"]


def test_a_day_is_one_of_ones_own_calendar(bobs, cast, record):
    cast.bob.timezone = "Asia/Tokyo"
    record("E: in the evening", state="accepted", at=datetime.fromisoformat("2026-11-19T16:00:00+00:00"))
    record("E: at noon", state="accepted", at=datetime.fromisoformat("2026-11-19T03:00:00+00:00"))
    assert titles(bobs.page(f"{HISTORY}?day=2026-11-20")) == ["E: in the evening"]
    assert titles(bobs.page(f"{HISTORY}?day=2026-11-19")) == ["E: at noon"]


def test_nothing_found_leads_on(bobs, everything):
    page = bobs.page(f"{HISTORY}?code=undone")
    assert page.select_one("#history").find("a", href="/notices/why/")
    assert page.select_one("form.filters")


def test_nothing_at_all_offers_the_question(bobs):
    assert bobs.page(HISTORY).select_one(".empty").find("a", href="/notices/why/")


def test_the_next_page_keeps_the_filter(bobs, record):
    for number in range(recalling.PAGE + 1):
        record(f"E: {number}", state="accepted")
    first = bobs.page(f"{HISTORY}?outcome=sent")
    older = first.select_one('a[rel="next"]')["href"]
    assert "outcome=sent" in older
    assert titles(bobs.page(older)) == ["E: 0"]


def test_the_filter_asks_for_the_list_alone(bobs, everything):
    answer = bobs.get(HISTORY, headers=HTMX)
    assert "<html" not in answer.text
    assert 'id="history"' in answer.text


ODD = ["outcome=x", "code=x", "day=x", "day=2026-13-01", "day=0001-01-01", "day=9999-12-31", "project=x"]


@pytest.mark.parametrize("query", ODD)
@pytest.mark.parametrize("path", [HISTORY, FILE])
def test_odd_filters_are_400(bobs, path, query):
    assert bobs.get(f"{path}?{query}").status_code == 400


# As a file


def lines(answer):
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_file_holds_all_of_it(bobs, record, everything):
    for number in range(recalling.PAGE + 5):
        record(f"E: {number}", state="accepted")
    answer = bobs.get(FILE)
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="notifications.csv"'
    found = lines(answer)
    assert len(found) == recalling.PAGE + 12
    [off] = [line for line in found if line["code"] == "alerts_off"]
    assert (off["outcome"], off["because"]) == ("not sent", "Alerts are off (from your account).")
    assert off["link"].startswith("https://tocsin.example.org/notices/n_")


def test_the_file_is_narrowed_like_the_page(bobs, everything):
    assert [line["title"] for line in lines(bobs.get(f"{FILE}?outcome=failed"))] == ["E: failed"]


@pytest.mark.parametrize("title", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_a_formula(bobs, record, title):
    record(title, state="accepted")
    [line] = lines(bobs.get(FILE))
    assert line["title"].startswith("'")


@pytest.mark.parametrize("title", ["x;=HYPERLINK(1);y", "x\t=1", "x; @SUM(A1)"])
def test_none_begins_inside_of_a_cell_either(bobs, record, title):
    record(title, state="accepted")
    answer = bobs.get(FILE)
    [line] = lines(answer)
    assert "'" in line["title"]
    assert line["title"].replace("'", "") == title
    assert all(row.startswith('"') for row in answer.text.splitlines())


def test_the_file_tells_nothing_of_projects_that_one_left(bobs, session, cast, record):
    record("E: secret", state="accepted")
    cast.team.projects.remove(cast.shop)
    assert lines(bobs.get(FILE)) == []


def test_strangers_get_no_file(client):
    assert client.get(FILE).status_code == 303


# The change log


def test_the_log_can_be_narrowed(bobs, session, cast, now):
    preferring.choose(session, cast.bob, "alerts", "off", via="web", now=now)
    preferring.choose(session, cast.bob, "workflow", "never", project=cast.shop, via="web", now=now)
    looked = {"category": "explanation", "scope": "issue", "scope_id": 1, "new": "looked up", "via": "web"}
    session.add(SettingAudit(at=now, user_id=cast.bob.id, actor_id=cast.alice.id, detail={}, **looked))

    def rows(query):
        return [" ".join(row.text.split()) for row in bobs.page(f"{LOG}{query}").select("tbody tr")]

    assert len(rows("")) == 3
    assert len(rows("?by=others")) == 1
    assert len(rows("?by=me&category=alerts")) == 1
    assert "Workflow for Shop: Default → Never" in rows("?category=workflow")[0]
    assert rows("?day=2026-11-19") == []


@pytest.mark.parametrize("query", ["by=x", "category=x", "day=x"])
def test_odd_filters_of_the_log_are_400(bobs, query):
    assert bobs.get(f"{LOG}?{query}").status_code == 400


def test_reasons_to_filter_by_are_said_in_words(bobs, record):
    record("E: off", outcome="skip", code="alerts_off")
    options = {each["value"]: each.text for each in bobs.page(HISTORY).select("#code option")}
    assert options["alerts_off"] == "Alerts are off"
    assert options["quiet_hours"] == "Held: quiet hours"
    assert not [words for words in options.values() if "{" in words or "_" in words]


def test_no_two_settings_to_filter_by_are_called_alike(bobs, session, cast, now):
    preferring.choose(session, cast.bob, "alerts", "off", via="web", now=now)
    names = [each.text for each in bobs.page(LOG).select("#category option")]
    assert len(names) == len(set(names))
