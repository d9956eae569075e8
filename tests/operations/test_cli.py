"""The command line: JSON and nothing else on standard output, one line for an error, safe to repeat."""

import json
import subprocess

import pytest
from sqlalchemy import select

from app.models import AlertRule, Delivery, Digest, Project, ProjectKey, Team, User
from app.services import access
from app.services.people import tokens
from app.settings import ROOT, load


@pytest.fixture
def settings(environment):
    """With a database: the other tests here need only a Redis."""
    return load(environment)


@pytest.fixture
def flask(app, session):
    """Runs `flask …` and returns its result."""
    runner = app.test_cli_runner()

    def run(*words):
        session.commit()
        result = runner.invoke(args=[str(word) for word in words])
        assert result.exception is None or result.exit_code, result.exception
        return result

    return run


@pytest.fixture
def told(flask):
    """Runs `flask … --json` and returns the object that it printed."""

    def run(*words):
        result = flask(*words, "--json")
        assert result.exit_code == 0, result.stderr
        assert result.stderr == ""
        return json.loads(result.stdout)

    return run


def test_five_commands_make_a_workspace_that_an_sdk_can_send_to(told, session):
    person = told("users", "create", "ana@example.org", "--password", "correct horse", "--verified")
    assert person == {"id": person["id"], "email": "ana@example.org"}
    organization = told("orgs", "create", "acme", "--name", "Acme Inc.", "--owner", "ana@example.org")
    team = told("teams", "create", "web", "--org", "acme", "--member", "ana@example.org")
    project = told("projects", "create", "shop", "--org", "acme", "--team", "web", "--platform", "python")
    token = told("tokens", "create", "ana@example.org", "--scope", "event:read")

    assert (organization["slug"], team["slug"], project["slug"]) == ("acme", "web", "shop")
    key = session.scalars(select(ProjectKey)).one()
    assert project["dsn"] == f"https://{key.public}@tocsin.example.org/{project['id']}"
    assert access.project_member_ids(session, project["id"]) == {person["id"]}
    assert tokens.find(session, token["token"]).scopes == ["event:read"]


def test_an_organizations_own_token_is_made_and_revoked(told, cast, session):
    text = told("tokens", "create", "--org", "acme", "--name", "CI")["token"]
    assert tokens.find(session, text).organization_id == cast.acme.id
    session.rollback()
    for _ in range(2):
        assert told("tokens", "revoke", text) == {"revoked": "CI", "owner": "acme"}
    assert tokens.find(session, text) is None


def test_running_it_twice_changes_nothing_more(told, session):
    commands = [
        ("users", "create", "ana@example.org", "--password", "correct horse"),
        ("orgs", "create", "acme", "--owner", "ana@example.org"),
        ("teams", "create", "web", "--org", "acme", "--member", "ana@example.org"),
        ("projects", "create", "shop", "--org", "acme", "--team", "web"),
    ]
    once = [told(*command) for command in commands]
    assert [told(*command) for command in commands] == once
    for kind in (User, Team, Project, ProjectKey, AlertRule):
        assert len(session.scalars(select(kind)).all()) == 1, kind


def test_without_a_password_a_link_lets_the_person_choose_one(told, client):
    link = told("users", "create", "ana@example.org")["setup_url"]
    assert link.startswith("https://tocsin.example.org/auth/password/")
    form = {"name": "Ana", "password": "correct horse", "timezone": "Europe/Paris"}
    answer = client.post(link.removeprefix("https://tocsin.example.org"), data=form)
    assert (answer.status_code, answer.location) == (303, "/")


def test_a_team_can_gain_members_later_and_they_join_the_organization(told, make, cast, session):
    make.user("Eve")
    told("teams", "create", "shop-team", "--org", "acme", "--member", "eve@example.org")
    assert len(access.project_member_ids(session, cast.shop.id)) == 4


ERRORS = {
    "an unknown organization": (("teams", "create", "web", "--org", "nowhere"), "no organization nowhere"),
    "an unknown person": (("tokens", "create", "no@example.org"), "no account for no@example.org"),
    "an unknown team": (("projects", "create", "x", "--org", "acme", "--team", "t"), "no team t in acme"),
    "an unknown scope": (("tokens", "create", "alice@example.org", "--scope", "all"), "no scope all"),
    "nobody's token": (("tokens", "create"), "person’s address, or --org"),
    "a token of two": (("tokens", "create", "alice@example.org", "--org", "acme"), "or --org"),
    "more than an organization's": (("tokens", "create", "--org", "acme", "--scope", "org:ci"), "no other"),
    "a token that is none": (("tokens", "revoke", "sntryu_0"), "no such token"),
    "a reserved slug": (("orgs", "create", "api"), "address of a page"),
    "no address": (("users", "create", "ana"), "not a mail address"),
    "a short password": (("users", "create", "a@example.org", "--password", "x"), "at least 8"),
    "a missing argument": (("orgs", "create"), "Missing argument"),
    "an unknown option": (("orgs", "create", "x", "--what"), "No such option"),
}


