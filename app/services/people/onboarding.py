"""The way in: first account, first password, sign-in by mail, a first workspace, the proof that it rings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.domain import addresses, delivery_states, slugs
from app.domain.errors import NotFound, Refused
from app.domain.preferences import ALERTS, WORKFLOW
from app.models import Delivery, Event, Notice, Organization, Project, Team, User, Verdict
from app.services import access
from app.services.mails import writing
from app.services.people import accounts, workspaces
from app.services.people.accounts import Address
from app.services.preferences import preferring

# How loud the bell is: the account's choice for alerts and for workflow; None leaves the defaults in force.
LOUDNESS: dict[str, tuple[str | None, str | None]] = {
    "everything": (None, None),
    "part_of": (None, "participating"),
    "quiet": ("off", "never"),
}


def can_set_up(session: Session, secret: str, *, now: datetime) -> bool:
    """Whether this link makes the first account: there is none, by another way either."""
    link = accounts.find_link(session, "setup", secret, now=now)
    return link is not None and not accounts.anybody(session)


def set_up(
    session: Session, secret: str, *, email: str, name: str, password: str, timezone: str, now: datetime
) -> User:
    """The first account. Whoever has the link reads the console, so the address is taken at their word."""
    if not can_set_up(session, secret, now=now) or not accounts.use_link(session, "setup", secret, now=now):
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


def in_need_of_password(session: Session, secret: str, *, now: datetime) -> User | None:
    """Whose first password this link sets: the command line made the account without one, and the link."""
    user = accounts.owner_of(session, accounts.find_link(session, "password", secret, now=now))
    return user if user and user.password_hash is None else None


def choose_password(
    session: Session, secret: str, *, name: str, password: str, timezone: str, now: datetime
) -> User:
    """The link was printed, not mailed: it proves nothing of the address."""
    user = in_need_of_password(session, secret, now=now)
    if user is None or accounts.use_link(session, "password", secret, now=now) is None:
        raise NotFound
    accounts.introduce(user, name=name, password=password, timezone=timezone)
    return user


# Sign-in by mail


def mail_sign_in_link(session: Session, email: str, *, address: Address, now: datetime) -> None:
    """Write to the person with this primary address, if there is one: no other one lets anybody in.

    Neither the answer nor the time it takes may depend on it: for nobody the same rows are written, and
    the mail is one that no worker sends.
    """
    try:
        to = addresses.normal(email)
    except Refused:
        return
    found = accounts.find_by_primary(session, to)
    user = found if found and found.is_active else None
    theirs = user.primary_address if user else None
    url = address(accounts.make_link(session, "sign_in", user=user, address=theirs, now=now))
    letter = writing.write_to(session, to, "sign_in", {"url": url}, user=user, now=now)
    if user is None:
        letter.state, letter.data = delivery_states.CANCELLED, {}


def sign_in_by_link(session: Session, secret: str, *, now: datetime) -> User:
    """Whose primary address is still the one that the link was mailed to."""
    link = accounts.use_link(session, "sign_in", secret, now=now)
    user = accounts.owner_of(session, link)
    primary = user.primary_address if user else None
    if link is None or user is None or primary is None or primary.id != link.address_id:
        raise NotFound
    accounts.verify_address(user, primary.address, now=now)
    return user


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
    """A new team of this name with the person in it."""
    team = workspaces.create_team(session, organization, slug=_team_slug(name), name=name, now=now)
    workspaces.add_to_team(session, team, user, now=now)
    return team


def team_for_project(
    session: Session, organization: Organization, user: User, *, name: str, now: datetime
) -> Team:
    """A team of this name that may have a new project of the person's, made if need be."""
    team = workspaces.find_team(session, organization, _team_slug(name))
    if team is None:
        return open_team(session, organization, user, name=name, now=now)
    if team not in teams_to_choose(session, organization, user):
        raise Refused(f"You are not in the team #{team.slug}. Ask a manager to put you in.", field="team")
    workspaces.add_to_team(session, team, user, now=now)
    return team


def teams_to_choose(session: Session, organization: Organization, user: User) -> list[Team]:
    """The teams that a person may be in: those they are in, or all if they may put anybody in any."""
    if access.can(session, user, organization, "edit_members"):
        return workspaces.teams(session, organization)
    return workspaces.teams_of(session, organization, user)


def _team_slug(name: str) -> str:
    slug = slugs.suggest(name)
    if not slug:
        raise Refused("Give the team a name with a letter in it.", field="team")
    return slug


def open_project(
    session: Session, team: Team, *, name: str, platform: str, with_rules: bool = True, now: datetime
) -> Project:
    """A project of this name for the team; its slug is made from the name."""
    if not name.strip():
        raise Refused("Give the project a name.", field="project")
    slug = _free_slug(
        name,
        slugs.project_slug,
        lambda each: workspaces.find_project(session, team.organization, each) is None,
    )
    return workspaces.create_project(
        session,
        team.organization,
        slug=slug,
        name=name,
        platform=platform,
        teams=[team],
        with_rules=with_rules,
        now=now,
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
            return delivery_states.of(self.delivery.state).is_final
        if self.verdict:
            return self.verdict.outcome in {"skip", "collapse"}
        return self.notice is None or self.notice.planned_at is not None


def newest_event(session: Session, project: Project) -> Event | None:
    here = (Event.project_id == project.id) & access.IS_OF_AN_ISSUE
    found = select(Event).where(here).order_by(Event.id.desc()).limit(1)
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
