"""The page of the simulator: who may ask it what, what it refuses, and that it changes nothing."""

import json
import re
from urllib.parse import urlencode

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select

from app.domain import rule_content
from app.models import AlertRule, Notice, SettingAudit, Verdict

URL = "/acme/shop/settings/simulate/"


@pytest.fixture
def told(cast, report, run_jobs):
    """Alice, Bob and Cy were told of a new issue."""
    report("KeyError: cart")
    run_jobs()


@pytest.fixture
def rule(session, shop, told):
    return session.scalars(select(AlertRule).where(AlertRule.project_id == shop.id)).one()


def text_of(page):
    return " ".join(page.text.split())


def test_the_form_comes_without_an_answer(as_user, cast):
    page = as_user(cast.alice).get(URL)
    assert page.status_code == 200
    assert "Choose a situation and a change" in page.text


def test_a_replay_says_what_everybody_was_told(as_user, cast, told):
    page = as_user(cast.alice).get(URL, query_string={"asked": 1})
    for name in ("Alice", "Bob", "Cy"):
        assert name in page.text
    assert "Told again without a change, 3 of 3 answers come out as they are on record." in text_of(page)


def test_with_script_the_answer_alone_comes_back(as_user, cast, told):
    page = as_user(cast.alice).post(URL, data={"days": 1}, headers={"HX-Request": "true"})
    assert page.text.lstrip().startswith('<section id="simulated"')
    assert "HX-Request" in page.headers["Vary"]


def test_a_change_shows_before_and_after(as_user, cast, rule):
    page = as_user(cast.alice).post(URL, data={"rule_id": f"off:{rule.id}"})
    assert page.status_code == 200
    assert "−1" in page.text
    assert "with your change" in page.text


@pytest.mark.parametrize("mode", ["made", "issue"])
def test_one_situation_says_who_why_and_which_rules(as_user, cast, told, mode):
    data = {"mode": mode, "issue": "SHOP-1", "how": "new", "mine_alerts": "off"}
    page = text_of(as_user(cast.bob).post(URL, data=data))
    assert "not told" in page
    assert "Tell issue owners about new issues" in page


def test_a_member_sees_herself_and_the_others_as_a_number(as_user, cast, told):
    page = as_user(cast.bob).post(URL, data={"mode": "made"})
    assert "Bob" in page.text
    assert "Cy</div>" not in page.text
    assert "2 of 2 told" in page.text


def test_a_member_sees_no_others_in_a_replay(as_user, cast, told):
    page = as_user(cast.bob).get(URL, query_string={"asked": 1})
    assert "Everybody else (2)" in page.text
    assert "Cy</div>" not in page.text


OF_ADMINS = {
    "a rule": {"rule_id": "new", "rule": "{}"},
    "owners": {"owners": "on", "raw": "* bob@example.org"},
    "age": {"resolve": "24"},
    "pace": {"minimum": "9"},
    "defaults": {"default_alerts": "off"},
}


@pytest.mark.parametrize("draft", OF_ADMINS.values(), ids=OF_ADMINS)
def test_members_try_their_own_settings_alone(as_user, cast, draft):
    assert as_user(cast.bob).post(URL, data=draft).status_code == 404
    assert as_user(cast.bob).post(URL, data={"mine_alerts": "off"}).status_code == 200


def test_whoever_does_not_see_the_project_finds_no_page(as_user, cast):
    browser = as_user(cast.charlie)
    assert (browser.get(URL).status_code, browser.post(URL, data={}).status_code) == (404, 404)


def test_nobody_signed_in_is_asked_to_sign_in(client):
    assert client.get(URL).status_code == 303


BAD = {
    "no JSON": ({"rule_id": "new", "rule": '{\n  "name": '}, "line 2, column 11"),
    "no object": ({"rule_id": "new", "rule": "[]"}, "A rule is a JSON object"),
    "a row": (
        {
            "rule_id": "new",
            "rule": json.dumps(
                {
                    "conditions": [
                        {"id": "first_seen"},
                        {"id": "event_count", "value": "x", "interval": "1h"},
                    ],
                    "actions": [{"id": "mail", "target": "owners"}],
                }
            ),
        },
        "Condition 2:",
    ),
    "owners": ({"owners": "on", "raw": "path:x bob@example.org\npath:y"}, "Line 2, column"),
    "strangers": ({"owners": "on", "raw": "path:x nobody@example.net"}, "nobody@example.net"),
    "pace": ({"minimum": "9", "maximum": "3"}, "Not less than"),
    "age": ({"resolve": "soon"}, "Choose one of the times"),
    "my settings": ({"mine_alerts": "loud"}, "not a choice"),
    "issue": ({"mode": "issue", "issue": "SHOP-99"}, "no such issue"),
    "number": ({"mode": "made", "made_how": "again", "nth": "1"}, "2 or more"),
    "not even JSON": ({"rule_id": "new", "rule": "not json"}, "This is not a rule as the API writes it"),
    "a number without end": ({"rule_id": "new", "rule": '{"frequency": ' + "9" * 5000 + "}"}, "is too long"),
    "half a character": ({"rule_id": "new", "rule": '{"\\ud800": 1}'}, "Unknown."),
    "a tag without a value": ({"mode": "made", "tags": "plan=pro, browser"}, "“browser” is no tag"),
    "time": ({"mode": "made", "time": "27:00"}, "such as 03:00"),
}


