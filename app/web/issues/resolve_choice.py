"""What the form that resolves issues asks for: now, the next release, a release, or a commit."""

from collections.abc import Mapping

from app.domain import resolutions
from app.domain.errors import Refused
from app.domain.resolutions import Target

NOW, NEXT, RELEASE, COMMIT = "", "next", "release", "commit"


def read(form: Mapping[str, str]) -> Target | None:
    """`into` says which; `release`, or `repository` and `commit`, name it. A release alone says enough."""
    release = form.get("release", "")
    into = form.get("into", RELEASE if release else NOW)
    if into == NOW:
        return None
    if into == NEXT:
        return resolutions.in_next_release()
    if into == RELEASE:
        return resolutions.in_release(release)
    if into == COMMIT:
        return resolutions.in_commit(form.get("repository", ""), form.get("commit", ""))
    raise Refused("Choose in what to resolve it: now, the next release, a release or a commit.", field="into")
