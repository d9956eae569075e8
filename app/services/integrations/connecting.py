"""Integrations added, changed, tried out, switched and taken away, by people."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.base import settings_of
from app.domain.errors import Refused, noting, refuse_all
from app.domain.kinds import TEST
from app.domain.outward import Allowed
from app.models import Destination, Notice, Project, User
from app.services.integrations import catching_up, channel_settings, destinations, posting
from app.services.integrations.channel_settings import Asked, Given
from app.services.notices.announcing import announce
from app.services.sealing import Seal

LONGEST_NAME, MOST = 100, 50
SECRET, OLD = "secret", "old_secrets"
MOST_OLD = 2
LONGEST_OVERLAP = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a form or program says of an integration; None stays as it is, or becomes the usual.

    `asked` is what was found out of its settings beforehand.
    """

    name: str | None = None
    kinds: Collection[str] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    asked: Asked = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vault:
    """What is needed to keep settings: the keys, and what may be called."""

    seal: Seal
    allowed: Allowed


def looked_into(wishes: Wishes, channel: str, vault: Vault, *, row: Destination | None = None) -> Wishes:
    """The same, with the answers to what takes seconds to ask: before anything is locked."""
    channel_settings.channel_named(channel)
    before = channel_settings.stored(row, vault.seal) if row else None
    return replace(wishes, asked=channel_settings.ask(channel, wishes.settings, before=before))


def add(
    session: Session, project: Project, channel: str, wishes: Wishes, vault: Vault, *, by: User, now: datetime
) -> tuple[Destination, Mapping[str, Any]]:
    """A new integration, and the secrets that were made for it: nobody sees them whole again."""
    about = channel_settings.channel_named(channel).about
    if len(destinations.of_project(session, project.id)) >= MOST:
        raise Refused(f"A project has up to {MOST} integrations.")
    refused: list[Refused] = []
    with noting(refused):
        name = _name(session, project.id, wishes.name or "")
    with noting(refused):
        given = channel_settings.read(channel, wishes.settings, allowed=vault.allowed, asked=wishes.asked)
    with noting(refused):
        kinds = _kinds(channel, about.usual_kinds if wishes.kinds is None else wishes.kinds)
    refuse_all(refused)
    row = Destination(
        project=project,
        channel=channel,
        name=name,
        settings=dict(given.settings),
        secrets=vault.seal.close(given.secrets),
        kinds=kinds,
        created_by_id=by.id,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row, given.made


def change(session: Session, destination: Destination, wishes: Wishes, vault: Vault) -> Mapping[str, Any]:
    """Take over what is wished; secrets that were made. What is new is tried at once.

    Locked: what it keeps for itself is written by others, too.
    """
    session.refresh(destination, with_for_update=True)
    refused: list[Refused] = []
    with noting(refused):
        if wishes.name is not None:
            destination.name = _name(session, destination.project_id, wishes.name, but=destination.id)
    with noting(refused):
        if wishes.kinds is not None:
            destination.kinds = _kinds(destination.channel, wishes.kinds)
    given = None
    with noting(refused):
        if wishes.settings:
            before = channel_settings.stored(destination, vault.seal)
            given = channel_settings.read(
                destination.channel,
                wishes.settings,
                before=before,
                allowed=vault.allowed,
                asked=wishes.asked,
            )
    refuse_all(refused)
    if given is None:
        session.flush()
        return {}
    _keep(destination, given, vault.seal)
    forget_failures(destination)
    session.flush()
    return given.made


def _keep(destination: Destination, given: Given, seal: Seal) -> None:
    destination.settings = dict(given.settings)
    destination.secrets = seal.close(given.secrets)


def forget_failures(destination: Destination) -> None:
    """What failed before says nothing about what it is now."""
    destination.failing_since, destination.failure_count, destination.detail = None, 0, ""
    destination.held_until = None


def switch_on(session: Session, destination: Destination, *, now: datetime) -> None:
    """What is open there, and was settled meanwhile, is closed."""
    destination.enabled = True
    destination.disabled_at, destination.disabled_reason = None, ""
    forget_failures(destination)
    catching_up.close_settled(session, destination, now=now)
    session.flush()


def switch_off(session: Session, destination: Destination, *, now: datetime) -> None:
    """A person does: what waits is called off, and nobody is told instead."""
    if not destination.enabled:
        return
    destination.enabled, destination.disabled_at, destination.disabled_reason = False, now, ""
    for each in posting.undelivered(session, destination):
        if each.state != "sending":
            posting.call_off(session, each, "integration_disabled", now=now)


def remove(session: Session, destination: Destination, *, now: datetime) -> None:
    """What was sent stays recorded, what waits is called off. Rules that name it name nothing any more."""
    # Whoever adds a message for it right now has to be done before, or comes too late.
    session.scalar(select(Destination.id).where(Destination.id == destination.id).with_for_update())
    for each in posting.undelivered(session, destination):
        posting.call_off(session, each, "integration_removed", now=now)
    session.delete(destination)
    session.flush()


def can_rotate(destination: Destination) -> bool:
    return any(each.name == OLD for each in settings_of(channel_settings.channel_named(destination.channel)))


def rotate(session: Session, destination: Destination, seal: Seal, *, keep: timedelta, now: datetime) -> str:
    """A new signing secret, which is shown once; the one until now signs too for a while, or not any more."""
    if not can_rotate(destination) or not timedelta() <= keep <= LONGEST_OVERLAP:
        raise Refused("From 0 to 7 days.", field="keep")
    session.refresh(destination, with_for_update=True)
    fields = settings_of(channel_settings.channel_named(destination.channel))
    make = next(each.make for each in fields if each.name == SECRET)
    values = seal.open(destination.secrets)
    until = (now + keep).isoformat()
    old: list[Sequence[str]] = [[values[SECRET], until], *values[OLD]] if keep else []
    values[OLD] = [each for each in old if datetime.fromisoformat(each[1]) > now][:MOST_OLD]
    values[SECRET] = make() if make else values[SECRET]
    destination.secrets = seal.close(values)
    session.flush()
    return str(values[SECRET])


def signs_with_old_until(destination: Destination, seal: Seal, *, now: datetime) -> datetime | None:
    """Until when an old secret signs too."""
    old = channel_settings.stored(destination, seal).get(OLD, ())
    moments = [datetime.fromisoformat(until) for _, until in old]
    return max((moment for moment in moments if moment > now), default=None)


def test(session: Session, destination: Destination, *, by: User, now: datetime) -> Notice:
    """A test message on the path of all others: notice, verdict, delivery."""
    destination.held_until = None  # whoever presses the button wants to see it now
    data = {"user": by.id, destinations.SUBJECT: destination.id, "name": destination.name}
    notice = announce(session, TEST, destination.project_id, data, by=by, now=now)
    destinations.tell(session, [notice], now=now)
    return notice


def _name(session: Session, project_id: int, name: str, *, but: int | None = None) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > LONGEST_NAME or not clean.isprintable():
        raise Refused(f"A name of up to {LONGEST_NAME} characters.", field="name")
    same = select(Destination.id).where(
        Destination.project_id == project_id, Destination.name == clean, Destination.id != (but or 0)
    )
    if session.scalar(same) is not None:
        raise Refused("There is an integration of that name already.", field="name")
    return clean


def _kinds(channel: str, kinds: Collection[str]) -> list[str]:
    known = channel_settings.channel_named(channel).about.kinds
    if unknown := sorted(set(kinds) - set(known)):
        raise Refused(f"Unknown: {unknown[0]}. There are: {', '.join(known)}.", field="kinds")
    return [kind for kind in known if kind in kinds]
