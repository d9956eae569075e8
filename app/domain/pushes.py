"""Pushes as providers of repositories tell of them: who signed, what came, which commits are in it."""

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain import commit_lists, timestamps
from app.domain.commit_lists import Given
from app.domain.errors import Refused

Headers = Mapping[str, str]  # names in lower case
Json = dict[str, Any]
LONGEST_AUTHOR = 500
DIGEST = "sha256"
MOST_KEY = 128


@dataclass(frozen=True, slots=True)
class Pushed:
    """The commits of a repository, newest first. `merged`: what a merge request says of its commit."""

    repository: str
    url: str = ""
    commits: Sequence[Given] = ()
    merged: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Provider:
    """How one provider calls: `signature` is the header with the proof, `key` the one that names the call."""

    name: str
    label: str
    signature: str
    event: str
    key: str
    read: Callable[[str, Json], Pushed | None]
    is_token: bool = False  # the proof is the secret itself, and no signature
    where: str = ""  # in its pages


def is_signed(provider: Provider, headers: Headers, body: bytes, secret: str) -> bool:
    """Whether whoever sent this knows the secret. Takes as long for a wrong proof as for a right one."""
    given = headers.get(provider.signature, "").encode("utf-8", "replace")
    if provider.is_token:
        return hmac.compare_digest(given, secret.encode())
    wanted = f"{DIGEST}={hmac.new(secret.encode(), body, DIGEST).hexdigest()}"
    return hmac.compare_digest(given, wanted.encode())


def read(provider: Provider, event: str, body: bytes) -> Pushed | None:
    """What it tells of commits; None for all else. `Refused` for what cannot be read."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("It is no JSON.") from None
    if not isinstance(given, dict):
        raise Refused("It is no JSON object.")
    try:
        return provider.read(event, given)
    except (AttributeError, KeyError, TypeError) as error:
        raise Refused(f"It is not as {provider.label} sends it: {type(error).__name__}.") from None


def _github(event: str, given: Json) -> Pushed | None:
    """https://docs.github.com/webhooks/webhook-events-and-payloads#push"""
    if event not in ("push", "pull_request"):
        return None
    name, url = given["repository"]["full_name"], given["repository"].get("html_url") or ""
    if event == "pull_request" and given.get("action") == "closed":
        asked = given["pull_request"]
        if not asked.get("merged"):
            return None
        return _merged(name, url, asked.get("merge_commit_sha"), asked["title"], asked.get("body"))
    if event != "push":
        return None
    return Pushed(name, url, _oldest_first(given.get("commits") or (), _of_github))


def _merged(name: str, url: str, sha: str | None, title: str, body: str | None) -> Pushed | None:
    if not sha:
        return None
    if not commit_lists.is_key(sha):
        raise Refused("It names no commit that was merged.")
    said = f"{title}\n\n{body or ''}"[: commit_lists.LONGEST_MESSAGE]
    return Pushed(name, url, merged={sha.lower(): said})


def _of_github(row: Json) -> Json:
    author = row.get("author") or {}
    return {
        "id": row["id"],
        "message": row.get("message"),
        "timestamp": row.get("timestamp"),
        "author_name": author.get("name"),
        "author_email": author.get("email"),
        "patch_set": _changes(row),
    }


def _changes(row: Json) -> list[Json]:
    named = (("added", "A"), ("modified", "M"), ("removed", "D"))
    return [{"path": path, "type": type_} for member, type_ in named for path in row.get(member) or ()]


def _gitlab(event: str, given: Json) -> Pushed | None:
    """https://docs.gitlab.com/user/project/integrations/webhook_events"""
    kind = given.get("object_kind")
    if kind not in ("push", "merge_request"):
        return None
    place = given["project"]
    name, url = place["path_with_namespace"], place.get("web_url") or ""
    if kind == "push":
        return Pushed(name, url, _oldest_first(given.get("commits") or (), _of_github))
    asked = given["object_attributes"]
    sha = asked.get("merge_commit_sha") or asked.get("squash_commit_sha")
    if asked.get("action") != "merge":
        return None
    return _merged(name, url, sha, asked["title"], asked.get("description"))


def _bitbucket(event: str, given: Json) -> Pushed | None:
    """https://support.atlassian.com/bitbucket-cloud/docs/event-payloads"""
    if event != "repo:push":
        return None
    place = given["repository"]
    rows = [row for change in given["push"]["changes"] for row in change.get("commits") or ()]
    url = ((place.get("links") or {}).get("html") or {}).get("href") or ""
    return Pushed(place["full_name"], url, commit_lists.read([_of_bitbucket(row) for row in rows]))


def _of_bitbucket(row: Json) -> Json:
    """Which files were changed it does not say."""
    raw = (row.get("author") or {}).get("raw") or ""
    name, _, rest = raw[:LONGEST_AUTHOR].partition("<")
    return {
        "id": row["hash"],
        "message": row.get("message"),
        "timestamp": row.get("date"),
        "author_name": name,
        "author_email": rest.partition(">")[0],
    }


def _oldest_first(rows: Sequence[Json], of: Callable[[Json], Json]) -> list[Given]:
    """Of a list that begins with the oldest; ours begin with the newest."""
    return commit_lists.read([of(row) for row in reversed(rows)])


def _generic(event: str, given: Json) -> Pushed | None:
    """The commits of the releases' own API, newest first."""
    repository = given.get("repository")
    if not isinstance(repository, str) or not repository.strip():
        raise Refused("repository must be a name.")
    url = given.get("url") or ""
    if not isinstance(url, str):
        raise Refused("url must be text.")
    rows = commit_lists.read(given.get("commits"))
    if any(timestamps.parse(row.get("timestamp")) is None for row in given["commits"]):
        raise Refused("Each commit needs a timestamp.")
    return Pushed(repository.strip(), url, rows)


PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider(
            "github",
            "GitHub",
            "x-hub-signature-256",
            "x-github-event",
            "x-github-delivery",
            _github,
            where="Repository or organization > Settings > Webhooks; content type application/json; events: "
            "pushes and pull requests",
        ),
        Provider(
            "gitlab",
            "GitLab",
            "x-gitlab-token",
            "x-gitlab-event",
            "x-gitlab-event-uuid",
            _gitlab,
            is_token=True,
            where="Project or group > Settings > Webhooks; triggers: push events and merge request events",
        ),
        Provider(
            "bitbucket",
            "Bitbucket",
            "x-hub-signature",
            "x-event-key",
            "x-request-uuid",
            _bitbucket,
            where="Repository > Repository settings > Webhooks; trigger: repository push",
        ),
        Provider(
            "generic",
            "Anything else",
            "x-tocsin-signature",
            "x-tocsin-event",
            "x-tocsin-delivery",
            _generic,
            where="A hook of your own that posts JSON; see the documentation of releases",
        ),
    )
}
