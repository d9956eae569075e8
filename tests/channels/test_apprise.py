"""Apprise: what is let through, and that nothing in its process reaches what it should not."""

import json
import re
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest

from app.channels import apprise
from app.channels.apprise import Apprise
from app.channels.base import Outcome, settings_of
from app.channels.http import Http
from app.domain import apprise_rules, outward
from app.services.integrations import channel_settings
from app.settings import ROOT
from tests.channels.test_webhook import NOW, message
from tests.support.receiver import Receiver, answer, slow

LINK = "https://t.example.org/acme/shop/issues/143/"
TAKEN = answer(200, b'{"id": "x"}')


def ntfy(receiver: Receiver, **more: str) -> Apprise:
    query = "&".join(f"{name}={value}" for name, value in more.items())
    return Apprise(f"ntfy://127.0.0.1:{receiver.port}/s3crettopic{f'?{query}' if query else ''}")


def send(channel: Apprise, http: Http, **changes):
    return channel.send(message(**changes), http=http, now=NOW)


# What is said


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("new", "failure"),
        ("regression", "failure"),
        ("again", "failure"),
        ("resolved", "success"),
        ("assigned", "info"),
        ("comment", "info"),
        ("digest", "info"),
        ("test", "info"),
    ],
)
def test_each_kind_has_its_type(kind, type_):
    assert Apprise("x").payload(message(kind=kind))["type"] == type_


def test_a_message_says_what_where_how_often_why_and_ends_with_the_link():
    payload = Apprise("x").payload(message(tags=("browser",)))
    assert payload["title"] == "[shop/production] New issue: KeyError: cart"
    assert payload["body"] == (
        "SHOP-4F shop.cart\n7 events, 3 users\nbrowser: Firefox\nRule “New issues” fired.\n\n" + LINK
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "resolved", "actor": "Ana"}, "Resolved by Ana"),
        ({"kind": "comment", "actor": "Ana", "comment": "Mine."}, "Comment by Ana\nMine."),
        ({"kind": "assigned", "actor": "Ana"}, "Assigned to nobody\nBy Ana"),
        ({"kind": "digest", "issue": None, "issues": [message().issue]}, "SHOP-4F KeyError: cart"),
        ({"headline": ""}, "SHOP-4F"),
    ],
)
def test_other_kinds_say_what_they_are_about(changes, said):
    assert said in Apprise("x").payload(message(**changes))["body"]


@pytest.mark.parametrize("text", ["x" * 9000, "💥" * 9000, "a\r\nb\x00\x1b[31m" * 900])
def test_texts_are_cut_and_clean_and_keep_their_link(text):
    payload = Apprise("x").payload(message(headline=text, comment=text, reason=text))
    assert len(payload["title"]) <= apprise.MOST_TITLE
    assert len(payload["body"]) <= apprise.MOST_BODY
    assert payload["body"].endswith(LINK)
    assert not re.search("[\x00-\x09\x0b-\x1f]", payload["title"] + payload["body"])


def test_a_bare_message_is_its_title_and_link():
    payload = Apprise("x").payload(message().bare())
    assert payload == {
        "title": "[shop] New issue: KeyError: cart",
        "body": f"SHOP-4F\n\n{LINK}",
        "type": "failure",
    }


def test_the_picture_is_what_is_sent():
    picture = Apprise("x").picture(message())
    payload = Apprise("x").payload(message())
    assert (picture.look, picture.title, picture.text) == ("phone", payload["title"], payload["body"])


# Sending


