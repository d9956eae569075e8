"""The settings of integrations: checked field by field, secrets kept apart, and shown without them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels import CHANNELS
from app.channels.base import ADDRESS, CHOICE, HEADERS, LIST, Channel, Setting, settings_of
from app.domain import outward
from app.domain.errors import Refused
from app.domain.outward import Allowed
from app.models import Destination
from app.services.sealing import Seal, Sealed, masked

LONGEST_TEXT, MOST_ENTRIES = 2000, 50


@dataclass(frozen=True, slots=True)
class Given:
    """Checked values, and those secrets that were made for whoever gave none: they are shown this once."""

    settings: Mapping[str, Any]
    secrets: Mapping[str, Any]
    made: Mapping[str, Any] = field(default_factory=dict)


def channel_named(name: str) -> type[Channel]:
    if name not in CHANNELS:
        raise Refused(f"There are: {', '.join(CHANNELS)}.", field="channel")
    return CHANNELS[name]


def fields_of(name: str) -> list[Setting]:
    """What a form asks for."""
    return [each for each in settings_of(CHANNELS[name]) if not each.hidden]


def opened(destination: Destination, seal: Seal) -> Channel:
    """The channel with its settings, ready to send. Raises `Sealed`."""
    return CHANNELS[destination.channel](**destination.settings, **seal.open(destination.secrets))


def pictured(name: str, values: Mapping[str, Any]) -> Channel:
    """A channel to make a picture with; what is not known yet is made up."""
    made_up = {each.name: each.default for each in settings_of(CHANNELS[name])}
    return CHANNELS[name](**{**made_up, **values})


def secrets_in(channel: Channel) -> list[str]:
    """Every secret text of it, to be masked wherever it turns up."""
    found: list[str] = []
    for each in settings_of(type(channel)):
        if each.secret:
            found += _texts(getattr(channel, each.name))
    return found


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, Mapping) else value
    return [text for each in inner for text in _texts(each)]


def stored(destination: Destination, seal: Seal) -> dict[str, Any]:
    """All values as they are; secrets that cannot be read any more are missing."""
    try:
        secrets = seal.open(destination.secrets)
    except Sealed:
        secrets = {}
    return {**destination.settings, **secrets}


def shown(destination: Destination, seal: Seal) -> dict[str, Any]:
    """What people may see, by the names that API and forms use: of secrets the last four characters."""
    values = stored(destination, seal)
    return {
        each.key: _masked(values[each.name]) if each.secret else values[each.name]
        for each in fields_of(destination.channel)
        if each.name in values
    }


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: masked(each) for name, each in value.items()}
    return masked(value) if value else ""


def read(
    name: str, given: Mapping[str, Any], *, before: Mapping[str, Any] | None = None, allowed: Allowed
) -> Given:
    """Check what was typed or sent; what is absent stays as it was `before`, or becomes the default."""
    known = {each.key for each in fields_of(name)}
    if unknown := sorted(set(given) - known):
        raise Refused(f"Unknown. There are: {', '.join(sorted(known))}.", field=unknown[0])
    values: dict[str, Any] = {}
    made: dict[str, Any] = {}
    secret_names = set()
    for each in settings_of(CHANNELS[name]):
        if each.secret:
            secret_names.add(each.name)
        values[each.name], is_made = _value(each, given, before, allowed)
        if is_made:
            made[each.key] = values[each.name]
    return Given(
        {key: value for key, value in values.items() if key not in secret_names},
        {key: value for key, value in values.items() if key in secret_names},
        made,
    )


def _value(
    each: Setting, given: Mapping[str, Any], before: Mapping[str, Any] | None, allowed: Allowed
) -> tuple[Any, bool]:
    """The value of a field, and whether it was made here."""
    was = (before or {}).get(each.name)
    typed = None if each.hidden else given.get(each.key)
    if each.secret and was is not None:
        typed = _unmasked(typed, was)
    if typed is None or (typed == "" and each.secret and was is not None):
        typed = was
    if typed in (None, "") and each.make:
        return each.make(), True
    if typed is None:
        typed = "" if each.required else each.default
    if not each.hidden and typed is not was:
        _check(each, typed, allowed)
    return typed, False


def _unmasked(typed: Any, was: Any) -> Any:
    """Writing back what was shown keeps what is there."""
    if isinstance(typed, Mapping) and isinstance(was, Mapping):
        return {
            name: was[name] if name in was and value == masked(was[name]) else value
            for name, value in typed.items()
        }
    return was if isinstance(was, str) and typed == masked(was) else typed


def _check(each: Setting, value: Any, allowed: Allowed) -> None:
    wrong = _wrong_shape(each, value)
    if not wrong and each.required and not value:
        wrong = f"{each.label} is needed."
    if not wrong and value and each.kind == ADDRESS:
        wrong = outward.wrong_with_url(value, allowed)
    if not wrong and value:
        wrong = each.check(value)
    if wrong:
        raise Refused(wrong, field=each.key)


def _wrong_shape(each: Setting, value: Any) -> str:
    if each.kind == HEADERS:
        texts = [*value, *value.values()] if isinstance(value, Mapping) else [None]
        return "" if all(isinstance(text, str) for text in texts) else "Must be names with texts."
    if each.kind == LIST:
        is_list = isinstance(value, Sequence) and not isinstance(value, str)
        fits = is_list and len(value) <= MOST_ENTRIES and all(isinstance(text, str) for text in value)
        return "" if fits else f"Must be a list of up to {MOST_ENTRIES} texts."
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        return f"Must be text of up to {LONGEST_TEXT} printable characters."
    if each.kind == CHOICE and value not in each.choices:
        return f"Must be one of: {', '.join(each.choices)}."
    return ""


def reseal(session: Session, seal: Seal) -> None:
    """Encrypt with the first key what another one encrypted; what none of them opens stays as it is."""
    for row in session.scalars(select(Destination)):
        try:
            again = seal.again(row.secrets)
        except Sealed:
            continue
        if again != row.secrets:
            row.secrets = again
