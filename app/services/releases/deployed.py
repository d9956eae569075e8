"""Whom a deploy is for: who wants all of them, and who has commits in it (`notifications.md` 11.5)."""

from collections.abc import Collection, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.kinds import DEPLOYS, KINDS
from app.domain.phrases import plural, shortened
from app.domain.preferences import Choices
from app.domain.routing import Reason
from app.domain.targets import Target
from app.models import Commit, EmailAddress, Notice, ReleaseCommit

LONGEST_VERSION = 60


def committed(
    session: Session, notices: Collection[Notice], user_ids: Collection[int]
) -> dict[Notice, Mapping[int, int]]:
    """Of each deploy, how many of its commits bear a verified address of these people."""
    asked = [notice for notice in notices if KINDS[notice.kind].category == DEPLOYS]
    counted = {
        release_id: of_release(session, release_id, user_ids)
        for release_id in {_release_id(notice) for notice in asked}
    }
    return {notice: counted[_release_id(notice)] for notice in asked}


def of_release(session: Session, release_id: int, user_ids: Collection[int]) -> Mapping[int, int]:
    found = (
        select(EmailAddress.user_id, func.count(Commit.id.distinct()))
        .join(Commit, func.lower(Commit.author_email) == EmailAddress.address)
        .join(ReleaseCommit, ReleaseCommit.commit_id == Commit.id)
        .where(
            ReleaseCommit.release_id == release_id,
            EmailAddress.verified_at.is_not(None),
            EmailAddress.user_id.in_(user_ids),
        )
        .group_by(EmailAddress.user_id)
    )
    return {user_id: count for user_id, count in session.execute(found)}


def _release_id(notice: Notice) -> int:
    return int(notice.activity.data["release"]) if notice.activity else 0


def named(notice: Notice, commits: Mapping[int, int], choices: Mapping[int, Choices]) -> dict[int, Target]:
    """Everybody who could be told, with why: no reason where it is none of theirs, as they chose it."""
    version = str(notice.activity.data["version"]) if notice.activity else ""
    found = {}
    for user_id, chosen in choices.items():
        reasons, because = set(), {}
        if commits.get(user_id) and chosen.deploys.value != "never":
            reasons.add(Reason.COMMITTER)
            because = {
                "which": f"release {shortened(version, LONGEST_VERSION)}",
                "commits": plural(commits[user_id], "commit"),
            }
        if chosen.deploys.value == "always":
            reasons.add(Reason.DEPLOYS_ALL)
        found[user_id] = Target(frozenset(reasons), because)
    return found