def test_what_a_service_takes_is_delivered_and_its_address_stands_nowhere(http, receiver):
    receiver.script(TAKEN)
    said = send(ntfy(receiver), http)
    assert said.outcome == Outcome.DELIVERED
    [request] = receiver.taken
    assert "KeyError: cart" in request.body.decode()
    assert LINK in request.body.decode()
    assert "s3crettopic" not in said.request + said.response
    assert said.request.startswith("ntfy://…\n[shop/production] New issue")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Outcome.BAD_MESSAGE),
        (401, Outcome.DOUBTFUL),
        (403, Outcome.DOUBTFUL),
        (404, Outcome.DOUBTFUL),
        (429, Outcome.RETRY_AT),
        (500, Outcome.RETRY),
        (503, Outcome.RETRY),
    ],
)
def test_a_status_in_apprises_log_says_what_to_do(status, outcome):
    log = f"Failed to send ntfy notification to s3crettopic at http://127.0.0.1/: error={status}."
    said = apprise._meaning({"status": "FAILURE", "log": log}, "ntfy://127.0.0.1/s3crettopic")
    assert said.outcome == outcome
    assert "s3crettopic" not in said.response
    assert "127.0.0.1" not in said.response


def test_messages_of_one_job_share_a_process(http, receiver):
    channel = Apprise(f"gotify://127.0.0.1:{receiver.port}/AbCdEfGhIjKlMnO")
    receiver.script(TAKEN, answer(500), answer(401))
    outcomes = [send(channel, http).outcome for _ in range(3)]
    assert outcomes == [Outcome.DELIVERED, Outcome.RETRY, Outcome.DOUBTFUL]
    [process] = http.kept.values()
    http.close()
    assert process._process.poll() is not None


def test_what_takes_too_long_may_have_arrived(http, receiver, monkeypatch):
    process = apprise.Process(ntfy(receiver).url, allowed=http.allowed)
    http.kept["apprise", ntfy(receiver).url] = process
    receiver.script(slow(1))
    monkeypatch.setattr(apprise, "SEND_SECONDS", 0.05)
    said = send(ntfy(receiver), http)
    assert (said.outcome, said.is_unsure) == (Outcome.RETRY, True)
    assert process._process.poll() is not None
    assert http.kept == {}


def test_an_address_that_apprise_refuses_after_all_is_for_somebody_to_change(http):
    said = send(Apprise("slack://only"), http)
    assert said.outcome == Outcome.BROKEN
    assert "only" not in said.advice


# The guard


def test_what_the_operator_does_not_allow_is_not_called(receiver):
    strict = Http(allowed=outward.read_allowed("10.0.0.0/8"))
    said = send(ntfy(receiver), strict)
    strict.close()
    assert said.outcome == Outcome.BLOCKED
    assert outward.SETTING in said.advice
    assert receiver.taken == []


def test_a_host_that_is_allowed_by_name_is_called(receiver):
    by_name = Http(allowed=outward.read_allowed("localhost"))
    receiver.script(TAKEN)
    said = send(Apprise(f"ntfy://localhost:{receiver.port}/topic"), by_name)
    refused = send(ntfy(receiver), by_name)
    by_name.close()
    assert (said.outcome, refused.outcome) == (Outcome.DELIVERED, Outcome.BLOCKED)
    assert len(receiver.taken) == 1


def test_redirects_lead_nowhere(http, receiver):
    other = Receiver()
    receiver.script(*[answer(307, location=other.url)] * 3)
    said = send(ntfy(receiver), http)
    other.stop()
    assert said.outcome == Outcome.RETRY
    assert other.taken == []


def guarded(program: str, *arguments: str) -> dict:
    """Run behind a guard that allows 10.0.0.0/8, in a process of its own."""
    start = """
        import json, sys
        sys.path.append(sys.argv[1])
        from app.channels import apprise_process as p
        from app.domain import outward
        def tried(what, *rest):
            try:
                what(*rest)
            except OSError as error:
                ours = "not allowed" in str(error) or "Apprise" in str(error)
                return "refused" if ours else type(error).__name__
            return "done"
    """
    code = textwrap.dedent(start) + textwrap.dedent(program)
    command = [sys.executable, "-I", "-c", code, str(ROOT), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, env={"HOME": "/nonexistent"})
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout.splitlines()[-1])


