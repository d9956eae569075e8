"""Outgoing calls: which addresses they reach, and what becomes of every way to misbehave."""

import socket
import ssl
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.channels import meanings
from app.channels.base import Outcome
from app.channels.http import Http, Reply
from app.channels.meanings import moved
from app.domain import outward
from app.domain.outward import Allowed
from tests.channels.conftest import LOOPBACK
from tests.support.receiver import Receiver, answer, dripping, endless, hang_up, slow

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
# Public, and nobody's here: `connect` leads it to the server of the test.
PUBLIC = "93.184.215.14"


def called(http, url, **more):
    return meanings.attempt(
        lambda: http.post(url, b"{}", {"Content-Type": "application/json"}, **more),
        lambda reply: meanings.usual(reply, now=NOW),
        request=f"POST {url}",
    )


def elsewhere(receiver, *answers):
    """What a name leads to, one list after the other; whatever is connected to is the server of the test."""
    asked, connected = [], []

    def resolve(host, port):
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    def connect(address, port, seconds):
        connected.append(address)
        return socket.create_connection((receiver.host, receiver.port), timeout=seconds)

    return resolve, connect, asked, connected


STATUSES = {
    "taken": (answer(200), Outcome.DELIVERED),
    "taken without a word": (answer(204), Outcome.DELIVERED),
    "busy, with seconds": (answer(429, retry_after="7"), Outcome.RETRY_AT),
    "busy, with a date": (answer(503, retry_after="Mon, 23 Nov 2026 09:05:00 GMT"), Outcome.RETRY_AT),
    "busy, with nonsense": (answer(429, retry_after="soon"), Outcome.RETRY),
    "busy": (answer(503), Outcome.RETRY),
    "a fault of theirs": (answer(500), Outcome.RETRY),
    "a fault of ours": (answer(422), Outcome.BAD_MESSAGE),
    "gone": (answer(410), Outcome.BROKEN),
    "not found": (answer(404), Outcome.DOUBTFUL),
    "elsewhere": (answer(302, location="http://127.0.0.1:1/x?token=s3cret"), Outcome.RETRY),
    "too early": (answer(425), Outcome.RETRY),
    "cut off": (hang_up, Outcome.RETRY),
}


@pytest.mark.parametrize(("script", "outcome"), STATUSES.values(), ids=STATUSES)
def test_every_answer_has_one_meaning(http, receiver, script, outcome):
    receiver.script(script)
    assert called(http, receiver.url).outcome == outcome
    assert len(receiver.taken) == 1


def test_a_redirect_is_not_followed(http, receiver):
    other = Receiver()
    receiver.script(answer(307, location=f"{other.url}?token=s3cret"))
    said = called(http, receiver.url)
    other.stop()
    assert other.taken == []
    assert "not followed" in said.advice
    assert other.url not in said.advice, "where private addresses lead is for nobody to read"


def test_where_a_redirect_leads_is_said_without_its_secrets():
    where = "https://b.example.org/new\x1b[2J\x00?token=s3cret"
    reply = Reply(307, {"Location": where}, "", 1, "")
    assert "to https://b.example.org/new[2J," in moved(reply)
    assert "b.example" not in moved(replace(reply, may_show=False))


WAITS = {
    "seconds": ("7", timedelta(seconds=7)),
    "an hour at most": ("86400", timedelta(hours=1)),
    "a date": ("Mon, 23 Nov 2026 09:05:00 GMT", timedelta(minutes=5)),
    "a date that has passed": ("Mon, 23 Nov 2026 08:05:00 GMT", timedelta()),
    "a date without a zone": ("Mon, 23 Nov 2026 09:05:00 -0000", timedelta(minutes=5)),
    "nothing": ("", None),
    "a negative number": ("-5", None),
    "digits of another script": ("٧", None),
    "a number without end": ("9" * 400, None),
}


@pytest.mark.parametrize(("text", "wait"), WAITS.values(), ids=WAITS)
def test_how_long_the_other_side_wants_us_to_wait(text, wait):
    assert meanings.retry_after({"Retry-After": text}, now=NOW) == wait


def test_a_slow_answer_is_unsure_and_tried_again(http, receiver):
    receiver.script(slow(2))
    said = called(http, receiver.url, read_seconds=0.2)
    assert (said.outcome, said.code, said.is_unsure) == (Outcome.RETRY, "timeout", True)


def test_who_drips_forever_is_hung_up_on(receiver):
    receiver.script(dripping(10))
    http = Http(allowed=LOOPBACK, total_seconds=0.5)
    begun = time.monotonic()
    said = called(http, receiver.url)
    http.close()
    assert (said.outcome, said.code) == (Outcome.RETRY, "timeout")
    assert time.monotonic() - begun < 3


def test_of_fifty_megabytes_little_is_read(http, receiver):
    receiver.script(endless(50))
    assert called(http, receiver.url).outcome == Outcome.DELIVERED
    time.sleep(0.1)
    assert receiver.sent_megabytes < 25


def test_a_connection_that_is_refused_never_arrived(http, receiver):
    receiver.stop()
    said = called(http, receiver.url)
    assert (said.outcome, said.code, said.is_unsure) == (Outcome.RETRY, "connect", False)


def test_a_name_that_leads_nowhere_is_tried_again(http):
    said = called(http, "https://nowhere.invalid/hook")
    assert (said.outcome, said.code, said.is_unsure) == (Outcome.RETRY, "dns", False)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "127.1", "0x7f.1", "0", "localhost", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_private_addresses_are_not_called_however_they_are_spelt(receiver, host):
    http = Http()
    for scheme in ("http", "https"):
        said = called(http, f"{scheme}://{host}:{receiver.port}/hook")
        # An odd spelling may also be no name at all where the resolver is strict.
        assert said.outcome == Outcome.BLOCKED or said.code == "dns"
    http.close()
    assert receiver.taken == []


