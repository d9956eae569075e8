"""The settings of integrations: checked field by field, secrets kept apart, and shown without them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels import CHANNELS
from app.channels.base import (
    ADDRESS,
    CHOICE,
    HEADERS,
    LIST,
    Changes,
    Channel,
    Consistent,
    Setting,
    settings_of,
)
from app.domain import outward
from app.domain.errors import Refused, noting, refuse_all
from app.domain.outward import Allowed
from app.domain.phrases import told_apart
from app.models import Destination
from app.services.sealing import Seal, Sealed, masked

LONGEST_TEXT, MOST_ENTRIES = 2000, 50
# What a channel was asked of a value: the field's key and the value → what is wrong with it, or "".
Asked = Mapping[tuple[str, str], str]
_NO_TEXT = f"Must be text of up to {LONGEST_TEXT} printable characters."


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


def take_over(destination: Destination, changes: Changes, seal: Seal) -> None:
    """Settings that the channel itself found out, or keeps for itself. The row is locked, and read since."""
    if not changes:
        return
    hidden = {each.name for each in settings_of(CHANNELS[destination.channel]) if each.secret}
    open_ones = {name: value for name, value in changes.items() if name not in hidden}
    destination.settings = _changed(destination.settings, open_ones)
    if secret := {name: value for name, value in changes.items() if name in hidden}:
        destination.secrets = seal.close(_changed(seal.open(destination.secrets), secret))


def _changed(before: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    after = {name: new(before.get(name, "")) if callable(new) else new for name, new in changes.items()}
    return {**before, **after}


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
        each.key: _masked(each, values[each.name]) if each.secret else values[each.name]
        for each in fields_of(destination.channel)
        if each.name in values
    }


def _masked(each: Setting, value: Any) -> Any:
    mask = each.mask or masked
    if isinstance(value, Mapping):
        return {name: mask(text) for name, text in value.items()}
    if isinstance(value, str):
        return mask(value) if value else ""
    return told_apart([mask(text) for text in value])


def ask(name: str, given: Mapping[str, Any], *, before: Mapping[str, Any] | None = None) -> Asked:
    """What takes seconds to find out of the values given, so that `read` need not while it holds a lock."""
    asked = {}
    for each in fields_of(name):
        typed = given.get(each.key)
        if each.ask and isinstance(typed, str) and not _is_kept(each, typed, (before or {}).get(each.name)):
            value = each.tidy(typed)
            if value and not (_wrong_size(each, value) or _wrong_signs(each, value) or each.check(value)):
                asked[each.key, value] = each.ask(value)
    return asked


def read(
    name: str,
    given: Mapping[str, Any],
    *,
    before: Mapping[str, Any] | None = None,
    allowed: Allowed,
    asked: Asked | None = None,
) -> Given:
    """Check what was typed or sent; what is absent stays as it was `before`, or becomes the default."""
    known = {each.key for each in fields_of(name)}
    if unknown := sorted(set(given) - known):
        raise Refused(f"Unknown. There are: {', '.join(sorted(known))}.", field=unknown[0])
    values: dict[str, Any] = {}
    made: dict[str, Any] = {}
    secret_names = set()
    refused: list[Refused] = []
    for each in settings_of(CHANNELS[name]):
        if each.secret:
            secret_names.add(each.name)
        with noting(refused):
            if values.keys() >= set(each.bound_to):
                _check_bound(name, each, given, before, values)
            values[each.name], is_made = _value(each, given, before, allowed, asked or {})
            if is_made:
                made[each.key] = values[each.name]
    refuse_all(refused)
    _check_together(name, values)
    return Given(
        {key: value for key, value in values.items() if key not in secret_names},
        {key: value for key, value in values.items() if key in secret_names},
        made,
    )


def _value(
    each: Setting,
    given: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    allowed: Allowed,
    asked: Asked,
) -> tuple[Any, bool]:
    """The value of a field, and whether it was made here."""
    was = (before or {}).get(each.name)
    typed = None if each.hidden else given.get(each.key)
    if typed is not None:
        _refuse(each, _wrong_size(each, typed))
    if each.secret and was is not None:
        typed = _unmasked(each, typed, was)
    if typed is None or (typed == "" and each.secret and was is not None):
        typed = was
    if typed in (None, "") and each.make:
        return each.make(), True
    if typed is None:
        typed = "" if each.required else each.default
    if not each.hidden and typed is not was:
        typed = _tidied(each, typed)
        _check(each, typed, allowed, asked)
    return typed, False


def _check_bound(
    channel: str,
    each: Setting,
    given: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    values: Mapping[str, Any],
) -> None:
    """Whoever may change whom a secret is sent to does not get to know it that way."""
    if before is None or not _is_kept(each, given.get(each.key), before.get(each.name)):
        return
    known = {other.name: other for other in fields_of(channel)}
    for name in each.bound_to:
        if _whom(known[name], values[name]) != _whom(known[name], before.get(name, known[name].default)):
            _refuse(each, f"Enter it again: “{known[name].label}” is another one now.")


def _whom(each: Setting, value: Any) -> Any:
    """Of an address the server: its paths belong to the same people."""
    return urlsplit(value)[:2] if each.kind == ADDRESS else value


def _is_kept(each: Setting, typed: Any, was: Any) -> bool:
    """Whether something of a secret that is there is to stay without being entered."""
    if not was or typed in (None, ""):
        return bool(was)
    mask = each.mask or masked
    if isinstance(was, Mapping):
        shown = {name: mask(text) for name, text in was.items()}
        return isinstance(typed, Mapping) and any(shown.get(name) == text for name, text in typed.items())
    return typed == mask(was) if isinstance(was, str) else any(text in typed for text in _masked(each, was))


def _tidied(each: Setting, typed: Any) -> Any:
    if isinstance(typed, list) and each.kind == LIST:
        return [each.tidy(text) if isinstance(text, str) else text for text in typed]
    return each.tidy(typed) if isinstance(typed, str) else typed


def _unmasked(each: Setting, typed: Any, was: Any) -> Any:
    """Writing back what was shown keeps what is there."""
    mask = each.mask or masked
    if isinstance(typed, Mapping) and isinstance(was, Mapping):
        return {
            name: was[name] if name in was and value == mask(was[name]) else value
            for name, value in typed.items()
        }
    if isinstance(typed, list) and isinstance(was, list):
        return _entries(typed, was, mask)
    return was if isinstance(was, str) and typed == mask(was) else typed


def _entries(typed: Sequence[Any], left: Sequence[str], mask: Callable[[str], str]) -> list[Any]:
    """What is typed as it was shown stands for what is there."""
    known = dict(zip(told_apart([mask(each) for each in left]), left, strict=True))
    return [known.pop(entry, entry) if isinstance(entry, str) else entry for entry in typed]


def _check(each: Setting, value: Any, allowed: Allowed, asked: Asked) -> None:
    wrong = _wrong_size(each, value) or _wrong_signs(each, value)
    if not wrong and each.required and not value:
        wrong = f"{each.label} is needed."
    if not wrong and value and each.kind == ADDRESS:
        wrong = outward.wrong_with_url(value, allowed)
    if not wrong and value:
        wrong = each.check(value)
    if not wrong and value and each.ask:
        known = asked.get((each.key, value))
        wrong = each.ask(value) if known is None else known
    _refuse(each, wrong)


def _refuse(each: Setting, wrong: str) -> None:
    if wrong:
        raise Refused(wrong, field=each.key)


def _check_together(name: str, values: Mapping[str, Any]) -> None:
    channel = CHANNELS[name](**values)
    wrong = channel.wrong_together() if isinstance(channel, Consistent) else None
    if wrong:
        raise Refused(wrong[1], field=next(each.key for each in fields_of(name) if each.name == wrong[0]))


def _wrong_size(each: Setting, value: Any) -> str:
    """Why it is not even looked at more closely, or ""."""
    if each.kind == HEADERS:
        fits = isinstance(value, Mapping) and _are_texts([*value, *value.values()], most=2 * MOST_ENTRIES)
        return "" if fits else f"Must be up to {MOST_ENTRIES} names with texts."
    if each.kind == LIST:
        is_list = isinstance(value, Sequence) and not isinstance(value, str)
        fits = is_list and _are_texts(value, most=MOST_ENTRIES)
        return "" if fits else f"Must be a list of up to {MOST_ENTRIES} texts."
    return "" if _are_texts([value], most=1) else _NO_TEXT


def _are_texts(values: Sequence[Any], *, most: int) -> bool:
    return len(values) <= most and all(isinstance(each, str) and len(each) <= LONGEST_TEXT for each in values)


def _wrong_signs(each: Setting, value: Any) -> str:
    if not all(text.isprintable() for text in _texts(value)):
        return _NO_TEXT
    if isinstance(value, Mapping) and not all(name.isprintable() for name in value):
        return _NO_TEXT
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
