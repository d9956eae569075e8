"""Answering a mail: the answer becomes a comment, if it is its reader's own and a person wrote it."""

from dataclasses import replace

import pytest

from app.domain import reply_address
from app.domain.mail_tokens import MailToken
from app.domain.reply_address import ReplyTo
from app.models import (
    Activity,
    Delivery,
    EmailAddress,
    InboundMessage,
    Issue,
    IssueMute,
    Subscription,
    TeamMember,
)

DOMAIN, SECRET = "reply.example.org", "shared with the provider"
SERVER = "mx.example.org"
PROOF = f"Authentication-Results: {SERVER}; dmarc=pass header.from=example.org\n"
QUOTED = "\n\nOn Mon, Nov 23, 2026 at 9:14 AM Tocsin <a@example.org> wrote:\n\n> COMMENT shop\n"


@pytest.fixture
def taking_mail(app, monkeypatch):
    settings = replace(
        app.config["SETTINGS"], reply_domain=DOMAIN, inbound_secret=SECRET, inbound_authserv_id=SERVER
    )
    monkeypatch.setitem(app.config, "SETTINGS", settings)
    return settings


@pytest.fixture
def write(taking_mail, client, session):
    """Hands in a message as a provider does."""

    def send(body, *, to, by, status=202, **headers):
        session.commit()
        head = {"From": f"Somebody <{by}>", "To": to, "Subject": "Re: SHOP-1", "Message-ID": "<1@b.org>"}
        head["Authentication-Results"] = f"{SERVER}; dmarc=pass header.from={by.rpartition('@')[2]}"
        lines = [f"{name}: {value}" for name, value in (head | headers).items()]
        raw = "\r\n".join([*lines, "Content-Type: text/plain; charset=utf-8", "", body]).encode()
        answer = client.post("/inbound/raw", data=raw, headers={"Authorization": f"Bearer {SECRET}"})
        assert answer.status_code == status, answer.text

    return send


@pytest.fixture
def address(taking_mail):
    """Where this person answers mail about the issue."""

    def of(user, issue, version=None):
        to = ReplyTo(user.id, issue.id, version or user.mail_version)
        return reply_address.for_reply(to, taking_mail.mail_token_keys, DOMAIN)

    return of


def outcome(session):
    session.commit()
    return session.query(InboundMessage).one().outcome


def comments(session, issue):
    session.commit()
    return [
        row.data["text"] for row in session.query(Activity).filter_by(issue_id=issue.id, type="note").all()
    ]


def test_the_reply_to_a_comment_is_a_comment_without_the_quotation(
    issue, cast, acts, run_jobs, mailbox, write, told, session
):
    acts.comment(issue, "Does the new totals service return null?", by=cast.alice)
    run_jobs()
    [mail] = mailbox(to=cast.bob)
    told()
    write(f"Yes:\n\n    total = None{QUOTED}", to=mail["Reply-To"], by=cast.bob.email)
    run_jobs()
    assert comments(session, issue)[-1] == "Yes:\n\n    total = None"
    assert told("comment") == ["alice", "cy"]
    assert "commented" in session.query(Subscription).filter_by(user_id=cast.bob.id).one().reasons


def test_from_a_foreign_address_nothing_happens_and_its_owner_is_told_once_an_hour(
    issue, cast, run_jobs, address, write, mailbox, session
):
    for number in range(3):
        write(
            "Mine!", to=address(cast.bob, issue), by="mallory@example.net", **{"Message-ID": f"<{number}@x>"}
        )
    run_jobs()
    assert not comments(session, issue)
    [mail] = mailbox(to=cast.bob)
    assert mail["X-Tocsin-Kind"] == "reply_refused"
    assert "not one of your verified ones" in " ".join(mail.text.split())


def test_an_address_that_is_not_verified_is_a_foreign_one(issue, cast, run_jobs, address, write, session):
    session.add(EmailAddress(user_id=cast.bob.id, address="bob@home.example"))
    write("Mine!", to=address(cast.bob, issue), by="bob@home.example")
    run_jobs()
    assert not comments(session, issue)