def test_the_guard_judges_each_connection_whoever_makes_it_and_however(receiver):
    found = guarded(
        """
        import socket, threading, urllib.request, os, subprocess, contextvars, sqlite3, asyncio
        import requests
        port = int(sys.argv[2])
        guard = p.Guard(outward.read_allowed("10.0.0.0/8"))
        guard.stand()
        def udp(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port))
        def unix(): socket.socket(socket.AF_UNIX).connect("/tmp/none")
        def in_a_thread():
            got = []
            connect = socket.socket().connect
            thread = threading.Thread(target=lambda: got.append(tried(connect, ("127.0.0.1", port))))
            thread.start()
            thread.join()
            if got == ["refused"]: raise OSError("not allowed")
        async def opened(): await asyncio.open_connection("127.0.0.1", port)
        print(json.dumps({
            "literal": tried(socket.socket().connect, ("127.0.0.1", port)),
            "quietly": tried(socket.socket().connect_ex, ("127.0.0.1", port)),
            "name": tried(socket.socket().connect, ("localhost", port)),
            "resolved": tried(socket.create_connection, ("localhost", port)),
            "odd": tried(socket.create_connection, ("2130706433", port)),
            "octal": tried(socket.socket().connect, ("0177.0.0.1", port)),
            "six": tried(socket.socket(socket.AF_INET6).connect, ("::1", port)),
            "mapped": tried(socket.socket(socket.AF_INET6).connect, ("::ffff:127.0.0.1", port)),
            "metadata": tried(socket.socket().connect, ("169.254.169.254", 80)),
            "mail": tried(socket.socket().connect, ("10.0.0.1", 25)),
            "requests": tried(requests.get, f"http://127.0.0.1:{port}/"),
            "urllib": tried(urllib.request.urlopen, f"http://127.0.0.1:{port}/"),
            "thread": tried(in_a_thread),
            "asyncio": tried(lambda: asyncio.run(opened())),
            "udp": tried(udp),
            "unix": tried(unix),
            "read": tried(open, "/etc/passwd"),
            "climb": tried(open, sys.prefix + "/../../../../../../etc/passwd"),
            "opened": tried(os.open, "/etc/passwd", os.O_RDONLY),
            "write": tried(open, sys.prefix + "/written", "w"),
            "environment": tried(open, "/proc/self/environ"),
            "program": tried(subprocess.run, ["true"]),
            "shell": tried(os.system, "true"),
            "database": tried(sqlite3.connect, "/tmp/x.db"),
            "own": tried(open, sys.prefix + "/pyvenv.cfg"),
        }))
        """,
        str(receiver.port),
    )
    assert found.pop("own") == "done"
    assert (
        {name: said for name, said in found.items() if said != "refused"}
        == {
            # Libraries have errors of their own for a network that is not there.
        }
    )
    assert receiver.taken == []


