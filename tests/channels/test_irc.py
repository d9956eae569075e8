"""IRC against a real ngircd, and against a server that says what it is told to."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from app.channels import irc, irc_client, irc_sign_in
from app.channels.base import Outcome, settings_of
from app.channels.http import Http
from app.channels.irc import Irc
from app.domain import outward
from app.services.integrations import channel_settings
from app.services.sealing import without
from scripts import find_tools
from tests.channels.conftest import LOOPBACK
from tests.channels.test_webhook import NOW, message
from tests.support import ircd
from tests.support.ircd import Person, Server, scripted

LINE = (
    "[shop/production] NEW SHOP-4F KeyError: cart (shop.cart) 7x https://t.example.org/acme/shop/issues/143/"
)
WELCOME = [":irc.x 001 tocsin :Welcome", ":irc.x 376 tocsin :End"]
SAID = "PRIVMSG #ops"
# Of a server on which everything works.
WELL = (("USER", WELCOME), ("JOIN", [":tocsin!t@h JOIN #ops"]), ("PING", [":irc.x PONG irc.x {rest}"]))


def program() -> str:
    found = find_tools.ngircd()
    if found is None:
        pytest.skip("ngircd is not installed")
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server(program())
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def hurry(request, monkeypatch):
    """ngircd bears more than others."""
    if "paced" not in request.node.name:
        monkeypatch.setattr(irc_client, "SECONDS_A_LINE", 0.02)


@pytest.fixture
def ana(server: Server) -> Iterator[Person]:
    made = Person(server.port, "ana", "#ops")
    yield made
    made.close()


def channel(server: Server, *targets: str, **settings) -> Irc:
    usual = {"port": str(server.tls_port), "fingerprint": server.fingerprint}
    return Irc(server="127.0.0.1", targets=list(targets) or ["#ops"], **{**usual, **settings})


def plain(port: int, *targets: str, **settings) -> Irc:
    usual = {"encryption": irc.PLAIN, "command": "PRIVMSG"}
    return Irc(server="127.0.0.1", targets=list(targets) or ["#ops"], port=str(port), **{**usual, **settings})


def send(channel: Irc, http: Http, **changes):
    return channel.send(message(**changes), http=http, now=NOW)


# A real server


def test_a_whole_conversation_over_tls(server, ana, http):
    answer = send(channel(server), http)
    http.close()
    ana.until(" QUIT ")
    assert answer.outcome == Outcome.DELIVERED
    assert answer.advice == ""
    assert ana.said("#ops") == [LINE]
    said = [line for line in answer.request.splitlines() if not line.startswith("PING")]
    assert said == [
        "NICK tocsin",
        "USER tocsin 0 * Tocsin",
        "PONG",  # before the greeting
        "JOIN #ops",
        "MODE #ops",
        f"NOTICE #ops :{LINE}",
    ]
    order = [
        word for word in answer.response.split() if word in ("001", "376", "366", "324", "NOTICE", "PONG")
    ]
    assert order == ["PONG", "001", "376", "366", "324", "NOTICE", "PONG"]
    assert answer.peer == f"127.0.0.1:{server.tls_port}"


def test_a_test_shows_the_whole_transcript_where_the_server_is_public(server, ana, http, monkeypatch):
    monkeypatch.setattr(outward, "is_public", lambda address: True)
    answer = send(channel(server), http, kind="test", issue=None, event=None, headline="Test message")
    assert "< 001 tocsin :Welcome to the Internet Relay Network" in answer.response
    assert ana.said("#ops") == ["[shop] TEST Test message https://t.example.org/acme/shop/issues/143/"]


def test_messages_of_one_job_share_a_connection_and_those_of_another_nick_do_not(server, ana, http):
    for _ in range(2):
        assert send(channel(server), http).outcome == Outcome.DELIVERED
    same_server_and_nick = send(channel(server, "ana"), http)
    other = send(channel(server, nick="other"), http)
    assert "NICK" not in same_server_and_nick.request
    assert "NICK other" in other.request
    assert len(http.kept) == 2
    assert ana.said("#ops") == [LINE] * 3
    assert ana.said("ana") == [LINE]
    assert ana.heard.count(" JOIN :#ops") == 3  # her own, and one for each connection


def test_two_jobs_at_once_with_one_nick_both_speak(server, ana, http):
    other = Http(allowed=LOOPBACK)
    first, second = send(channel(server), http), send(channel(server), other)
    other.close()
    assert [first.outcome, second.outcome] == [Outcome.DELIVERED] * 2
    assert "NICK tocsin_" in second.request
    assert "< 433" in second.response
    assert len(ana.said("#ops")) == 2


def test_a_connection_that_died_in_between_is_made_anew(server, ana, http):
    send(channel(server), http)
    [kept] = http.kept.values()
    kept.drop()
    answer = send(channel(server), http)
    assert answer.outcome == Outcome.DELIVERED
    assert "NICK" in answer.request
    assert ana.said("#ops") == [LINE] * 2


def test_a_nick_that_is_too_long_for_the_server_is_cut(server, ana, http):
    answer = send(channel(server, nick="tocsin-of-acme"), http)
    assert answer.outcome == Outcome.DELIVERED
    assert "< 432" in answer.response
    assert "NICK tocsin-of\n" in answer.request


def test_a_nick_that_the_server_does_not_take_is_for_somebody_to_change(server, http):
    answer = send(channel(server, nick="a{b}"), http)
    assert answer.outcome == Outcome.DELIVERED
    with scripted(("USER", [":irc.x 432 * tocsin :Reserved"])) as fake:
        answer = send(plain(fake.port), http)
    assert answer.outcome == Outcome.BROKEN
    assert answer.advice == "The server does not take the nick."


@pytest.mark.parametrize(
    ("command", "target", "settings", "outcome", "words"),
    [
        ("NOTICE", "#keyed", {"keys": {"#Keyed": "hunter2"}}, Outcome.DELIVERED, ""),
        ("NOTICE", "#keyed", {"keys": {"#keyed": "wrong"}}, Outcome.BROKEN, "key of #keyed"),
        ("NOTICE", "#inviteonly", {}, Outcome.BROKEN, "invite"),
        ("NOTICE", "#mod", {}, Outcome.BROKEN, "may not speak in #mod"),
        ("PRIVMSG", "#mod", {}, Outcome.BROKEN, "may not speak in #mod"),
        ("NOTICE", "#inside", {"join": "no"}, Outcome.BROKEN, "may not speak in #inside"),
        ("PRIVMSG", "#inside", {"join": "no"}, Outcome.BROKEN, "may not speak in #inside"),
        ("NOTICE", "#open", {"join": "no"}, Outcome.DELIVERED, ""),
        ("NOTICE", "nobody", {}, Outcome.DOUBTFUL, "nobody is not there"),
        ("PRIVMSG", "nobody", {}, Outcome.DOUBTFUL, "nobody is not there"),
        ("NOTICE", "ana", {}, Outcome.DELIVERED, ""),
        ("PRIVMSG", "ana", {}, Outcome.DELIVERED, ""),
    ],
)
def test_each_refusal_of_a_target_is_seen(server, ana, http, command, target, settings, outcome, words):
    answer = send(channel(server, target, command=command, **settings), http)
    assert answer.outcome == outcome
    assert words in answer.advice
    if target == "ana":
        assert ana.said("ana", command) == [LINE]


def test_a_target_that_does_not_work_leaves_the_others_alone(server, ana, http):
    answer = send(channel(server, "#inviteonly", "#ops", "nobody"), http)
    assert answer.outcome == Outcome.DELIVERED
    assert answer.advice == ("#inviteonly is for invited nicks only: invite Tocsin’s. nobody is not there.")
    assert ana.said("#ops") == [LINE]


def test_a_voice_that_is_given_a_little_later_is_waited_for(server, http, monkeypatch):
    monkeypatch.setattr(irc_client, "VOICE_SECONDS", 15.0)  # ngircd makes those who say much wait
    boss = Person(server.port, "boss", "#new")
    boss.say("MODE #new +m")
    boss.until(" MODE #new +m")

    def give() -> None:
        boss.until("tocsin@127.0.0.1 JOIN :#new")
        time.sleep(0.5)
        boss.say("MODE #new +v tocsin")

    giving = threading.Thread(target=give)
    giving.start()
    answer = send(channel(server, "#new"), http)
    giving.join()
    said = boss.said("#new")
    boss.close()
    assert answer.outcome == Outcome.DELIVERED
    assert said == [LINE]


def test_nothing_in_a_message_is_taken_for_a_command(server, ana, http):
    title = "bad\r\nJOIN #evil\nQUIT :x\x00\x01ACTION\x01"
    answer = send(channel(server), http, issue=replace(message().issue, title=title))
    assert answer.outcome == Outcome.DELIVERED
    [line] = ana.said("#ops")
    assert "NEW SHOP-4F bad JOIN #evil QUIT :xACTION (shop.cart)" in line


def test_the_longest_line_reaches_others_whole(server, ana, http):
    answer = send(channel(server), http, issue=replace(message().issue, title="🐛é" * 300))
    [line] = ana.said("#ops")
    assert answer.outcome == Outcome.DELIVERED
    assert line.endswith("https://t.example.org/acme/shop/issues/143/")
    assert 380 < len(line.encode()) <= 410


def test_more_lines_than_a_server_bears_are_paced_and_all_arrive(server, ana, http):
    begun = time.monotonic()
    answer = send(channel(server, "#ops", "ana", command="PRIVMSG", lines="4"), http, tags=("browser",))
    assert answer.outcome == Outcome.DELIVERED
    assert len(ana.said("#ops", "PRIVMSG")) == len(ana.said("ana", "PRIVMSG")) == 4
    assert time.monotonic() - begun > 2 * (9 - irc_client.BURST) - 1


def test_where_one_may_be_in_so_many_channels_the_others_are_left(http):
    small = Server(program(), most_channels=1)
    answer = send(channel(small, "#one", "#two", command="PRIVMSG"), http)
    small.stop()
    assert answer.outcome == Outcome.DELIVERED
    assert answer.advice == ""
    assert "PART #one\nJOIN #two" in answer.request


@pytest.mark.parametrize(
    ("password", "outcome"), [("open sesame", Outcome.DELIVERED), ("wrong", Outcome.BROKEN)]
)
def test_the_password_of_the_server(http, password, outcome):
    closed = Server(program(), password="opensesame")
    answer = send(channel(closed, server_password=password.replace(" ", "")), http)
    closed.stop()
    assert answer.outcome == outcome
    assert "sesame" not in answer.request + answer.response
    if outcome == Outcome.BROKEN:
        assert answer.advice == "The server does not take the server password."


def test_a_server_that_is_gone_is_tried_again(http):
    answer = send(plain(ircd.free_port()), http)
    assert (answer.outcome, answer.code, answer.is_unsure) == (Outcome.RETRY, "connect", False)


# Certificates


@pytest.mark.parametrize(
    ("settings", "outcome", "words"),
    [
        ({"fingerprint": ""}, Outcome.RETRY, "certificate is not good: self-signed certificate"),
        ({"fingerprint": "", "encryption": irc.ANY_CERTIFICATE}, Outcome.DELIVERED, ""),
        ({"fingerprint": "ab" * 32}, Outcome.BROKEN, "its SHA-256 is"),
        ({"fingerprint": "ab" * 32, "encryption": irc.ANY_CERTIFICATE}, Outcome.BROKEN, "its SHA-256 is"),
    ],
)
def test_a_certificate_of_its_own_making_is_taken_only_where_that_was_asked_for(
    server, http, settings, outcome, words
):
    answer = send(channel(server, **settings), http)
    assert answer.outcome == outcome
    assert words in answer.response + answer.advice


def test_a_fingerprint_may_be_written_with_colons(server, http):
    pairs = [server.fingerprint[at : at + 2] for at in range(0, 64, 2)]
    assert send(channel(server, fingerprint=":".join(pairs).upper()), http).outcome == Outcome.DELIVERED


def test_what_speaks_no_tls_is_not_spoken_to(http):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b":irc.x NOTICE * :Looking up your hostname\r\n")
                connection.recv(4096)

        greeting = threading.Thread(target=greet)
        greeting.start()
        answer = send(Irc("127.0.0.1", ["#ops"], port=str(listening.getsockname()[1])), http)
        greeting.join()
    assert (answer.outcome, answer.code) == (Outcome.RETRY, "tls")


# A server that says what it is told to


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    directory = tmp_path_factory.mktemp("irc")
    ircd.certificate(directory)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    return made


def with_sasl(port: int, password: str = "s3cr3t") -> Irc:
    return Irc(
        server="127.0.0.1",
        targets=["#ops"],
        port=str(port),
        encryption=irc.ANY_CERTIFICATE,
        command="PRIVMSG",
        login=irc_sign_in.SASL,
        account="erbot",
        password=password,
    )


OFFER = ("CAP LS 302", [":irc.x CAP * LS * :multi-prefix", ":irc.x CAP * LS :sasl=EXTERNAL,PLAIN"])
ACK = ("CAP REQ", [":irc.x CAP tocsin ACK :sasl"])
GO = ("AUTHENTICATE PLAIN", ["AUTHENTICATE +"])
DONE = ("CAP END", WELCOME)


@pytest.mark.parametrize("length", [6, 293, 300])
def test_signing_in_with_sasl(http, secure, length):
    password = "p" * length
    last = "AUTHENTICATE +" if length == 293 else "AUTHENTICATE "
    proof = (last, [":irc.x 903 tocsin :ok"])
    pieces = irc.irc_lines.sasl_plain("erbot", password)
    # The answer comes after the last piece alone.
    answers = (OFFER, ACK, GO, *((piece, []) for piece in pieces[:-1]), proof, DONE, *WELL[1:])
    with scripted(*answers, context=secure) as fake:
        answer = send(with_sasl(fake.port, password), http)
    assert answer.outcome == Outcome.DELIVERED
    assert [line for line in fake.heard if line.startswith("AUTHENTICATE")] == ["AUTHENTICATE PLAIN", *pieces]
    assert fake.heard.index("CAP LS 302") < fake.heard.index("NICK tocsin") < fake.heard.index("CAP END")
    assert pieces[0].split()[1][:40] not in answer.request + answer.response
    assert password not in answer.request + answer.response


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([OFFER, ACK, GO, ("AUTHENTICATE A", [":irc.x 904 tocsin :no"])], "password is wrong"),
        ([OFFER, ACK, GO, ("AUTHENTICATE A", [":irc.x 902 tocsin :no"])], "locked"),
        ([OFFER, ACK, ("AUTHENTICATE PLAIN", [":irc.x 908 tocsin EXTERNAL :are"])], "not PLAIN"),
        ([("CAP LS", [":irc.x CAP * LS :sasl=EXTERNAL"])], "not PLAIN"),
        ([("CAP LS", [":irc.x CAP * LS :multi-prefix"])], "no SASL"),
        ([OFFER, ("CAP REQ", [":irc.x CAP * NAK :sasl"])], "no SASL"),
        ([("USER", WELCOME)], "no SASL"),  # it does not know CAP at all
    ],
)
def test_an_account_that_is_not_let_in_is_for_somebody_to_change(http, secure, answers, words):
    with scripted(*answers, context=secure) as fake:
        answer = send(with_sasl(fake.port), http)
    assert answer.outcome == Outcome.BROKEN
    assert words in answer.advice


def test_an_account_is_never_sent_in_the_clear(http):
    with scripted(OFFER, ACK, GO) as fake:
        answer = send(replace(with_sasl(fake.port), encryption=irc.PLAIN), http)
    assert answer.outcome == Outcome.BROKEN
    assert "choose TLS" in answer.advice
    assert [line for line in fake.heard if "AUTHENTICATE" in line] == []


def test_signing_in_with_nickserv_before_joining(http):
    identified = ("PRIVMSG NickServ", [":tocsin MODE tocsin :+r"])
    with scripted(WELL[0], identified, *WELL[1:]) as fake:
        answer = send(plain(fake.port, login=irc_sign_in.NICKSERV, account="erbot", password="s3cr3t"), http)
    assert answer.outcome == Outcome.DELIVERED
    order = [line.split()[0] for line in fake.heard]
    assert order[:5] == ["NICK", "USER", "PRIVMSG", "JOIN", "PRIVMSG"]
    assert fake.heard[2] == "PRIVMSG NickServ :IDENTIFY erbot s3cr3t"
    assert "s3cr3t" not in answer.request + answer.response


def test_a_network_without_nickserv(server, http):
    answer = send(channel(server, login=irc_sign_in.NICKSERV, password="s3cr3t"), http)
    assert answer.outcome == Outcome.BROKEN
    assert "no NickServ" in answer.advice


@pytest.mark.parametrize(
    ("first", "outcome", "wait"),
    [
        ("ERROR :Closing Link: throttled: reconnecting too fast", Outcome.RETRY_AT, timedelta(seconds=60)),
        ("ERROR :Closing Link: K-lined", Outcome.BROKEN, None),
        (":irc.x 465 * :You are banned", Outcome.BROKEN, None),
        (":irc.x 464 * :Password incorrect", Outcome.BROKEN, None),
        (":irc.x 263 * :Please wait", Outcome.RETRY_AT, timedelta(seconds=60)),
        ("ERROR :Closing Link: something else", Outcome.RETRY, None),
        ("cut", Outcome.RETRY, None),
    ],
)
def test_what_a_server_says_at_the_door(http, first, outcome, wait):
    with scripted(("USER", [first])) as fake:
        answer = send(plain(fake.port), http)
    assert (answer.outcome, answer.retry_after, answer.is_unsure) == (outcome, wait, False)


@pytest.mark.parametrize(
    ("said", "outcome", "words"),
    [
        (":irc.x 471 tocsin #ops :full", Outcome.BROKEN, "#ops is full"),
        (":irc.x 474 tocsin #ops :banned", Outcome.BROKEN, "banned from #ops"),
        (":irc.x 477 tocsin #ops :registered", Outcome.BROKEN, "registered nicks only"),
        (":irc.x 489 tocsin #ops :secure", Outcome.BROKEN, "secure connections"),
        (":irc.x 520 tocsin #ops :opers", Outcome.BROKEN, "operators"),
        (":irc.x 403 tocsin #ops :none", Outcome.BROKEN, "no channel #ops"),
        (":irc.x 476 tocsin #ops :mask", Outcome.BROKEN, "no name of a channel"),
        (":irc.x 437 tocsin #ops :split", Outcome.RETRY_AT, "just now"),
        (":irc.x 405 tocsin #ops :many", Outcome.BROKEN, "one too many"),
        (":irc.x 470 tocsin #ops ##ops :Forwarding", Outcome.BROKEN, "another channel"),
        (":irc.x 471 tocsin #OPS :full", Outcome.BROKEN, "#ops is full"),
    ],
)
def test_what_a_server_says_to_joining(http, said, outcome, words):
    with scripted(WELL[0], ("JOIN", [said])) as fake:
        answer = send(plain(fake.port), http)
    assert answer.outcome == outcome
    assert words in answer.advice
    assert not any(line.startswith(SAID) for line in fake.heard)


@pytest.mark.parametrize(
    ("said", "outcome", "is_unsure"),
    [
        ([":irc.x 404 tocsin #ops :no"], Outcome.BROKEN, False),
        ([":irc.x 401 tocsin #ops :no"], Outcome.DOUBTFUL, False),
        ([":irc.x 439 tocsin #ops :slow"], Outcome.RETRY_AT, False),
        (["ERROR :Excess Flood"], Outcome.RETRY_AT, True),
        (["cut"], Outcome.RETRY, True),
        ([":irc.x 404 tocsin #other :no"], Outcome.DELIVERED, False),
    ],
)
def test_what_a_server_says_to_a_line(http, said, outcome, is_unsure):
    with scripted(*WELL[:2], (SAID, said), WELL[2]) as fake:
        answer = send(plain(fake.port), http)
    assert (answer.outcome, answer.is_unsure) == (outcome, is_unsure)


def test_a_line_that_is_not_confirmed_may_have_arrived(http, monkeypatch):
    monkeypatch.setattr(irc_client, "CONFIRM_SECONDS", 0.2)
    with scripted(*WELL[:2]) as fake:
        answer = send(plain(fake.port), http)
    assert (answer.outcome, answer.code, answer.is_unsure) == (Outcome.RETRY, "timeout", True)
    assert http.kept == {}


def test_a_server_that_never_greets_or_never_ends_a_line_is_left(http, monkeypatch):
    monkeypatch.setattr(irc_sign_in, "REGISTER_SECONDS", 0.2)
    with scripted() as fake:
        assert send(plain(fake.port), http).code == "timeout"
    with scripted(("USER", ["x" * 100_000])) as fake:
        assert send(plain(fake.port), http).outcome == Outcome.RETRY


@pytest.mark.parametrize("text", ["x" * 511, "🐛" * 128, "a\r\nQUIT", "a\nQUIT", "a\0b"])
def test_a_line_that_no_server_would_take_is_never_sent(text):
    ours, theirs = socket.socketpair()
    client = irc_client.Client(ours, may_show=True)
    with pytest.raises(irc_client.Trouble):
        client.speak("PRIVMSG", "#ops", [text])
    client.drop()
    assert theirs.recv(1) == b""
    theirs.close()


def test_all_nicks_taken(http):
    taken = [
        (f"NICK {nick}", [f":irc.x 433 * {nick} :taken"])
        for nick in ("tocsin_", "tocsin1", "tocsin2", "tocsin3")
    ]
    with scripted(*taken, ("NICK tocsin", [":irc.x 433 * tocsin :taken"])) as fake:
        answer = send(plain(fake.port), http)
    assert (answer.outcome, answer.code) == (Outcome.RETRY, "433")
    assert sum(line.startswith("NICK") for line in fake.heard) == 5


# Where it may go


def test_private_addresses_are_refused():
    strict = Http()
    with scripted() as fake:
        answer = send(plain(fake.port), strict)
    assert answer.outcome == Outcome.BLOCKED
    assert outward.SETTING in answer.advice
    assert fake.connections == 0


def test_a_name_is_judged_by_what_it_leads_to_when_the_connection_is_made():
    """What it led to a moment ago does not count, and one bad address spoils the others."""
    with scripted(*WELL) as fake:
        found = [["93.184.216.34"], ["93.184.216.34", "127.0.0.1"], ["127.0.0.1"], ["::ffff:127.0.0.1"]]
        tried: list[str] = []

        def connect(address: str, port: int, seconds: float) -> socket.socket:
            tried.append(address)
            raise ConnectionRefusedError

        http = Http(resolve=lambda host, port: found.pop(0), connect=connect)
        channel = replace(plain(fake.port), server="irc.example.org")
        outcomes = [send(channel, http).outcome for _ in range(4)]
    assert outcomes == [Outcome.RETRY, Outcome.BLOCKED, Outcome.BLOCKED, Outcome.BLOCKED]
    assert tried == ["93.184.216.34"]


def test_a_name_that_is_unknown_is_tried_again():
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    answer = send(plain(6667), Http(resolve=nowhere))
    assert (answer.outcome, answer.code) == (Outcome.RETRY, "dns")


# Settings


def read(**given):
    usual = {"server": "irc.example.org", "targets": ["#ops"]}
    return channel_settings.read("irc", {**usual, **given}, allowed=outward.Allowed())


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"server": "2001:db8::1"},
        {"port": "6667", "encryption": "plain"},
        {"port": "9999"},
        {"targets": ["#ops", "&local", "+plus", "!ABCDEsafe", "ana", "[b]o_b|"]},
        {"fingerprint": "AB:" * 31 + "cd"},
        {"keys": {"#ops": "hunter2"}},
    ],
)
def test_settings_that_are_taken(given):
    if len(given.get("targets", ())) > irc.MOST_TARGETS:
        given = {"targets": given["targets"][: irc.MOST_TARGETS]}
    assert read(**given).settings["server"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("server", "irc.example.org/x"),
        ("server", "a b"),
        ("server", "-x"),
        ("port", "22"),
        ("port", "25"),
        ("port", "80"),
        ("port", "1024"),
        ("port", "6379"),
        ("port", "70000"),
        ("port", "six"),
        ("port", "²²²²"),
        ("nick", "1up"),
        ("nick", "a b"),
        ("nick", "x" * 31),
        ("user", "a b"),
        ("server_password", "a b"),
        ("account", "a b"),
        ("fingerprint", "abc"),
        ("targets", []),
        ("targets", ["#a b"]),
        ("targets", ["#a,b"]),
        ("targets", ["#" + "x" * 50]),
        ("targets", ["#a", "#a"]),
        ("targets", ["#a", "#b", "#c", "#d", "#e", "#f"]),
        ("targets", ["9nick"]),
        ("targets", ["#a\r\nQUIT"]),
        ("keys", {"ops": "k"}),
        ("keys", {"#ops": "a b"}),
        ("keys", {"#ops": "a,b"}),
        ("keys", {"#ops": ""}),
        ("lines", "5"),
        ("encryption", "none"),
        ("server_password", "a\r\nQUIT"),
    ],
)
def test_settings_that_no_server_would_take_are_refused(field, value):
    with pytest.raises(channel_settings.Refused) as refused:
        read(**{field: value})
    assert refused.value.field == field


def test_names_that_are_left_empty_are_the_usual_ones():
    who = Irc("irc.example.org", ["#ops"], nick="", user="", real_name="").who
    assert (who.nick, who.user, who.real_name) == ("tocsin", "tocsin", "Tocsin")


def test_ports_follow_the_kind_of_connection():
    assert Irc("irc.example.org", ["#ops"]).port_number == 6697
    assert Irc("irc.example.org", ["#ops"], irc.PLAIN).port_number == 6667
    assert Irc("irc.example.org", ["#ops"], port="7000").port_number == 7000


def test_secrets_are_kept_apart_and_are_masked_in_the_log(server, http):
    secret = {each.name for each in settings_of(Irc) if each.secret}
    assert secret == {"server_password", "password", "keys"}
    keyed = channel(server, "#keyed", keys={"#keyed": "hunter2"}, command="PRIVMSG")
    answer = send(keyed, http)
    logged = without(answer.request + answer.response, channel_settings.secrets_in(keyed))
    assert "hunter2" not in logged
    assert "JOIN #keyed ••••" in answer.request


def test_the_picture_is_what_is_sent():
    picture = Irc("irc.example.org", ["#ops"], colours="yes").picture(message())
    assert picture.look == "terminal"
    assert picture.text == f"-tocsin- {LINE}"
    assert (picture.title, picture.level) == ("#ops", "error")
    assert Irc("irc.example.org", ["#ops"], command="PRIVMSG").picture(message()).text == f"<tocsin> {LINE}"