@pytest.mark.parametrize(("words", "says"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_one_line_and_status_1(flask, cast, words, says):
    result = flask(*words, "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_refused_command_leaves_nothing_behind(flask, cast, session):
    flask("projects", "create", "new-shop", "--org", "acme", "--team", "nowhere")
    assert session.scalars(select(Project).where(Project.slug == "new-shop")).all() == []


def test_without_json_it_says_the_same_in_words(flask):
    assert flask("orgs", "create", "acme").stdout.splitlines()[1] == "slug: acme"


@pytest.mark.parametrize(("options", "requeued"), [((), 1), (("--failed",), 2)])
def test_deliveries_are_tried_again(told, make, cast, issue, session, options, requeued):
    notice = make.notice(issue)
    make.delivery(notice, cast.alice, state="deferred", attempt_count=3)
    make.delivery(notice, cast.bob, state="failed", attempt_count=9)
    make.delivery(notice, cast.cy, state="accepted")
    assert told("deliveries", "retry", *options) == {"requeued": requeued}
    again = session.scalars(select(Delivery).where(Delivery.state == "queued")).all()
    assert [delivery.attempt_count for delivery in again] == [0] * requeued


def test_a_summary_that_has_not_arrived_is_tried_again_and_a_letter_is_not(told, make, cast, session, now):
    digest = Digest(
        public_id="g_1", kind="batch", key="b", user_id=cast.bob.id, opened_at=now, send_at=now, data={}
    )
    session.add(digest)
    session.flush()
    known = {"user_id": cast.bob.id, "channel": "email", "address": cast.bob.email, "data": {}}
    known |= {"state": "failed", "created_at": now, "send_at": now}
    session.add(Delivery(public_id="d_1", kind="digest", digest_id=digest.id, **known))
    session.add(Delivery(public_id="d_2", kind="sign_in", **known))
    assert told("deliveries", "retry", "--failed") == {"requeued": 1}
    session.expire_all()
    assert {row.public_id: row.state for row in session.scalars(select(Delivery))} == {
        "d_1": "queued",
        "d_2": "failed",
    }


def test_retrying_can_be_narrowed_to_one_address(told, make, cast, issue):
    notice = make.notice(issue)
    for person in (cast.alice, cast.bob):
        make.delivery(notice, person, state="failed")
    assert told("deliveries", "retry", "--failed", "--destination", "bob@example.org") == {"requeued": 1}


def test_a_sweep_plans_and_sends_what_is_due(told, make, cast, issue, mailbox):
    make.notice(issue)
    assert told("sweep")["planned"] == 1
    assert {mail.to for mail in mailbox()} == {person.email for person in (cast.alice, cast.bob, cast.cy)}


def test_the_doctor_says_what_is_wrong_and_how_to_mend_it(flask, monkeypatch):
    monkeypatch.setattr("app.doctor.JOB_SECONDS", 0.1)
    result = flask("doctor", "--json")
    report = json.loads(result.stdout)
    found = {check["name"]: check for check in report["checks"]}
    assert (result.exit_code, report["ok"]) == (1, False)
    healthy = ("database", "migrations", "redis", "redis persistence", "disk", "mail", "clock")
    assert [name for name in healthy if not found[name]["ok"]] == []
    for sick in ("queue", "worker", "scheduler", "digester", "public address"):
        assert not found[sick]["ok"]
        assert found[sick]["fix"]


def test_the_doctor_warns_of_a_data_directory_that_others_may_enter(app, data_dir):
    from app import doctor

    data_dir.chmod(0o750)
    try:
        with pytest.raises(doctor.Ailing, match=r"others may enter .* \(750\)"):
            doctor.privacy(app.config["SETTINGS"])
    finally:
        data_dir.chmod(0o700)
    assert doctor.privacy(app.config["SETTINGS"]).endswith("is private")


REPLIES = {"REPLY_DOMAIN": "reply.example.org"}


def test_the_doctor_warns_of_replies_that_nothing_proves(app_with):
    from app import doctor

    def said(**settings):
        return doctor.replies(app_with(**settings).config["SETTINGS"])

    assert said().startswith("not taken")
    with pytest.raises(doctor.Ailing, match="every reply is refused"):
        said(**REPLIES)
    assert "DMARC pass of mx.example.org" in said(**REPLIES, INBOUND_AUTHSERV_ID="mx.example.org")
    assert "WITHOUT proof" in said(**REPLIES, INBOUND_WITHOUT_DMARC="true")


def test_the_doctor_names_the_mail_server_that_does_not_answer(app_with):
    app = app_with(MAIL_PORT="1")
    from app import doctor

    with app.app_context(), pytest.raises(doctor.Ailing, match=r"127\.0\.0\.1:1"):
        doctor.mail(app)


def test_captured_mail_is_healthy(app_with):
    app = app_with(MAIL_SERVER="")
    from app import doctor

    assert doctor.mail(app).startswith("captured")


def test_flask_finds_the_application_by_itself(environment):
    command = [str(ROOT / ".venv/bin/flask"), "orgs", "create", "acme", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["slug"] == "acme"


def test_a_wrong_setting_is_one_line_too(environment):
    command = [str(ROOT / ".venv/bin/flask"), "users", "create", "ana@example.org", "--json"]
    wrong = environment | {"PORT": "none"}
    done = subprocess.run(command, cwd=ROOT, env=wrong, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "PORT is none" in done.stderr
    assert done.stderr.count("\n") == 1
