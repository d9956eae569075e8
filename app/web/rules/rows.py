"""The rows of the editor as it draws them: words and controls, from the tables of parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain import rule_parts
from app.domain.rule_parts import ATTRIBUTE, CHOICE, INTEGRATION, KEY, NUMBER, TARGET, Field, Part
from app.domain.rule_rows import ALL, Names
from app.web.rules.typed import LISTS, Draft, Row, field_id, joins_target

Option = tuple[str, str]
Group = tuple[str, Sequence[Option]]  # heading ("" for none) and options
NOUNS = {"conditions": "Condition", "filters": "Filter", "actions": "Action"}
ONE_OF = {TARGET: "", NUMBER: "number", KEY: "key", ATTRIBUTE: "attribute"}
GONE = "somebody without access"
BEFORE = {"fallback": "or, if there is nobody,"}


@dataclass(frozen=True, slots=True)
class Control:
    """A field of a row: a choice where it has groups, else typed text. `member` says which, for styles."""

    id: str
    member: str
    label: str
    type: str
    value: str
    groups: Sequence[Group]
    error: str
    takes_focus: bool

    @property
    def before(self) -> str:
        """Words that stand and fall with the field."""
        return BEFORE.get(self.member, "")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A row; its pieces are words and controls in the order of its sentence."""

    list: str
    key: str
    part: Part
    number: int
    noun: str
    pieces: Sequence[str | Control]
    error: str
    takes_focus: bool

    @property
    def id(self) -> str:
        return f"{self.list}-{self.key}"


def drawn(draft: Draft, names: Names, errors: Mapping[str, str]) -> dict[str, list[Drawn]]:
    return {
        name: [
            _drawn(name, at, row, names, errors, is_fresh=row.key == draft.fresh)
            for at, row in enumerate(draft.rows[name])
        ]
        for name in LISTS
    }


def single(name: str, row: Row, names: Names, at: int) -> Drawn:
    """A row that is being added after the others."""
    return _drawn(name, at, row, names, {}, is_fresh=True)


def _drawn(name: str, at: int, row: Row, names: Names, errors: Mapping[str, str], *, is_fresh: bool) -> Drawn:
    path = f"{name}.{at}"
    label = f"{NOUNS[name]} {at + 1}"
    pieces: list[str | Control] = []
    for piece in row.part.pieces:
        if isinstance(piece, str):
            pieces.append(piece)
        elif piece.type != TARGET:
            takes_focus = is_fresh and not any(isinstance(each, Control) for each in pieces)
            pieces.append(
                _control(name, row, piece, names, _error(path, piece, row, errors), label, takes_focus)
            )
    return Drawn(
        list=name,
        key=row.key,
        part=row.part,
        number=at + 1,
        noun=NOUNS[name],
        pieces=pieces,
        error=errors.get(path) or errors.get(f"{path}.id") or "",
        takes_focus=is_fresh and not any(isinstance(each, Control) for each in pieces),
    )


def _error(path: str, piece: Field, row: Row, errors: Mapping[str, str]) -> str:
    own = errors.get(f"{path}.{piece.name}", "")
    if not own and piece.name == "target":
        return errors.get(f"{path}.targetId", "")
    return own


def _control(
    name: str, row: Row, piece: Field, names: Names, error: str, label: str, takes_focus: bool
) -> Control:
    value = row.typed.get(piece.name, "")
    return Control(
        id=field_id(name, row.key, piece.name),
        member=piece.name,
        label=f"{label}: {piece.label}",
        type=ONE_OF.get(piece.type, "text"),
        value=value,
        groups=_groups(row.part, piece, value, names),
        error=error,
        takes_focus=takes_focus,
    )


def _groups(part: Part, piece: Field, value: str, names: Names) -> Sequence[Group]:
    if piece.type == INTEGRATION:
        known = [(str(key), name) for key, name in names.integrations.items()]
        return _with_value([("", [(ALL, "every integration"), *known])], value, "an integration that is gone")
    if piece.type != CHOICE:
        return ()
    choices = list((piece.choices or {}).items())
    if piece.name != "target" or not joins_target(part):
        return [("", choices)]
    plain = [(each, words) for each, words in choices if each not in ("team", "member")]
    groups = [
        ("", plain),
        ("Teams", [(f"team:{key}", name) for key, name in names.teams.items()]),
        ("Members", [(f"member:{key}", name) for key, name in names.members.items()]),
    ]
    return _with_value([group for group in groups if group[1]], value, GONE)


def _with_value(groups: list[Group], value: str, otherwise: str) -> list[Group]:
    """What is stored stays a choice, though it may not be one any more."""
    if any(value == each for _, options in groups for each, _ in options):
        return groups
    return [("", [(value, otherwise)]), *groups] if value else groups


def choices(name: str, names: Names) -> list[Option]:
    """What can be added to a list. Integrations only where there are some."""
    parts = rule_parts.TABLES[name].values()
    return [(part.id, part.label) for part in parts if part.id != "integration" or names.integrations]


def frequencies(value: str) -> list[Option]:
    known = [(str(each), words) for each, words in rule_parts.FREQUENCIES.items()]
    if value in dict(known) or not value.isdecimal():
        return known
    return [(value, f"at most every {value} minutes"), *known]


def environments(names: Names, value: str) -> list[Option]:
    known = [(each, each) for each in sorted(names.environments)]
    gone = [(value, f"{value} (not seen yet)")] if value and value not in names.environments else []
    return [("", "all environments"), *known, *gone]