AUTOMATIC = {
    "an out-of-office": {"Auto-Submitted": "auto-replied"},
    "a list": {"Precedence": "bulk"},
    "a bounce": {"Return-Path": "<>"},
    "a robot": {"X-Autoreply": "yes"},
    "Tocsin itself": {"X-Tocsin-Kind": "comment"},
}


@pytest.mark.parametrize("headers", AUTOMATIC.values(), ids=AUTOMATIC)
def test_what_no_person_wrote_is_left_alone(headers, issue, cast, run_jobs, address, write, mailbox, session):
    write("I am away.", to=address(cast.bob, issue), by=cast.bob.email, **headers)
    run_jobs()
    assert outcome(session) == "ignored"
    assert not comments(session, issue)
    assert not mailbox()


def test_a_message_that_comes_twice_is_one(issue, cast, run_jobs, address, write, session):
    for _ in range(2):
        write("Only once.", to=address(cast.bob, issue), by=cast.bob.email)
        run_jobs()
    assert comments(session, issue) == ["Only once."]


def test_a_job_that_runs_twice_comments_once(issue, cast, app, run_jobs, address, write, session):
    from app.jobs import inbound

    write("Only once.", to=address(cast.bob, issue), by=cast.bob.email)
    [kept] = session.query(InboundMessage).all()
    with app.app_context():
        inbound.run(kept.id, kept.id)
    run_jobs()
    assert comments(session, issue) == ["Only once."]


def test_whoever_left_the_team_is_told_that_the_issue_is_out_of_reach(
    issue, cast, run_jobs, address, write, mailbox, session
):
    session.query(TeamMember).filter_by(user_id=cast.bob.id).delete()
    write("Still me.", to=address(cast.bob, issue), by=cast.bob.email)
    run_jobs()
    assert not comments(session, issue)
    assert "no longer have access" in " ".join(mailbox(to=cast.bob)[0].text.split())


def test_links_and_addresses_of_old_mail_die_together(
    issue, cast, run_jobs, address, write, mailbox, session
):
    to = address(cast.bob, issue)
    cast.bob.mail_version += 1
    write("Still me.", to=to, by=cast.bob.email)
    run_jobs()
    assert outcome(session) == "ignored"
    assert not mailbox()


def test_an_altered_address_comments_nowhere(issue, cast, run_jobs, address, write, session):
    local, _, host = address(cast.bob, issue).partition("@")
    write("Mine!", to=f"{local[:-3]}abc@{host}", by=cast.bob.email)
    run_jobs()
    assert outcome(session) == "ignored"


COMMANDS = {"resolve": "resolved", "Ignore": "ignored"}


@pytest.mark.parametrize(("word", "status"), COMMANDS.items())
def test_one_word_alone_does_it(word, status, issue, cast, run_jobs, address, write, session):
    write(f"{word}{QUOTED}", to=address(cast.bob, issue), by=cast.bob.email)
    run_jobs()
    session.commit()
    assert session.get(Issue, issue.id).status == status
    assert not comments(session, issue)


def test_the_other_words_too(issue, cast, run_jobs, address, write, session):
    for number, word in enumerate(("assign me", "mute", "unsubscribe")):
        to, name = address(cast.bob, issue), f"<{number}@x>"
        write(word, to=to, by=cast.bob.email, **{"Message-ID": name})
        run_jobs()
    session.commit()
    assert session.get(Issue, issue.id).assignee_user_id == cast.bob.id
    assert session.query(IssueMute).one().user_id == cast.bob.id
    assert session.query(Subscription).filter_by(user_id=cast.bob.id).one().state == "unsubscribed"


def test_the_word_in_a_sentence_is_a_comment(issue, cast, run_jobs, address, write, session):
    write("resolve\nthe names first", to=address(cast.bob, issue), by=cast.bob.email)
    run_jobs()
    assert comments(session, issue) == ["resolve\nthe names first"]


