"""People who act at the same moment, each in a transaction of their own."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.models import Activity, Issue, Membership, Subscription, User
from app.services.issues import commenting
from app.services.people import workspaces

pytestmark = pytest.mark.on_postgresql


@pytest.fixture
def commenting_on(issue, session, now):
    """`commenting_on(alice, "text")` is an act."""
    session.commit()
    issue_id = issue.id

    def act_of(person: User, text: str) -> Callable[[Session], Any]:
        person_id = person.id
        return lambda own: commenting.comment(
            own, own.get_one(Issue, issue_id), text=text, by=own.get_one(User, person_id), now=now
        )

    return act_of


def test_two_who_mention_one_another_both_get_through(side_by_side, commenting_on, cast, session):
    acts = commenting_on(cast.alice, "@bob look"), commenting_on(cast.bob, "@alice look")
    assert side_by_side(*acts, meeting="INSERT INTO subscriptions", nth=2) == [None, None]
    rows = {row.user_id: set(row.reasons) for row in session.scalars(select(Subscription))}
    assert rows == {cast.alice.id: {"mention", "commented"}, cast.bob.id: {"mention", "commented"}}
    assert session.scalar(select(Issue.comment_count)) == 2


def test_a_comment_that_is_posted_twice_at_once_is_written_once(side_by_side, commenting_on, cast, session):
    acts = commenting_on(cast.alice, "Look"), commenting_on(cast.alice, "Look")
    raised = side_by_side(*acts, meeting="INSERT INTO subscriptions")
    assert sorted(type(each) for each in raised if each) == [Refused]
    assert len(session.scalars(select(Activity)).all()) == 1


@pytest.mark.parametrize("leaving", ["removed", "made a member"])
def test_of_two_owners_who_leave_at_once_one_stays(side_by_side, cast, session, leaving):
    workspaces.change_role(session, workspaces.membership(session, cast.acme, cast.bob), "owner")
    session.commit()

    def leaves(person: User) -> Callable[[Session], Any]:
        found = select(Membership).where(
            Membership.user_id == person.id, Membership.organization_id == cast.acme.id
        )

        def leave(own: Session) -> None:
            member = own.scalars(found).one()
            if leaving == "removed":
                workspaces.remove_member(own, member)
            else:
                workspaces.change_role(own, member, "member")

        return leave

    meeting = "DELETE FROM team_members" if leaving == "removed" else "UPDATE memberships"
    raised = side_by_side(leaves(cast.alice), leaves(cast.bob), meeting=meeting)
    assert [type(each) for each in raised if each] == [Refused]
    owners = select(Membership).where(Membership.role == "owner", Membership.organization_id == cast.acme.id)
    assert len(session.scalars(owners).all()) == 1