def test_a_refusal_names_the_setting_and_not_the_address(receiver):
    said = called(Http(), f"https://127.0.0.1:{receiver.port}/hook")
    assert "OUTBOUND_ALLOW" in said.response
    assert "127.0.0.1" not in said.response + said.advice


@pytest.mark.parametrize("port", [22, 25, 6379, 5432, 9200])
def test_ports_of_other_services_are_not_called(port):
    said = called(Http(allowed=LOOPBACK), f"http://127.0.0.1:{port}/")
    assert said.outcome == Outcome.BLOCKED


def test_one_private_address_among_public_ones_spoils_them_all(receiver):
    resolve, connect, _, connected = elsewhere(receiver, [PUBLIC, "10.0.0.7"])
    said = called(Http(resolve=resolve, connect=connect), "https://hooks.example.org/hook")
    assert (said.outcome, connected) == (Outcome.BLOCKED, [])


def test_the_address_that_was_judged_is_the_one_that_is_called(receiver):
    """A name that leads elsewhere the next time it is asked for."""
    resolve, connect, asked, connected = elsewhere(receiver, [PUBLIC], ["127.0.0.1"])
    http = Http(resolve=resolve, connect=connect)
    called(http, "https://hooks.example.org/hook")
    assert (asked, connected) == (["hooks.example.org"], [PUBLIC])
    assert called(http, "https://hooks.example.org/hook").outcome == Outcome.BLOCKED
    http.close()
    assert connected == [PUBLIC]


def test_plain_http_goes_only_to_what_the_operator_lists(receiver):
    resolve, connect, _, connected = elsewhere(receiver, [PUBLIC])
    url = "http://hooks.example.org/hook"
    assert called(Http(resolve=resolve, connect=connect), url).outcome == Outcome.BLOCKED
    listed = Http(allowed=Allowed(frozenset({"hooks.example.org"})), resolve=resolve, connect=connect)
    assert called(listed, url).outcome == Outcome.DELIVERED
    listed.close()
    assert connected == [PUBLIC]


def test_the_first_address_that_answers_is_used(receiver):
    resolve, connect, _, _ = elsewhere(receiver, ["203.0.113.9", PUBLIC])
    tried = []

    def first_is_down(address, port, seconds):
        tried.append(address)
        if len(tried) == 1:
            raise ConnectionRefusedError
        return connect(address, port, seconds)

    http = Http(allowed=outward.read_allowed("203.0.113.0/24, 93.184.215.14"), resolve=resolve)
    http.connect = first_is_down
    assert called(http, "http://hooks.example.org/hook").outcome == Outcome.DELIVERED
    http.close()
    assert tried == ["203.0.113.9", PUBLIC]


def test_what_a_private_server_says_is_not_shown(http, receiver):
    receiver.script(answer(500, b"admin console"))
    assert called(http, receiver.url).response == ""


def test_what_a_public_server_says_is_shown_up_to_a_kilobyte(receiver):
    resolve, connect, _, _ = elsewhere(receiver, [PUBLIC])
    receiver.script(answer(500, b"x" * 5000))
    http = Http(allowed=outward.read_allowed("93.184.215.14"), resolve=resolve, connect=connect)
    said = called(http, "http://hooks.example.org/hook")
    http.close()
    assert said.response == "x" * 1024


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """For hooks.example.org alone, by nobody whom anyone trusts unless told to."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.org")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example.org")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder


@pytest.fixture
def secure(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    made = Receiver(tls=context)
    yield made
    made.stop()


def test_the_certificate_is_checked_against_the_name_not_the_address(secure, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    resolve, connect, _, _ = elsewhere(secure, [PUBLIC])
    http = Http(resolve=resolve, connect=connect)
    assert called(http, "https://hooks.example.org/hook").outcome == Outcome.DELIVERED
    other = called(http, "https://other.example.org/hook")
    http.close()
    assert (other.outcome, other.code, other.is_unsure) == (Outcome.RETRY, "tls", False)
    assert len(secure.taken) == 1


def test_a_certificate_by_nobody_known_is_refused(secure):
    resolve, connect, _, _ = elsewhere(secure, [PUBLIC])
    http = Http(resolve=resolve, connect=connect)
    assert called(http, "https://hooks.example.org/hook").code == "tls"
    http.close()
    assert secure.taken == []


def test_who_it_is_stands_in_every_request(http, receiver):
    called(http, receiver.url)
    [request] = receiver.taken
    assert request.headers["User-Agent"].startswith("Tocsin/")
    assert "Mozilla" not in request.headers["User-Agent"]


def test_no_proxy_of_the_environment_is_used(http, receiver, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert called(http, receiver.url).outcome == Outcome.DELIVERED


def test_through_a_proxy_that_is_set_the_proxy_judges(receiver, caplog):
    http = Http(proxy=f"http://{receiver.host}:{receiver.port}")
    said = called(http, "http://10.0.0.1:8080/hook")
    http.close()
    [request] = receiver.taken
    assert (said.outcome, request.path) == (Outcome.DELIVERED, "http://10.0.0.1:8080/hook")
    assert said.response == ""
    assert "proxy" in caplog.text


def test_meanings_do_not_depend_on_the_case_of_headers():
    reply = Reply(429, {"rEtRy-aFtEr": "3"}, "", 1, "")
    assert meanings.usual(reply, now=NOW).retry_after == timedelta(seconds=3)