def test_an_empty_message_to_the_address_in_list_unsubscribe_unsubscribes(
    issue, cast, run_jobs, taking_mail, write, session, mailbox
):
    token = MailToken("issue", cast.bob.id, issue.id, cast.bob.mail_version)
    to = reply_address.for_unsubscribe(token, taking_mail.mail_token_keys, DOMAIN)
    write("", to=to, by="whoever@example.net", Subject="unsubscribe")
    run_jobs()
    session.commit()
    assert session.query(Subscription).filter_by(user_id=cast.bob.id).one().state == "unsubscribed"
    assert not mailbox()


def test_the_door_is_shut_without_the_secret(taking_mail, app, client, monkeypatch, session):
    assert client.post("/inbound/raw", data=b"x", headers={"Authorization": "Bearer no"}).status_code == 401
    monkeypatch.setitem(app.config, "SETTINGS", replace(taking_mail, inbound_secret=""))
    assert client.post("/inbound/raw", data=b"x", headers={"Authorization": "Bearer "}).status_code == 404
    assert not session.query(InboundMessage).count()


def test_a_provider_may_post_it_as_a_field(issue, cast, client, run_jobs, address, taking_mail, session):
    raw = (
        f"{PROOF}From: {cast.bob.email}\nTo: {address(cast.bob, issue)}\nMessage-ID: <7@x>\n\nFrom a form.\n"
    )
    session.commit()
    answer = client.post("/inbound/raw", data={"body-mime": raw}, auth=("tocsin", SECRET))
    assert answer.status_code == 202
    run_jobs()
    assert comments(session, issue) == ["From a form."]


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe\x00", b"\n\n\n", b"From: \xff\nTo: =?utf-8?b?!!?=\n\n\x00", b"a" * 2000]
)
def test_junk_is_kept_and_comes_to_nothing(raw, taking_mail, client, run_jobs, session):
    answer = client.post("/inbound/raw", data=raw, headers={"Authorization": f"Bearer {SECRET}"})
    assert answer.status_code == 202
    run_jobs()
    assert outcome(session) == "ignored"


def test_a_message_too_large_is_not_taken(taking_mail, client, session):
    raw = b"From: a\n\n" + b"x" * (1 << 20)
    answer = client.post("/inbound/raw", data=raw, headers={"Authorization": f"Bearer {SECRET}"})
    assert answer.status_code == 413
    assert not session.query(InboundMessage).count()


def test_a_mail_servers_pipe_hands_it_in(issue, cast, app, address, run_jobs, session):
    raw = (
        f"{PROOF}From: {cast.bob.email}\nTo: {address(cast.bob, issue)}\nMessage-ID: <8@x>\n\nFrom a pipe.\n"
    )
    session.commit()
    result = app.test_cli_runner().invoke(args=["inbound", "--json"], input=raw)
    assert result.exit_code == 0, result.output
    run_jobs()
    assert comments(session, issue) == ["From a pipe."]


def test_the_receiving_servers_dmarc_pass_is_needed(issue, cast, run_jobs, address, write, session):
    results = {
        "forged": "elsewhere.example.net; dmarc=pass",
        "failed": "mx.example.org; dkim=fail; dmarc=fail",
        "another's": "mx.example.org; dmarc=pass header.from=example.net",
        "good": "mx.example.org 1; dkim=pass header.d=example.org; dmarc=pass header.from=example.org",
    }
    for name, result in results.items():
        headers = {"Message-ID": f"<{name}@x>", "Authentication-Results": result}
        write(f"It is {name}.", to=address(cast.bob, issue), by=cast.bob.email, **headers)
        run_jobs()
    assert comments(session, issue) == ["It is good."]


def test_mail_that_nobody_was_woken_for_is_found_by_the_sweep(
    issue, cast, app, address, write, run_jobs, session
):
    write("Left alone.", to=address(cast.bob, issue), by=cast.bob.email)
    run_jobs.queue.empty()
    run_jobs.sweep()
    run_jobs()
    assert comments(session, issue) == ["Left alone."]
    assert not session.query(Delivery).filter_by(kind="reply_refused").count()


