"""Invitations: nobody belongs to anything before they accept, with what reached their own mailbox."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.errors import NotFound, Refused
from app.models import Delivery, Invitation, TeamMember, User
from app.services import access
from app.services.people import accounts, inviting, workspaces

pytestmark = pytest.mark.both_databases
PERSON = {"name": "Eve", "password": "correct horse", "timezone": "Europe/Paris"}


@pytest.fixture
def invite(session, cast, now):
    """Invites, as Alice unless told otherwise; the secret of the link that was mailed."""

    def sent(email="eve@example.org", *, role="member", teams=None, by=cast.alice, where=cast.acme):
        secrets = []
        inviting.invite(
            session,
            where,
            email=email,
            role=role,
            teams=[cast.team] if teams is None else teams,
            by=by,
            address=lambda secret: secrets.append(secret) or f"/{secret}",
            now=now,
        )
        return secrets[0]

    return sent


@pytest.fixture
def eve(make):
    """Has an account, and is in no organization."""
    return make.user("Eve", password="correct horse", verified=False)


def belongs(session, cast, user) -> bool:
    in_team = session.get(TeamMember, (cast.team.id, user.id)) is not None
    is_member = workspaces.membership(session, cast.acme, user) is not None
    sees = bool(access.visible_projects(session, user) or access.visible_organizations(session, user))
    assert in_team == is_member == sees == (user.id in access.project_member_ids(session, cast.shop.id))
    return sees


def test_an_account_is_in_nothing_before_it_accepts(session, cast, eve, invite, now):
    secret = invite(role="owner")
    assert not belongs(session, cast, eve)
    assert access.organizations_where(session, eve, "edit_members") == []
    assert access.role_in(session, eve, cast.acme.id) is None
    assert inviting.accept(session, secret, now=now) == cast.acme
    assert belongs(session, cast, eve)
    assert access.role_in(session, eve, cast.acme.id) == "owner"


def test_accepting_keeps_the_password_and_proves_the_address(session, eve, invite, now):
    before = eve.password_hash
    inviting.accept(session, invite(), now=now)
    assert eve.password_hash == before
    assert eve.primary_address.verified_at == now


def test_a_password_that_somebody_has_is_never_replaced(session, cast, eve, invite, now):
    secret, before = invite(), eve.password_hash
    with pytest.raises(NotFound):
        inviting.accept_as_newcomer(session, secret, **PERSON, now=now)
    assert eve.password_hash == before
    assert not belongs(session, cast, eve)


def test_an_invitation_alone_makes_no_account(session, invite):
    invite()
    assert accounts.find_user(session, "eve@example.org") is None


def test_a_newcomer_gets_an_account_whose_address_is_proven(session, cast, invite, now):
    eve = inviting.accept_as_newcomer(session, invite(), **PERSON, now=now)
    assert (eve.email, eve.name, eve.timezone) == ("eve@example.org", "Eve", "Europe/Paris")
    assert eve.primary_address.verified_at == now
    assert belongs(session, cast, eve)


def test_whoever_never_had_a_password_chooses_one(session, cast, make, invite, now):
    eve = make.user("Eve", verified=False)
    secret = invite()
    with pytest.raises(NotFound):
        inviting.accept(session, secret, now=now)
    assert inviting.accept_as_newcomer(session, secret, **PERSON, now=now) == eve
    assert belongs(session, cast, eve)


def test_an_invitation_works_once(session, invite, now):
    secret = invite()
    inviting.accept_as_newcomer(session, secret, **PERSON, now=now)
    for accept in (inviting.accept, lambda *a, **k: inviting.accept_as_newcomer(*a, **PERSON, **k)):
        with pytest.raises(NotFound):
            accept(session, secret, now=now)


def test_an_invitation_runs_out_after_seven_days(session, invite, now):
    secret = invite()
    end = now + timedelta(days=7)
    assert inviting.find(session, secret, now=end - timedelta(seconds=1)) is not None
    assert inviting.find(session, secret, now=end) is None
    with pytest.raises(NotFound):
        inviting.accept_as_newcomer(session, secret, **PERSON, now=end)


def test_a_newer_invitation_replaces_the_older_and_its_role(session, cast, invite, now):
    old, new = invite(role="admin"), invite(role="billing", teams=[])
    assert inviting.find(session, old, now=now) is None
    assert inviting.find(session, new, now=now).role == "billing"
    assert len(inviting.waiting(session, cast.acme)) == 1


def test_another_organization_invites_by_a_link_of_its_own(session, cast, invite, now):
    ours, theirs = invite(), invite(by=cast.charlie, where=cast.rivals, teams=[])
    assert inviting.find(session, ours, now=now).organization == cast.acme
    assert inviting.find(session, theirs, now=now).organization == cast.rivals


def test_a_withdrawn_invitation_is_spent(session, cast, invite, now):
    secret = invite()
    inviting.withdraw(session, inviting.find(session, secret, now=now), by=cast.alice)
    assert inviting.find(session, secret, now=now) is None


@pytest.mark.parametrize("verb", ["mail", "withdraw", "invite", "invite as owner"])
def test_nobody_touches_an_invitation_to_a_role_above_their_own(session, cast, make, invite, now, verb):
    manager = make.member(cast.acme, role="manager")
    invitation = inviting.find(session, invite(role="owner"), now=now)
    verbs = {
        "mail": lambda: inviting.mail(session, invitation, by=manager, address=str, now=now),
        "withdraw": lambda: inviting.withdraw(session, invitation, by=manager),
        "invite": lambda: invite(by=manager),
        "invite as owner": lambda: invite("dora@example.org", role="owner", by=manager),
    }
    with pytest.raises(Refused, match="Only somebody who is owner"):
        verbs[verb]()
    assert invitation.role == "owner"


def test_known_and_unknown_addresses_leave_the_same_behind(session, cast, eve, invite):
    for email in ("eve@example.org", "nobody@example.org"):
        invite(email)
    rows = [(each.role, each.teams) for each in inviting.waiting(session, cast.acme)]
    assert rows[0] == rows[1]
    mails = session.scalars(select(Delivery)).all()
    assert {(mail.kind, mail.state) for mail in mails} == {("invite", "queued")}
    assert {mail.address for mail in mails} == {"eve@example.org", "nobody@example.org"}


def test_members_are_not_invited(session, cast, invite):
    with pytest.raises(Refused, match="is a member already"):
        invite("bob@example.org")
    assert session.scalars(select(Invitation)).all() == []


def test_somebody_switched_off_cannot_accept(session, eve, invite, now):
    secret = invite()
    eve.is_active = False
    session.flush()
    with pytest.raises(NotFound):
        inviting.accept(session, secret, now=now)


def test_only_a_hash_of_an_invitation_is_kept(session, invite):
    assert invite() not in session.scalars(select(Invitation.secret_hash)).one()


def test_a_refused_name_or_password_leaves_the_invitation(session, invite, now):
    secret = invite()
    with pytest.raises(Refused):
        inviting.accept_as_newcomer(session, secret, **PERSON | {"password": "x"}, now=now)
    session.rollback()
    assert session.scalar(select(User).where(User.name == "Eve")) is None