def test_not_one_plugin_reaches_a_server_that_is_not_allowed(receiver):
    """Every name leads to loopback here. Each scheme is tried with all that it may take for a host."""
    found = guarded(
        """
        import socket, logging, apprise
        from apprise import plugins
        port = sys.argv[2]
        real = socket.getaddrinfo
        def to_loopback(host, port, *rest, **more):
            return real("127.0.0.1", port, *rest, **more)
        guard = p.Guard(outward.Allowed(), resolve=to_loopback)
        guard.stand()
        logging.disable(logging.CRITICAL)
        schemes = set()
        for each in apprise.Apprise().details()["schemas"]:
            schemes.update(each["protocols"] or (), each["secure_protocols"] or ())
        from app.domain import apprise_rules
        let, sent, odd = 0, 0, []
        long = "A1b2C3d4E5f6A7b8C9d0A1b2C3d4E5f6"
        for scheme in sorted(schemes):
            end = f"?host=127.0.0.1&port={port}&url=http://127.0.0.1:{port}/"
            numbers = "15551234567/15557654321"
            for url in (
                f"{scheme}://user:password@127.0.0.1:{port}/{long}/{long}/{long}",
                f"{scheme}://{long}@127.0.0.1:{port}/{numbers}",
                f"{scheme}://{long}/{long}/{long}",
                f"{scheme}://user:{long}@example.org/{numbers}?to=a@example.org&from=b@example.org",
                f"{scheme}://{long}:{long}@{numbers}{end}",
            ):
                if apprise_rules.wrong_with(url):
                    continue
                let += 1
                try:
                    made = p.service(url)
                except Exception:
                    continue
                made.request_rate_per_sec = 0
                made.service_retry = 0
                if not made.verify_certificate or made.redirects or made.persistent_storage:
                    odd.append(scheme)
                try:
                    sent += bool(made.notify(title="t", body="b"))
                except Exception:
                    pass
                break
        found = {"schemes": len(schemes), "let": let, "refused": guard.refused, "sent": sent, "odd": odd}
        print(json.dumps(found))
        """,
        str(receiver.port),
    )
    assert found["schemes"] > 230
    assert found["let"] > 200
    assert found["refused"] > 100  # connections that were tried, and did not come about
    assert (found["sent"], found["odd"]) == (0, [])
    assert receiver.taken == []


@pytest.mark.parametrize("has_guard", [True, False])
def test_what_slips_through_the_filter_stands_before_the_guard(tmp_path, has_guard):
    """A template is a file of the server's that is posted: without the guard it would be."""
    card = {"contentType": "application/vnd.microsoft.card.adaptive", "content": {"body": "a secret"}}
    path = tmp_path / "template.json"
    path.write_text(json.dumps({"type": "message", "attachments": [card]}))
    found = guarded(
        """
        path, has_guard = sys.argv[2:]
        p.apprise_rules.REFUSED_ARGUMENTS = frozenset()
        if has_guard == "True":
            p.Guard(outward.read_allowed("127.0.0.0/8")).stand()
        made = p.service(f"workflow://127.0.0.1/B1A2B3C4/B1A2B3C4?template={path}")
        print(json.dumps({"body": str(made.gen_payload(body="b"))}))
        """,
        str(path),
        str(has_guard),
    )
    assert ("a secret" in found["body"]) == (not has_guard)


def test_the_process_has_nothing_of_tocsins_environment(monkeypatch):
    monkeypatch.setenv("CREDENTIAL_KEYS", "secret")
    environment = apprise._environment("")
    assert set(environment) == {"LANG", "HOME", "NETRC"}
    proxied = apprise._environment("http://proxy.example.org:3128")
    assert proxied["HTTPS_PROXY"] == proxied["HTTP_PROXY"] == "http://proxy.example.org:3128"


# The filter


@pytest.mark.parametrize(
    "url",
    [
        "json://example.org/",
        "JSON://example.org/",
        "jsons://example.org/",
        "xml://example.org/",
        "forms://example.org/",
        "apprises://example.org/token",
        "mailto://user:pass@example.org",
        "mailtos://user:pass@example.org",
        "syslog://",
        "rsyslog://example.org",
        "amqps://example.org",
        "fcm://project@device?keyfile=/etc/passwd",
        "vapid://a@example.org",
        "dbus://",
        "http://example.org/",
        "https://example.org/",
        "file:///etc/passwd",
        "pagerduty://key@api",
        "opsgenie://key",
        "jira://key",
        "discord://1/2?template=/etc/passwd",
        "discord://1/2?TEMPLATE=/etc/passwd",
        "discord://1/2?%74emplate=/etc/passwd",
        "discord://1/2?a=b;template=/etc/passwd",
        "discord://1/2?a=b&template",
        "discord://1/2?+template=/etc/passwd",
        "discord://1/2?%20template%20=/etc/passwd",
        "discord://1/2?a=b?template=/etc/passwd",
        "ntfy://example.org/t?attach=/etc/passwd",
        "ntfys://example.org/t?verify=no",
        "ntfys://example.org/t?verify=yes",
        "ntfys://example.org/t?redirect=yes",
        "ntfys://example.org/t?store=yes",
        "ntfys://example.org/t?config=x",
        "ntfys://example.org/t?include=http://example.org/x",
        "ntfys://example.org/t,json://example.org",
        "ntfys://example.org/t;json://example.org",
        "ntfys://example.org/t json://example.org",
        "ntfys://example.org/t%20json://example.org",
        "ntfys://example.org/t%2Cjson://example.org",
        "ntfys://example.org/t\njson://example.org",
        "include http://example.org/",
        "example.org",
        "ntfys:/example.org",
        "ntfys:\\\\example.org",
        "",
        "ntfys://example.org/" + "x" * 2000,
    ],
)
def test_what_is_not_let_through(url):
    assert apprise_rules.wrong_with(url)