def test_without_a_receiving_server_to_believe_no_reply_is_taken(
    issue, cast, app, monkeypatch, taking_mail, run_jobs, address, write, mailbox, session
):
    monkeypatch.setitem(app.config, "SETTINGS", replace(taking_mail, inbound_authserv_id=""))
    write("Who knows who.", to=address(cast.bob, issue), by=cast.bob.email)
    run_jobs()
    assert not comments(session, issue)
    assert "INBOUND_AUTHSERV_ID" in " ".join(mailbox(to=cast.bob)[0].text.split())


def test_it_takes_a_setting_of_its_own_to_believe_every_from_line(
    issue, cast, app, monkeypatch, taking_mail, run_jobs, address, write, session
):
    without = replace(taking_mail, inbound_authserv_id="", inbound_without_dmarc=True)
    monkeypatch.setitem(app.config, "SETTINGS", without)
    write("At my word.", to=address(cast.bob, issue), by=cast.bob.email)
    run_jobs()
    assert comments(session, issue) == ["At my word."]


TWO_FACED = [
    "{bob} <eve@example.org>",
    '"{bob}" <eve@example.org>',
    "{bob}, eve@example.org",
    "{bob} (eve@example.org)",
    "=?utf-8?q?{bob}?= <eve@example.org>",
    "Eve <eve@example.org>\r\nFrom: {bob}",
    "{bob}\r\nFrom: Eve <eve@example.org>",
    "{bob}@example.org",
]


@pytest.mark.parametrize("sender", TWO_FACED)
def test_a_from_line_with_more_than_one_address_is_nobodys(
    sender, issue, cast, run_jobs, address, write, session
):
    write("As Bob.", to=address(cast.bob, issue), by="x@example.org", From=sender.format(bob=cast.bob.email))
    run_jobs()
    assert not comments(session, issue)
    assert outcome(session) == "refused"


def test_a_name_that_is_the_address_once_more_is_no_second_one(
    issue, cast, run_jobs, address, write, session
):
    bob = cast.bob.email
    write("As Bob.", to=address(cast.bob, issue), by=bob, From=f'"{bob}" <{bob}>')
    run_jobs()
    assert comments(session, issue) == ["As Bob."]


def test_a_message_to_two_of_our_addresses_under_one_name_is_two(
    issue, cast, run_jobs, address, write, session
):
    for person in (cast.alice, cast.bob):
        write(f"{person.name} says so.", to=address(person, issue), by=person.email)
    run_jobs()
    assert len(comments(session, issue)) == 2


DEEP = {
    "parentheses": "From: " + "(" * 900 + "\nTo: {to}\n\nHi",
    "parts": PROOF + "From: {bob}\nTo: {to}\n" + "Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n",
}


@pytest.mark.parametrize("kind", DEEP)
def test_a_message_made_to_break_its_reader_comes_to_nothing(
    kind, issue, cast, client, run_jobs, address, taking_mail, session
):
    head, nested = DEEP[kind].replace("{to}", address(cast.bob, issue)).replace("{bob}", cast.bob.email), ""
    if kind == "parts":
        head, _, part = head.partition("Content-Type")
        nested = "".join(f"Content-Type{part}".replace("{n}", str(number)) for number in range(1500))
    session.commit()
    raw = f"Message-ID: <deep@x>\n{head}{nested}\n\nHi".encode()
    assert client.post("/inbound/raw", data=raw, auth=("tocsin", SECRET)).status_code == 202
    run_jobs()
    assert outcome(session) == "ignored"


def test_the_body_is_read_while_no_transaction_is_open(
    issue, cast, app, run_jobs, address, write, session, monkeypatch
):
    from app.db import transaction
    from app.services.mails import inbound

    writers = []
    read = inbound.text

    def read_beside_a_writer(opened):
        with transaction() as other:  # on SQLite this would wait for the lock, and fail
            writers.append(other.get(Issue, issue.id).id)
        return read(opened)

    monkeypatch.setattr(inbound, "text", read_beside_a_writer)
    write("Slowly.", to=address(cast.bob, issue), by=cast.bob.email)
    run_jobs()
    assert writers == [issue.id]
    assert comments(session, issue) == ["Slowly."]
