"""A room that is told of an issue: one message that grows, and is struck through in the end."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.models import Delivery, Destination, Issue
from app.services.integrations import channel_settings, connecting
from app.services.integrations.connecting import Vault, Wishes
from app.services.sealing import Seal
from tests.support.receiver import answer


@pytest.fixture
def room(receiver):
    """What stands in the room, by number; a server that can change messages unless it is `old`."""

    class Room:
        messages: dict[int, str] = {}
        is_old = False

        def __call__(self, handler) -> None:
            call = handler.receiver.taken[-1]
            if call.method == "POST":
                number = 1015 + len(self.messages)
                self.messages[number] = call.body.decode()
                answer(201, location=f"https://chat.example.org/rooms/2/messages/{number}")(handler)
            elif self.is_old:
                answer(404)(handler)
            else:
                number = int(re.search(r"(\d+)$", call.path)[1])
                self.messages[number] = call.body.decode()
                answer(200, b"{}")(handler)

    made = Room()
    made.messages = {}
    receiver.usual = made
    return made


@pytest.fixture
def bot(cast, session, settings, make, receiver, room) -> Destination:
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0
    vault = Vault(Seal(settings.credential_keys), settings.outbound_allow)
    wishes = Wishes(
        "Room",
        ["new", "regression", "again", "resolved"],
        {"url": f"{receiver.base}/rooms/2/7-AbCdEf123456/messages"},
    )
    made, _ = connecting.add(session, cast.shop, "campfire", wishes, vault, by=cast.alice, now=make.now)
    all_of_it = [{"id": "first_seen"}, {"id": "regression"}, {"id": "every_event"}]
    make.rule_to(made, conditions=all_of_it, condition_match="any", frequency_minutes=0)
    return made


@pytest.fixture
def resolve(acts, session, cast):
    def act():
        session.commit()
        acts.resolve(session.scalars(select(Issue).order_by(Issue.id)).first(), by=cast.bob)

    return act


def test_one_message_grows_and_is_struck_through_and_a_regression_is_a_new_one(
    bot, room, report, run_jobs, resolve, session
):
    report()
    run_jobs()
    report()
    run_jobs()
    run_jobs.sweep(after=timedelta(minutes=5))
    [only] = room.messages.values()
    assert "<strong>New issue</strong>" in only
    assert "2 events" in only
    resolve()
    run_jobs.sweep(after=timedelta(minutes=10))
    [only] = room.messages.values()
    assert only.startswith("<del><strong>New issue</strong>")
    assert only.endswith("</del> Resolved by Bob")
    report()
    run_jobs()
    run_jobs.sweep(after=timedelta(minutes=15))
    assert len(room.messages) == 2
    session.commit()
    states = session.scalars(select(Delivery.state).where(Delivery.destination_id == bot.id)).all()
    assert set(states) == {"accepted"}


def test_an_old_server_is_remembered(bot, room, report, run_jobs, resolve, session, settings, receiver):
    room.is_old = True
    report()
    run_jobs()
    resolve()
    run_jobs.sweep(after=timedelta(minutes=5))
    assert len(room.messages) == 2
    session.refresh(bot)
    assert channel_settings.stored(bot, Seal(settings.credential_keys))["old_since"]
    report()
    run_jobs()
    run_jobs.sweep(after=timedelta(minutes=10))
    resolve()
    run_jobs.sweep(after=timedelta(minutes=15))
    assert [each.method for each in receiver.taken].count("PATCH") == 1


def test_a_bot_that_is_gone_is_switched_off_and_told(bot, room, report, run_jobs, receiver, session, mailbox):
    receiver.usual = answer(302, location="https://chat.example.org/session/new")
    report()
    run_jobs()
    session.refresh(bot)
    assert bot.state == "disabled"
    assert "bot" in bot.disabled_reason
    assert [mail for mail in mailbox() if mail["X-Tocsin-Kind"] == "integration_off"]
