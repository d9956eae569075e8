"""IRC is told of issues: what waits goes over one connection, and a server that is away is borne."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.models import Delivery, Destination
from app.services.integrations import connecting
from app.services.integrations.connecting import Vault, Wishes
from app.services.sealing import Seal
from tests.support import ircd
from tests.support.ircd import Scripted

PONG = ("PING", [":irc.x PONG irc.x {rest}"])
WELL = [
    ("USER", [":irc.x 001 tocsin :Welcome", ":irc.x 376 tocsin :End"]),
    ("JOIN", [":tocsin!t@h JOIN #ops"]),
    *[PONG] * 9,
]


@pytest.fixture
def servers() -> Iterator[list[Scripted]]:
    made: list[Scripted] = []
    yield made
    for each in made:
        with suppress(OSError):
            each.stop()


@pytest.fixture
def port() -> int:
    return ircd.free_port()


@pytest.fixture
def channel(cast, session, settings, make, port) -> Destination:
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0
    vault = Vault(Seal(settings.credential_keys), settings.outbound_allow)
    given = {
        "server": "127.0.0.1",
        "port": str(port),
        "encryption": "plain",
        "targets": ["#ops"],
        "command": "PRIVMSG",
    }
    wishes = Wishes("Ops", ["new", "regression", "again", "resolved"], given)
    made, _ = connecting.add(session, cast.shop, "irc", wishes, vault, by=cast.alice, now=make.now)
    make.rule_to(made)
    return made


def spoken(server: Scripted) -> list[str]:
    texts = (line.partition("PRIVMSG #ops :")[2] for line in server.heard)
    return [text.rpartition(" ")[0] for text in texts if text]


def states(session, channel) -> set[str]:
    session.commit()
    return set(session.scalars(select(Delivery.state).where(Delivery.destination_id == channel.id)))


def test_what_waits_goes_over_one_connection_and_says_goodbye(
    channel, port, servers, report, run_jobs, session
):
    servers.append(Scripted(WELL, port=port))
    for number in range(3):
        report(f"Error{number}: cart")
    run_jobs()
    [server] = servers
    assert server.connections == 1
    assert len(spoken(server)) == 3
    assert [line for line in server.heard if line.startswith(("NICK", "JOIN"))] == [
        "NICK tocsin",
        "JOIN #ops",
    ]
    assert server.heard[-1] == "QUIT Done"
    assert states(session, channel) == {"accepted"}


def test_a_server_that_is_away_gets_it_all_in_order_when_it_is_back(
    channel, port, servers, report, run_jobs, session
):
    for title in ("KeyError: one", "ValueError: two"):
        report(title)
        run_jobs()
    assert "accepted" not in states(session, channel)
    servers.append(Scripted(WELL, port=port))
    run_jobs.sweep(after=timedelta(minutes=5))
    run_jobs.sweep(after=timedelta(minutes=10))
    [server] = servers
    assert [text.split()[3] for text in spoken(server)] == ["KeyError:", "ValueError:"]
    assert server.connections == 1
    assert states(session, channel) == {"accepted"}


def test_a_channel_that_lets_nobody_in_is_switched_off_and_told(
    channel, port, servers, report, run_jobs, session, mailbox
):
    answers = [WELL[0], ("JOIN", [":irc.x 473 tocsin #ops :no"]), PONG]
    servers.append(Scripted(answers, port=port))
    report("KeyError: cart")
    run_jobs()
    session.refresh(channel)
    assert channel.state == "disabled"
    assert "invite" in channel.disabled_reason
    assert [mail for mail in mailbox() if mail["X-Tocsin-Kind"] == "integration_off"]
