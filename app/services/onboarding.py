"""The way in: first account, invitations, sign-in by mail, a first workspace, and the proof that it rings."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.domain import slugs
from app.domain.errors import NotFound, Refused
from app.domain.preferences import ALERTS, WORKFLOW
from app.models import Delivery, Event, Notice, Organization, Project, Team, User, Verdict
from app.services import accounts, preferring, workspaces

Address = Callable[[str], str]  # the secret of a link → where it leads

FINISHED = frozenset({"accepted", "failed", "expired", "cancelled"})

# How loud the bell is: the account's choice for alerts and for workflow; None leaves the defaults in force.
LOUDNESS: dict[str, tuple[str | None, str | None]] = {
    "everything": (None, None),
    "part_of": (None, "participating"),
    "quiet": ("off", "never"),
}


def set_up(
    session: Session, secret: str, *, email: str, name: str, password: str, timezone: str, now: datetime
) -> User:
    """The first account. Whoever has the link reads the console, so the address is taken at their word."""
    if accounts.anybody(session) or accounts.use_link(session, "setup", secret, now=now) is None:
        raise NotFound
    return accounts.create_user(
        session,
        email=email,
        name=name,
        password=password,
        superuser=True,
        verified=True,
        timezone=timezone,
        now=now,
    )


# Invitations


def invite(
    session: Session,
    organization: Organization,
    *,
    email: str,
    role: str,
    teams: Sequence[Team],
    by: User,
    address: Address,
    now: datetime,
) -> str | None:
    """Make somebody a member and write to them. The link for those who have no password yet, else None."""
    user = accounts.find_user(session, email) or accounts.create_user(session, email=email, now=now)
    if workspaces.membership(session, organization, user) and user.password_hash:
        raise Refused(f"{user.email} is a member already.", field="email")
    workspaces.add_member(session, organization, user, role=role, now=now)
    for team in teams:
        workspaces.add_to_team(session, team, user, now=now)
    return None if user.password_hash else ask_in(session, user, by=by, address=address, now=now)


def ask_in(session: Session, user: User, *, by: User, address: Address, now: datetime) -> str:
    """Mail an invitation, and return its link; an earlier one stops working."""
    url = address(accounts.make_link(session, "invite", user=user, now=now))
    write_to(session, user, "invite", {"url": url, "by": by.name}, now=now)
    return url


def accept_invitation(
    session: Session, secret: str, *, name: str, password: str, timezone: str, now: datetime
) -> User:
    user = accounts.owner_of(session, accounts.use_link(session, "invite", secret, now=now))
    if user is None:
        raise NotFound
    accounts.rename(user, name)
    accounts.set_password(user, password)
    user.timezone = accounts.checked_timezone(timezone)
    accounts.verify_address(user, now=now)
    return user


# Sign-in by mail


def mail_sign_in_link(session: Session, email: str, *, address: Address, now: datetime) -> None:
    """Write to the person with this address, if there is one. What is answered must not depend on it."""
    user = accounts.find_user(session, email)
    if user and user.is_active:
        url = address(accounts.make_link(session, "sign_in", user=user, now=now))
        write_to(session, user, "sign_in", {"url": url}, now=now)


def sign_in_by_link(session: Session, secret: str, *, now: datetime) -> User:
    user = accounts.owner_of(session, accounts.use_link(session, "sign_in", secret, now=now))
    if user is None:
        raise NotFound
    accounts.verify_address(user, now=now)
    return user


def write_to(session: Session, user: User, kind: str, data: dict[str, str], *, now: datetime) -> None:
    """Leave a mail that no notice stands behind for the worker to send."""
    session.add(
        Delivery(
            public_id=f"d_{secrets.token_hex(8)}",
            user_id=user.id,
            channel="email",
            kind=kind,
            address=user.email,
            data=data,
            created_at=now,
            send_at=now,
        )
    )
    session.flush()


# A first workspace


def choose_loudness(session: Session, user: User, loudness: str, *, now: datetime) -> None:
    if loudness not in LOUDNESS:
        raise Refused("Choose one of the three.", field="loudness")
    for category, value in zip((ALERTS, WORKFLOW), LOUDNESS[loudness], strict=True):
        preferring.choose(session, user, category, value, via="welcome", now=now)


def open_organization(session: Session, user: User, *, name: str, now: datetime) -> Organization:
    """An organization of this name that belongs to the person; its slug is made from the name."""
    if not name.strip():
        raise Refused("Give the organization a name.", field="organization")
    slug = _free_slug(
        name, slugs.organization_slug, lambda each: workspaces.find_organization(session, each) is None
    )
    return workspaces.create_organization(session, slug=slug, name=name, owner=user, now=now)


def open_team(session: Session, organization: Organization, user: User, *, name: str, now: datetime) -> Team:
    """The organization's team of this name, made if need be, with the person in it."""
    slug = slugs.suggest(name)
    if not slug:
        raise Refused("Give the team a name with a letter in it.", field="team")
    team = workspaces.find_team(session, organization, slug) or workspaces.create_team(
        session, organization, slug=slug, name=name, now=now
    )
    workspaces.add_to_team(session, team, user, now=now)
    return team


