"""Every kind of mail over ordinary and hostile data: both parts, short lines, nothing that breaks out."""

import email
import email.policy
from datetime import timedelta
from email.message import EmailMessage

import pytest
from bs4 import BeautifulSoup
from flask import current_app
from sqlalchemy import select

from app.channels import email as channel
from app.domain.kinds import KINDS, NOTICE_OF_ACTIVITY, SECURITY, TEST
from app.jobs.deliver import site
from app.models import Delivery, Event, Notice
from app.services import notifying, preferring, timeline
from app.services.composing import Composer

TITLES = {
    "ordinary": "KeyError: cart",
    "markup": 'Oops: </style><script>alert(1)</script><b hx-get="/x">',
    "long": "ValueError: " + "x" * 10_000,
    "right to left": "خطأ: \u202eمرحبا בעולם",
    "header": "Broken: \r\nBcc: everyone@example.com",
    "emoji and controls": "💥: \x1b[31m\u0007 bang",
    "empty": "<unlabeled event>",
    "placeholder": "QTOKENISSUEQ: QTOKENPROJECTQ",
}
ACTIVITY = {notice: activity for activity, notice in NOTICE_OF_ACTIVITY.items() if notice}
IN_THREAD = [kind.name for kind in KINDS.values() if kind.in_thread]
OTHERS = [kind.name for kind in KINDS.values() if not kind.in_thread]


@pytest.fixture
def send(app, session, make, shop, alice, bob, now):
    """Compose the mail that bob gets about this kind of thing happening to an issue with this title."""

    def compose(kind: str, title: str = TITLES["ordinary"], **project) -> EmailMessage:
        for name, value in project.items():
            setattr(shop, name, value)
        issue = make.issue(shop, title=title[:255], events=1, message=title)
        event = issue_event(session, issue)
        data = {
            "to": {"type": "user", "id": bob.id, "name": bob.name},
            "was": {"type": "team", "id": 1, "name": "#payments"},
            "text": f"@bob look:\n\n    {title}",
            "mentioned": [bob.id],
        }
        happened = ACTIVITY.get(kind)
        event_id = event if kind.startswith(("alert", "regression")) else None
        if happened:
            by = None if happened == "set_regression" else alice
            timeline.record(session, issue, happened, by=by, now=now, data=data, event_id=event_id)
        else:
            session.add(Notice(**timeline.notice_row(kind, issue, now=now, event_id=event_id)))
            session.flush()
        notice = session.scalars(select(Notice).where(Notice.issue_id == issue.id)).one()
        instance = preferring.defaults(workflow="always")
        notifying.plan(session, [notice.id], now=now, instance=instance)
        found = select(Delivery).where(Delivery.user_id == bob.id).order_by(Delivery.id.desc()).limit(1)
        return wire(session, session.scalars(found).one(), now)

    return compose


def issue_event(session, issue) -> str:
    return session.scalars(select(Event.event_id).where(Event.issue_id == issue.id)).first()


def wire(session, delivery: Delivery, now) -> EmailMessage:
    with current_app.app_context():
        mail = Composer(session, current_app.jinja_env, site()).compose(delivery)
        raw = channel.build(mail, current_app.config["MAIL_DEFAULT_SENDER"], now)
    check_bytes(raw)
    return email.message_from_bytes(raw, policy=email.policy.default)


def check_bytes(raw: bytes) -> None:
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert len(raw) < 80 * 1024
    assert raw.lower().count(b"\r\nmessage-id:") == 1


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES)
@pytest.mark.parametrize("kind", IN_THREAD)
def test_a_mail_is_well_made_whatever_the_event_says(app, send, kind, title):
    with app.app_context():
        message = send(kind, title)
    text, html = (message.get_body((part,)).get_content() for part in ("plain", "html"))
    page = BeautifulSoup(html, "html.parser")
    assert not message.defects
    assert len(page.find_all("h1")) == 1
    assert not page.find_all(["img", "script", "link", "iframe", "form"])
    assert all(link["href"].startswith(("http://", "https://")) for link in page.find_all("a"))
    assert not [tag for tag in page.find_all(True) if any(name.startswith("hx-") for name in tag.attrs)]
    assert message["Subject"].startswith("SHOP-")
    assert len(message["Subject"]) <= 128
    assert message["Bcc"] is None
    assert "You're getting this because" in text
    assert "Unsubscribe from this issue: http" in text


@pytest.mark.parametrize("kind", IN_THREAD)
def test_a_mail_can_be_unsubscribed_from_and_answers_no_robot(app, send, kind):
    with app.app_context():
        message = send(kind)
    assert message["List-Unsubscribe"].startswith("<http")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "All" not in message["X-Auto-Response-Suppress"]
    assert message["X-Tocsin-Kind"] == kind
    assert message["In-Reply-To"] == message["References"]


@pytest.mark.parametrize("kind", IN_THREAD)
def test_a_project_that_wants_links_only_says_nothing_of_the_error(app, send, kind):
    with app.app_context():
        message = send(kind, "SecretError: hunter2", mail_detail="link")
    assert "hunter2" not in message.as_string()
    assert "SecretError" not in message.as_string()


def test_text_and_html_link_to_the_same_places(app, send):
    with app.app_context():
        message = send("alert.new")
    text, html = (message.get_body((part,)).get_content() for part in ("plain", "html"))
    links = {link["href"] for link in BeautifulSoup(html, "html.parser").find_all("a")}
    assert all(link in text for link in links)


def test_mails_about_one_issue_share_a_thread_and_a_subject(app, send, session, make, shop, now):
    with app.app_context():
        one, other = send("alert.new"), send("alert.new")
    assert one["References"] != other["References"]
    assert one["Subject"] != other["Subject"]


def test_a_long_thread_is_renewed_before_mail_programs_cap_it(app, session, make, shop, now):
    issue = make.issue(shop)
    epochs = [notifying._join_thread(issue, now) for _ in range(81)]
    assert (epochs[0], epochs[79], epochs[80]) == (1, 1, 2)
    assert notifying._join_thread(issue, now + timedelta(days=91)) == 3


@pytest.mark.parametrize("kind", [name for name in OTHERS if KINDS[name].category == SECURITY])
def test_a_security_mail_has_nothing_to_unsubscribe_from(app, session, bob, now, kind):
    data = {"url": "http://127.0.0.1:8000/auth/link/x/", "by": "Alice", "organization": "Acme"}
    delivery = Delivery(
        public_id="d.1",
        user=bob,
        channel="email",
        kind=kind,
        address=bob.email,
        data=data,
        created_at=now,
        send_at=now,
    )
    session.add(delivery)
    session.flush()
    with app.app_context():
        message = wire(session, delivery, now)
    assert message["List-Unsubscribe"] is None
    assert data["url"] in message.get_body(("plain",)).get_content()


def test_every_kind_of_notice_is_covered_here():
    assert {KINDS[name].category for name in OTHERS} == {SECURITY, TEST}


def test_an_event_cannot_have_a_signed_link_put_where_it_likes(app, send):
    with app.app_context():
        message = send("alert.new", "https://evil.example/?t=QTOKENPROJECTQ&u=QTOKENISSUEQ")
    text = message.get_body(("plain",)).get_content()
    assert "evil.example/?t=QTOKENPROJECTQ" in text
