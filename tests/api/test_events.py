"""Events as clients read them, and their attachments."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from app.models import Attachment
from tests.make import exception, payload

AN_HOUR_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


@pytest.fixture
def event(report, run_jobs, make, cast, session):
    """The id of one that an SDK sent, with about everything that an event can have."""
    event_id = report(
        "KeyError: cart",
        exception={"values": [exception("OSError", "disk"), exception("KeyError", "cart")]},
        breadcrumbs={"values": [{"message": "clicked", "category": "ui"}]},
        contexts={"os": {"name": "Linux"}},
        extra={"cart": 3},
        modules={"flask": "3.1.3"},
        server_name="web-1",
        logger="shop",
        dist="7",
        timestamp=AN_HOUR_AGO.isoformat(),
        level="nonsense",
    )
    run_jobs.digest()
    session.commit()
    return event_id


def test_an_event_in_full(api, event):
    found = api.read(f"/projects/acme/shop/events/{event}/")
    assert found["eventID"] == found["id"] == event
    assert (found["title"], found["culprit"]) == ("KeyError: cart", "shop.cart.checkout")
    assert (found["type"], found["location"]) == ("error", "shop/cart.py")
    assert found["release"] == {"version": "shop@1.0.0"}
    assert found["dist"] == "7"
    assert found["context"] == {"cart": 3}
    assert found["contexts"]["os"]["name"] == "Linux"
    assert found["packages"] == {"flask": "3.1.3"}
    assert {"type": "invalid_data", "data": {"name": "level"}} in found["errors"]
    assert found["user"] == {
        "id": "7",
        "email": "visitor@example.net",
        "username": None,
        "ip_address": None,
        "name": None,
    }
    assert re.fullmatch("[0-9a-f]{32}", found["fingerprints"][0])
    assert found["nextEventID"] is found["previousEventID"] is None
    tags = {tag["key"]: tag["value"] for tag in found["tags"]}
    assert (
        tags.items()
        >= {
            "browser": "Firefox 128",
            "level": "error",
            "environment": "production",
            "release": "shop@1.0.0",
            "dist": "7",
            "server_name": "web-1",
            "logger": "shop",
        }.items()
    )


def test_its_entries_have_the_names_that_clients_know(api, event):
    entries = {each["type"]: each["data"] for each in api.read("/issues/SHOP-1/events/latest/")["entries"]}
    assert set(entries) == {"exception", "breadcrumbs", "request"}
    assert [each["type"] for each in entries["exception"]["values"]] == ["OSError", "KeyError"]
    assert entries["breadcrumbs"]["values"][0]["message"] == "clicked"
    assert entries["request"]["url"] == "https://shop.example.org/cart"
    frame = entries["exception"]["values"][1]["stacktrace"]["frames"][-1]
    assert frame == {
        "filename": "shop/cart.py",
        "absPath": "/srv/shop/cart.py",
        "module": "shop.cart",
        "package": None,
        "function": "checkout",
        "lineNo": 42,
        "colNo": None,
        "inApp": True,
        "context": [
            [41, "def checkout(session):"],
            [42, '    total = session["cart"].total'],
            [43, "    return pay(total)"],
        ],
        "vars": {"session": {"user": "7"}},
    }


def test_a_message_is_an_entry_too(api, cast, make):
    make.arrival(
        cast.shop, exception=None, logentry={"message": "Lost %s", "params": ["a cart"]}, tags={}, user=None
    )
    found = api.read("/issues/SHOP-1/events/latest/")
    assert (found["type"], found["message"], found["user"]) == ("default", "Lost a cart", None)
    [entry] = [each for each in found["entries"] if each["type"] == "message"]
    assert entry["data"] == {"formatted": "Lost a cart", "message": "Lost %s", "params": ["a cart"]}


def test_threads_have_stacks_as_exceptions_do(api, cast, make):
    stack = exception("x", "y")["stacktrace"]
    threads = {"values": [{"id": "1", "name": "main", "stacktrace": stack}, {"id": "2", "name": "idle"}]}
    make.arrival(cast.shop, threads=threads)
    entries = {each["type"]: each["data"] for each in api.read("/issues/SHOP-1/events/latest/")["entries"]}
    first, second = entries["threads"]["values"]
    assert (first["name"], first["stacktrace"]["frames"][0]["lineNo"]) == ("main", 902)
    assert second["stacktrace"] is None


def test_lists_have_what_a_line_shows(api, event):
    for path in (
        "/projects/acme/shop/events/",
        "/issues/SHOP-1/events/",
        "/organizations/acme/issues/SHOP-1/events/",
    ):
        [line] = api.read(path)
        assert (line["eventID"], line["dateCreated"]) == (event, f"{AN_HOUR_AGO:%Y-%m-%dT%H:%M:%S.000000Z}")
        assert line["dateReceived"].endswith("Z")
        assert line["user"]["email"] == "visitor@example.net"
        assert {"key": "browser", "value": "Firefox 128"} in line["tags"]
        assert "entries" not in line
        [full] = api.read(f"{path}?full=1")
        assert full == line | full
        assert full["entries"]


def test_events_are_named_by_place_or_id_with_and_without_dashes(api, make, issue):
    oldest = api.read("/issues/SHOP-1/events/oldest/")["id"]
    latest = make.event(issue).event_id
    middle = api.read("/issues/SHOP-1/events/recommended/")
    assert middle["id"] in (oldest, latest)
    dashed = f"{latest[:8]}-{latest[8:12]}-{latest[12:16]}-{latest[16:20]}-{latest[20:]}".upper()
    for name in (latest, dashed):
        found = api.read(f"/issues/SHOP-1/events/{name}/")
        assert found["id"] == api.read(f"/projects/acme/shop/events/{name}/")["id"] == latest
        assert {found["nextEventID"], found["previousEventID"]} == {oldest, None}


def test_an_event_is_found_in_its_organization(api, event):
    found = api.read(f"/organizations/acme/eventids/{event}/")
    assert (found["organizationSlug"], found["projectSlug"]) == ("acme", "shop")
    assert (found["eventId"], found["event"]["groupID"]) == (event, found["groupId"])


def test_an_event_that_is_not_digested_yet_is_not_found(api, report, cast):
    assert api.get(f"/projects/acme/shop/events/{report()}/").status_code == 404
    assert api.get(f"/organizations/acme/eventids/{payload()['event_id']}/").status_code == 404


def test_an_issue_without_events_has_no_latest_one(api, make, shop):
    make.issue(shop)
    assert api.get("/issues/SHOP-1/events/latest/").status_code == 404
    assert api.read("/issues/SHOP-1/events/") == []


def test_logs_are_not_kept(api, shop):
    assert api.read("/organizations/acme/events/?dataset=logs&per_page=100") == {"data": []}


def test_an_attachment_is_listed_and_only_ever_downloaded(api, make, issue, session, now):
    event_id = make.event(issue).event_id
    row = Attachment(
        project_id=issue.project_id,
        event_id=event_id,
        name='x".html',
        content_type="text/html",
        type="event.attachment",
        size=9,
        sha1="a" * 40,
        created_at=now,
        body=b"<script>1",
    )
    session.add(row)
    session.flush()
    path = f"/projects/acme/shop/events/{event_id}/attachments/"
    [listed] = api.read(path)
    assert listed == api.read(f"{path}{row.id}/")
    assert (listed["id"], listed["mimetype"], listed["size"]) == (str(row.id), "text/html", 9)
    answer = api.get(f"{path}{row.id}/?download")
    assert (answer.data, answer.mimetype) == (b"<script>1", "application/octet-stream")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1", "a\nb.log", "\x1b[2J", "ä€.log"])
def test_no_name_of_an_attachment_fails_its_download(api, make, issue, session, now, name):
    event_id = make.event(issue).event_id
    row = Attachment(
        project_id=issue.project_id,
        event_id=event_id,
        name=name,
        content_type="text/plain",
        type="event.attachment",
        size=1,
        sha1="a" * 40,
        created_at=now,
        body=b"x",
    )
    session.add(row)
    session.flush()
    answer = api.get(f"/projects/acme/shop/events/{event_id}/attachments/{row.id}/?download")
    assert (answer.status_code, answer.data) == (200, b"x")
    assert "X-Evil" not in answer.headers