def open_project(session: Session, team: Team, *, name: str, platform: str, now: datetime) -> Project:
    """A project of this name for the team; its slug is made from the name."""
    if not name.strip():
        raise Refused("Give the project a name.", field="project")
    slug = _free_slug(
        name,
        slugs.project_slug,
        lambda each: workspaces.find_project(session, team.organization, each) is None,
    )
    return workspaces.create_project(
        session, team.organization, slug=slug, name=name, platform=platform, teams=[team], now=now
    )


def _free_slug(name: str, checked: Callable[[str], str], is_free: Callable[[str], bool]) -> str:
    """The slug that the name suggests, or the first of slug-2, slug-3… that is allowed and free."""
    base = slugs.suggest(name)[: slugs.LONGEST - 4] or "tocsin-1"
    for number in count(1):
        slug = base if number == 1 else f"{base}-{number}"
        try:
            if is_free(checked(slug)):
                return slug
        except Refused:  # reserved, or digits alone
            continue
    raise AssertionError("counting has no end")


# The first proof


@dataclass(frozen=True, slots=True)
class Proof:
    """How far an event has come on its way to a person's mailbox."""

    event: Event
    notice: Notice | None = None
    verdict: Verdict | None = None
    delivery: Delivery | None = None

    @property
    def version(self) -> str:
        """Changes whenever there is more to show."""
        delivery = self.delivery
        state = (delivery.state, delivery.attempt_count) if delivery else ("none", 0)
        return f"{int(self.notice is not None)}.{int(self.verdict is not None)}.{state[0]}.{state[1]}"

    @property
    def is_complete(self) -> bool:
        """Nothing more will happen by itself: the mail is out or given up, or it was decided to send none."""
        if self.delivery:
            return self.delivery.state in FINISHED
        if self.verdict:
            return self.verdict.outcome in {"skip", "collapse"}
        return self.notice is None or self.notice.planned_at is not None


def newest_event(session: Session, project: Project) -> Event | None:
    found = select(Event).where(Event.project_id == project.id).order_by(Event.id.desc()).limit(1)
    return session.scalar(found.options(joinedload(Event.issue)))


def prove(session: Session, event: Event, user: User) -> Proof:
    """Notices are written together with their event: where there is none now, nothing rang."""
    notice = session.scalar(
        select(Notice)
        .where(Notice.project_id == event.project_id, Notice.event_id == event.event_id)
        .options(joinedload(Notice.rule))
        .order_by(Notice.rule_id.is_(None), Notice.id)
        .limit(1)
    )
    if notice is None:
        return Proof(event)
    verdict = session.scalar(
        select(Verdict)
        .where(
            Verdict.notice_id == notice.id,
            Verdict.subject == "user",
            Verdict.subject_id == user.id,
            Verdict.channel == "email",
        )
        .options(joinedload(Verdict.delivery).selectinload(Delivery.attempts))
    )
    return Proof(event, notice, verdict, verdict.delivery if verdict else None)