@pytest.mark.parametrize(("data", "said"), BAD.values(), ids=BAD)
def test_what_makes_no_sense_is_said_where_it_stands(as_user, cast, told, data, said):
    page = as_user(cast.alice).post(URL, data=data)
    assert page.status_code == 422
    assert said in page.text
    assert 'id="simulated"' in page.text


def test_asking_leaves_no_trace(as_user, cast, rule, session):
    def everything():
        session.commit()
        return [
            session.scalar(select(func.count()).select_from(each)) for each in (Notice, Verdict, SettingAudit)
        ]

    before, content = everything(), rule_content.of(rule).as_data()
    draft = {**content, "conditions": [{"id": "every_event"}], "frequency": 0}
    page = as_user(cast.alice).post(
        URL, data={"rule_id": rule.id, "rule": json.dumps(draft), "resolve": "24", "minimum": "30"}
    )
    assert page.status_code == 200
    assert everything() == before
    session.refresh(rule)
    assert rule_content.of(rule).as_data() == content


def test_thirty_questions_a_minute_are_enough(as_user, cast):
    browser = as_user(cast.alice)
    answers = [browser.post(URL, data={"resolve": "soon"}).status_code for _ in range(31)]
    assert answers == [422] * 30 + [429]


def test_the_rule_editor_hands_its_draft_on(as_user, cast, rule):
    browser = as_user(cast.alice)
    form = {
        "name": "",
        "conditions-0-id": "first_seen",
        "actions-0-id": "mail",
        "actions-0-target": f"member:{cast.cy.id}",
        "frequency": "30",
        "actionMatch": "any",
        "filterMatch": "all",
    }
    answer = browser.post(f"/acme/shop/settings/alerts/{rule.id}/edit/", data={**form, "do": "simulate"})
    assert answer.status_code == 303
    page = browser.get(answer.headers["Location"])
    assert "−1" in page.text
    tried = browser.post(
        f"/acme/shop/settings/alerts/{rule.id}/edit/", data={**form, "do": "try", "issue": "SHOP-1"}
    )
    page = text_of(browser.get(tried.headers["Location"]))
    assert "your draft" in page
    assert "SHOP-1" in page


def test_a_draft_without_sense_stays_in_the_editor(as_user, cast, rule):
    answer = as_user(cast.alice).post(
        f"/acme/shop/settings/alerts/{rule.id}/edit/", data={"name": "x", "do": "simulate"}
    )
    assert answer.status_code == 422


def test_pages_about_no_project_lead_to_one(as_user, cast, shop, told):
    browser = as_user(cast.bob)
    answer = browser.get(
        "/settings/account/notifications/simulate",
        query_string={"project": shop.id, "mine_alerts": "off", "_external": "1", "org": "rivals"},
    )
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(URL)
    assert "−1" in browser.get(answer.headers["Location"]).text
    stranger = as_user(cast.charlie).get(
        "/settings/account/notifications/simulate", query_string={"project": shop.id}
    )
    assert stranger.status_code == 404


def test_a_rule_that_is_chosen_comes_with_its_text(as_user, cast, rule):
    page = as_user(cast.alice).post(URL, data={"rule_id": rule.id}, headers={"HX-Request": "true"})
    assert 'id="rule-draft" hx-swap-oob="true"' in page.text
    assert "Tell issue owners about new issues" in page.text
    other = as_user(cast.alice).post(URL, data={"rule_id": rule.id, "rule": "{", "rule_of": "7"})
    assert other.status_code == 200


def test_a_draft_on_one_line_is_laid_out(as_user, cast, rule):
    draft = json.dumps(rule_content.of(rule).as_data())
    page = as_user(cast.alice).page(f"{URL}?{urlencode({'asked': 1, 'rule_id': rule.id, 'rule': draft})}")
    text = page.find(id="rule-text").text
    assert (json.loads(text), text.strip().count("\n") > 10) == (json.loads(draft), True)


def test_a_draft_goes_back_to_the_editor_and_is_not_saved(as_user, cast, rule, session):
    browser, content = as_user(cast.alice), rule_content.of(rule).as_data()
    draft = {**content, "name": "Loud", "conditions": [{"id": "every_event"}]}
    asked = {"asked": 1, "rule_id": rule.id, "rule": json.dumps(draft), "version": rule.version}
    back = browser.page(f"{URL}?{urlencode(asked)}").find("form", action=re.compile("alerts/draft/$"))
    fields = {each["name"]: each["value"] for each in back.select("input")}
    answer = browser.post(back["action"], data=fields)
    page = BeautifulSoup(answer.text, "html.parser")
    assert page.find(id="name")["value"] == "Loud"
    assert page.find(id="rule")["action"] == f"/acme/shop/settings/alerts/{rule.id}/edit/"
    assert page.find("input", attrs={"name": "version"})["value"] == "1"
    assert page.select_one("#conditions [name$=-id]")["value"] == "every_event"
    session.refresh(rule)
    assert rule_content.of(rule).as_data() == content


def test_the_editor_stays_open_while_its_draft_is_tried(as_user, cast, rule):
    page = as_user(cast.alice).page(f"/acme/shop/settings/alerts/{rule.id}/edit/")
    assert page.find(id="simulate")["formtarget"] == "_blank"