@pytest.mark.parametrize(
    "url",
    [
        "ntfys://ntfy.example.org/alerts",
        "gotify://127.0.0.1:8080/AbCdEfGhIjKlMnO?priority=high",
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "discord://webhook_id/webhook_token?avatar_url=https://example.org/a.png",
        "workflows://host/a/b",
        "matrixs://user:pass@example.org/#room,%23other",
        "pover://user@token?priority=emergency&retry=60&expire=600",
    ],
)
def test_what_is_let_through(url):
    assert apprise_rules.wrong_with(url) == ""


def test_every_scheme_that_names_files_or_goes_anywhere_is_refused():
    """Of what this Apprise has: a new plugin with such a token fails here, before anybody uses it."""
    found = guarded(
        """
        import apprise
        rows = []
        for each in apprise.Apprise().details()["schemas"]:
            names = [*(each["protocols"] or ()), *(each["secure_protocols"] or ())]
            rows.append([names, sorted(each["details"]["args"]), sorted(each["details"]["tokens"])])
        print(json.dumps(rows))
        """
    )
    named = {"keyfile", "subfile", "file", "filename_path", "cert", "pgpkey"}
    for schemes, arguments, tokens in found:
        is_refused = all(name in apprise_rules.REFUSED for name in schemes)
        assert is_refused or not named & set(tokens), schemes
        left = set(arguments) - apprise_rules.REFUSED_ARGUMENTS
        assert is_refused or not {name for name in left if name == "template" or name in named}, schemes
    known = {name for schemes, *_ in found for name in schemes}
    assert {"json", "xmls", "form", "apprise", "mailtos", "rsyslog", "amqp"} <= known & apprise_rules.REFUSED
    assert set(apprise_rules.NATIVE) <= known


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("slack://x-secret-token", "Apprise refuses it"),
        ("nonsense://example.org", "Apprise does not know"),
        ("pagerduty://a@b", "Add PagerDuty itself"),
    ],
)
def test_a_wrong_address_is_refused_when_it_is_saved_and_the_reason_hides_it(url, words):
    with pytest.raises(channel_settings.Refused) as refused:
        channel_settings.read("apprise", {"url": url}, allowed=outward.Allowed())
    assert words in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_good_address_is_a_secret_as_a_whole(receiver):
    given = channel_settings.read("apprise", {"url": ntfy(receiver).url}, allowed=outward.Allowed())
    assert given.settings == {}
    assert list(given.secrets) == ["url"]
    assert receiver.taken == []
    assert [each.name for each in settings_of(Apprise)] == ["url"]


def test_apprise_is_not_loaded_where_tocsin_runs():
    code = "import app.channels, sys; print('apprise' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_texts_of_a_link_only_project_hold_no_title():
    subject = replace(message().issue, title="", culprit="", event_count=0)
    payload = Apprise("x").payload(
        message(issue=subject, event=None, headline="New issue: SHOP-4F", reason="")
    )
    assert payload["body"] == f"SHOP-4F\n\n{LINK}"
