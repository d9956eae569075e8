"""Every call of the specification's tables is there, and has the members that it lists (`web-api.md` 1 to 4).

What calls do is tested with them; this only holds their names and shapes. Members are written as the
specification has them; `a.b` is a member of a member.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import pytest

from app.models import Attachment, Deploy, DeployProject
from app.services.issues import commenting

ORGANIZATION = (
    "id slug name dateCreated isEarlyAdopter require2FA requireEmailVerification features status.id "
    "links.organizationUrl links.regionUrl"
)
PROJECT = (
    "id slug name platform dateCreated firstEvent status isBookmarked isMember hasAccess features "
    "team teams organization.slug"
)
KEY = (
    "id name label public projectId isActive rateLimit dateCreated dsn.public dsn.secret dsn.csp "
    "dsn.security dsn.minidump dsn.cdn"
)
ISSUE = (
    "id shortId title culprit level type status substatus statusDetails platform project.id "
    "project.slug project.name project.platform metadata.type metadata.value metadata.filename "
    "metadata.function count userCount firstSeen lastSeen assignedTo isBookmarked isSubscribed "
    "hasSeen isPublic logger annotations numComments shareId permalink priority stats.24h"
)
ISSUE_DETAILS = f"{ISSUE} firstRelease lastRelease tags activity seenBy"
EVENT = (
    "id eventID groupID projectID title message culprit location platform type dateCreated "
    "dateReceived tags user.id user.email user.username user.ip_address user.name"
)
EVENT_DETAILS = (
    f"{EVENT} entries contexts context sdk packages errors fingerprints release.version dist size "
    "metadata userReport nextEventID previousEventID"
)
ATTACHMENT = "id event_id name mimetype size sha1 type dateCreated"
RELEASE = (
    "id version shortVersion url ref status dateCreated dateReleased newGroups commitCount "
    "deployCount lastCommit lastDeploy lastEvent authors projects"
)
COMMIT = "id message dateCreated author.name author.email repository.name"
DEPLOY = "id environment name url dateStarted dateFinished"
FEEDBACK = "id eventID name email comments dateCreated event issue"
TAG = "key name totalValues uniqueValues topValues"
CHUNKS = (
    "url chunkSize chunksPerRequest maxRequestSize maxFileSize concurrency hashAlgorithm compression accept"
)

ORG, PROJ, ISS = "/organizations/acme", "/projects/acme/shop", "/issues/SHOP-1"
LISTS = {
    "/organizations/": ORGANIZATION,
    "/projects/": PROJECT,
    f"{ORG}/projects/": PROJECT,
    f"{ORG}/repos/": "id name url provider.id provider.name status dateCreated",
    f"{ORG}/monitors/": "id slug name status",
    f"{ORG}/teams/": "id slug name",
    f"{ORG}/members/": "id email name role user.id user.email",
    f"{ORG}/issues/": ISSUE,
    f"{ORG}/releases/": RELEASE,
    f"{ORG}/releases/{{version}}/commits/": COMMIT,
    f"{ORG}/releases/{{version}}/deploys/": DEPLOY,
    f"{PROJ}/releases/": RELEASE,
    f"{PROJ}/releases/{{version}}/commits/": COMMIT,
    f"{PROJ}/keys/": KEY,
    f"{PROJ}/issues/": ISSUE,
    f"{PROJ}/events/": EVENT,
    f"{PROJ}/events/?full=1": EVENT_DETAILS,
    f"{PROJ}/events/{{event}}/attachments/": ATTACHMENT,
    f"{PROJ}/user-feedback/": FEEDBACK,
    f"{ISS}/events/": EVENT,
    f"{ORG}{ISS}/events/": EVENT,
    f"{ISS}/hashes/": "id latestEvent.eventID",
    f"{ISS}/tags/": TAG,
    f"{ORG}{ISS}/tags/level/values/": "key name value count lastSeen",
    f"{ISS}/comments/": "id type user.id data.text dateCreated",
}
OBJECTS = {
    "/": "version auth.scopes user.id user.email user.name",
    f"{ORG}/": ORGANIZATION,
    f"{ORG}/chunk-upload/": CHUNKS,
    f"{ORG}/events/?dataset=logs&field=message&sort=-timestamp&statsPeriod=90d&per_page=100": "data",
    f"{ORG}/releases/{{version}}/": RELEASE,
    f"{ORG}/releases/{{version}}/previous-with-commits/": "",
    f"{ORG}/eventids/{{event}}/": "organizationSlug projectSlug groupId eventId event.eventID",
    f"{ORG}/shortids/SHOP-1/": "organizationSlug projectSlug groupId group.id shortId",
    f"{PROJ}/": PROJECT,
    "/projects/{org_id}/{proj_id}/": PROJECT,
    f"{PROJ}/keys/{{key}}/": KEY,
    f"{PROJ}/releases/{{version}}/": RELEASE,
    f"{PROJ}/events/{{event}}/": EVENT_DETAILS,
    f"{PROJ}/events/{{event_with_dashes}}/": EVENT_DETAILS,
    f"{PROJ}/events/{{event}}/attachments/{{attachment}}/": ATTACHMENT,
    f"{ISS}/": ISSUE_DETAILS,
    "/issues/{issue_id}/": ISSUE_DETAILS,
    f"{ORG}{ISS}/": ISSUE_DETAILS,
    **{f"{ISS}/events/{which}/": EVENT_DETAILS for which in ("latest", "oldest", "recommended", "{event}")},
}
TIMED = {f"{PROJ}/stats/?stat=received&resolution=1h", f"{PROJ}/stats/?stat=rejected&since=0&until=7200"}


@dataclass(frozen=True)
class Write:
    """A call that changes something, in the order in which they are tried."""

    call: str
    sent: Any
    status: int
    members: str = ""


COMMITS = [
    {
        "id": "c" * 40,
        "message": "Fix",
        "author_name": "Dev",
        "author_email": "dev@example.org",
        "timestamp": "2026-11-23T03:53:05Z",
        "repository": "acme/shop",
        "patch_set": [{"path": "f.py", "type": "M"}],
    }
]
NEW_RELEASE = {"version": "shop@2", "projects": ["shop"], "dateStarted": "2026-11-23T03:53:05Z"}
REFS = [{"repository": "acme/shop", "commit": "abc1234", "previousCommit": None}]
NEW_DEPLOY = {
    "environment": "production",
    "name": None,
    "url": None,
    "dateStarted": None,
    "dateFinished": "2026-11-23T04:00:00Z",
}
BUNDLE, STATE = {"checksum": "a" * 40, "chunks": ["a" * 40]}, "state missingChunks detail"
WORDS = {"event_id": "5" * 32, "name": "Jane", "email": "j@example.net", "comments": "It broke"}
UPDATES: list[tuple[dict[str, Any], str]] = [
    ({"status": "resolved"}, "status statusDetails"),
    ({"status": "resolvedInNextRelease"}, "status statusDetails"),
    ({"status": "resolved", "statusDetails": {"inRelease": "latest"}}, "status statusDetails.inRelease"),
    ({"status": "resolved", "statusDetails": {"inNextRelease": True}}, "status statusDetails.inNextRelease"),
    ({"status": "unresolved", "snoozeDuration": None}, "status"),
    ({"status": "muted", "snoozeDuration": None}, "status"),
    ({"status": "ignored", "statusDetails": {"ignoreDuration": 30}}, "statusDetails.ignoreUntil"),
    ({"status": "ignored", "ignoreCount": 10, "ignoreWindow": 5}, "statusDetails.ignoreWindow"),
    ({"status": "ignored", "ignoreUserCount": 10, "ignoreUserWindow": 5}, "statusDetails.ignoreUserCount"),
    ({"status": "ignored", "substatus": "archived_until_escalating"}, "substatus"),
    ({"assignedTo": "bob@example.org"}, "assignedTo.type assignedTo.id assignedTo.name assignedTo.email"),
    ({"assignedTo": ""}, "assignedTo"),
    (
        {
            "hasSeen": True,
            "isBookmarked": True,
            "isSubscribed": True,
            "isPublic": False,
            "inbox": False,
            "priority": "high",
        },
        "isBookmarked isSubscribed hasSeen",
    ),
]
WRITES = [
    *(Write(f"PUT {ISS}/", sent, 200, f"id {members}") for sent, members in UPDATES),
    Write(
        f"PUT {PROJ}/issues/?id={{issue_id}}",
        {"status": "muted", "snoozeDuration": None},
        200,
        "status statusDetails",
    ),
    Write(f"PUT {PROJ}/issues/?status=ignored", {"status": "unresolved"}, 200, "status"),
    Write(f"PUT {PROJ}/issues/", {"status": "unresolved"}, 200, "status"),
    Write(f"PUT {ORG}/issues/", {"status": "resolved"}, 400, "detail"),
    Write(f"PUT {ORG}/issues/?query=is:unresolved", {"isBookmarked": True}, 200, "isBookmarked"),
    Write(f"PUT {ISS}/", {"status": "x"}, 400, "status"),
    Write(f"POST {ISS}/comments/", {"text": "Hello"}, 201, "id data.text"),
    Write(f"POST {PROJ}/user-feedback/", WORDS, 200, FEEDBACK),
    Write(
        "POST /teams/acme/shop-team/projects/",
        {"name": "Till", "slug": "till", "platform": "python"},
        201,
        PROJECT,
    ),
    Write("POST /teams/acme/shop-team/projects/", {"name": "Till", "slug": "till"}, 409, "detail"),
    Write("PUT /projects/acme/till/", {"name": "Tills"}, 200, PROJECT),
    Write(
        f"POST {PROJ}/keys/",
        {"name": "CI", "rateLimit": {"window": 60, "count": 100}},
        201,
        f"{KEY} rateLimit.window",
    ),
    Write(f"PUT {PROJ}/keys/{{key}}/", {"name": "Web", "isActive": False, "rateLimit": None}, 200, KEY),
    Write(f"DELETE {PROJ}/keys/{{key}}/", None, 204),
    Write(f"POST {ORG}/releases/", NEW_RELEASE, 201, RELEASE),
    Write(f"POST {PROJ}/releases/", {"version": "shop@2"}, 208, RELEASE),
    Write(f"POST {ORG}/releases/", {"version": "shop@2", "projects": [], "status": "archived"}, 208, RELEASE),
    Write(f"POST {ORG}/releases/", {"version": "shop@2", "projects": [], "status": "open"}, 208, RELEASE),
    Write(f"POST {ORG}/releases/", {**NEW_RELEASE, "projects": ["no-such"]}, 400, "projects"),
    Write(f"PUT {ORG}/releases/shop@2/", {"commits": COMMITS}, 200, "lastCommit.id commitCount"),
    Write(f"PUT {ORG}/releases/shop@2/", {"refs": REFS}, 200, RELEASE),
    Write(
        f"PUT {PROJ}/releases/shop@2/",
        {"projects": ["shop"], "dateReleased": "2026-11-23T04:00:00Z"},
        200,
        RELEASE,
    ),
    Write(f"POST {ORG}/releases/shop@2/deploys/", NEW_DEPLOY, 201, DEPLOY),
    Write(f"POST {ORG}/releases/shop@2/deploys/", {"name": "x"}, 400),
    Write(f"POST {ORG}/releases/shop@9/deploys/", {"environment": "production"}, 404, "detail"),
    Write(
        f"POST {ORG}/artifactbundle/assemble/",
        {**BUNDLE, "projects": ["shop"], "version": "shop@2"},
        200,
        STATE,
    ),
    Write(f"POST {ORG}/releases/shop@2/assemble/", BUNDLE, 200, STATE),
    Write(f"DELETE {PROJ}/releases/shop@2/", None, 204),
    Write(f"DELETE {ORG}/releases/shop@2/", None, 404, "detail"),
    Write(
        f"PUT {PROJ}/issues/?id={{issue_id}}&id={{other_id}}",
        {"merge": True},
        200,
        "merge.parent merge.children",
    ),
    Write(f"PUT {PROJ}/issues/?id={{issue_id}}", {"discard": True}, 200),
    Write(f"DELETE {PROJ}/issues/?id={{third_id}}", None, 204),
    Write("DELETE /projects/acme/till/", None, 204),
]
NOT_OFFERED = [
    "GET /users/me/regions/",
    f"POST {PROJ}/files/difs/assemble/",
    f"POST {PROJ}/reprocessing/",
    *(
        f"GET {ORG}/{name}/"
        for name in ("scim/v2/Users", "dashboards", "replays", "alert-rules", "code-mappings")
    ),
]


@pytest.fixture
def names(cast, make, issue, session, now):
    """What the tables name, with something in every list."""
    event = make.event(issue, release="shop@1", user={"id": "7", "email": "v@example.net"})
    make.feedback(cast.shop, event_id=event.event_id)
    make.check_in(cast.shop)
    make.arrival(cast.shop, "KeyError: cart")
    release = make.release(cast.shop, "shop@1")
    make.commit(cast.acme, release=release)
    deploy = Deploy(release_id=release.id, environment="production", date_finished=now, created_at=now)
    session.add(deploy)
    session.flush()
    session.add(DeployProject(deploy_id=deploy.id, project_id=cast.shop.id))
    commenting.comment(session, issue, text="On it", by=cast.alice, now=now)
    attachment = Attachment(
        project_id=cast.shop.id,
        event_id=event.event_id,
        name="log.txt",
        content_type="text/plain",
        type="event.attachment",
        size=3,
        sha1=hashlib.sha1(b"abc").hexdigest(),
        created_at=now,
        body=b"abc",
    )
    session.add(attachment)
    session.flush()
    return {
        "org_id": cast.acme.id,
        "proj_id": cast.shop.id,
        "issue_id": issue.id,
        "other_id": make.issue(cast.shop).id,
        "third_id": make.issue(cast.shop).id,
        "event": event.event_id,
        "event_with_dashes": f"{event.event_id[:8]}-{event.event_id[8:12]}-{event.event_id[12:16]}-"
        f"{event.event_id[16:20]}-{event.event_id[20:]}".upper(),
        "attachment": attachment.id,
        "key": make.key(cast.shop).public,
        "version": release.version,
    }


def missing(found, members):
    """Those of the members that are not there."""
    return [member for member in members.split() if not has(found, member.split("."))]


def has(found, path):
    for name in path:
        if not isinstance(found, dict) or name not in found:
            return False
        found = found[name]
    return True


def test_every_object_has_the_members_that_are_listed(api, names, unlimited):
    for path, members in OBJECTS.items():
        unlimited()
        assert missing(api.read(path.format_map(names)), members) == [], path
    for path in TIMED:
        assert all(len(point) == 2 for point in api.read(path)), path


def test_every_list_has_them_and_comes_in_pages(api, names, unlimited):
    for path, members in LISTS.items():
        unlimited()
        here = path.format_map(names)
        more = "&" if "?" in here else "?"
        first = api.get(f"{here}{more}cursor=&per_page=1")
        assert first.status_code == 200, (path, first.text)
        assert len(first.json) == 1, path
        assert missing(first.json[0], members) == [], path
        assert all(f'rel="{rel}"; results=' in first.headers["Link"] for rel in ("previous", "next")), path
        for wrong in ("per_page=0", "per_page=101", "cursor=x:y:z"):
            refused = api.get(f"{here}{more}{wrong}")
            assert (refused.status_code, list(refused.json)) == (400, ["detail"]), (path, wrong)


def test_every_write_is_answered_as_listed(api, names, unlimited):
    for write in WRITES:
        unlimited()
        method, path = write.call.format_map(names).split(" ")
        answer = api(method, path, write.sent)
        assert answer.status_code == write.status, (write, answer.text)
        if write.status != 204:
            assert missing(answer.json, write.members) == [], (write, answer.json)


def test_what_is_not_offered_says_so_in_json(api, names):
    for call in NOT_OFFERED:
        method, path = call.split(" ")
        answer = api(method, path)
        assert (answer.status_code, list(answer.json)) == (404, ["detail"]), call
