"""What servers of IRC say when something does not work, and what that means (`integrations.md` 11.2)."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    LATER = "later"  # busy: again in a while
    DOUBTFUL = "doubtful"  # it may be different soon
    BROKEN = "broken"  # somebody has to change something
    OURS = "ours"  # the message is at fault


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` is the server's numeric, or a word where it has none."""

    meaning: Meaning
    code: str
    words: str


NICK_IN_USE = ("433", "436", "437")
NICK_BAD = "432"
TOO_MANY_CHANNELS = "405"
# Of a server, before anybody is greeted.
_AT_THE_DOOR = {
    "464": Refusal(Meaning.BROKEN, "464", "The server does not take the server password."),
    "465": Refusal(Meaning.BROKEN, "465", "The server has banned Tocsin."),
    "263": Refusal(Meaning.LATER, "263", "The server is busy."),
}
_SASL = {
    "902": "The account is locked.",
    "904": "The account or its password is wrong.",
    "905": "The password is too long for the server.",
    "906": "Signing in was broken off.",
    "908": "The server offers SASL, but not PLAIN.",
}
# Of a channel that is to be joined, or of a target that something was said to.
_OF_A_TARGET = {
    "401": (Meaning.DOUBTFUL, "{target} is not there."),
    "403": (Meaning.BROKEN, "There is no channel {target}."),
    "404": (Meaning.BROKEN, "Tocsin may not speak in {target}: let it join, or give its nick a voice."),
    "405": (Meaning.BROKEN, "The server lets Tocsin join no more channels: {target} is one too many."),
    "407": (Meaning.BROKEN, "{target} means several."),
    "417": (Meaning.OURS, "The line was too long for the server."),
    "437": (Meaning.LATER, "{target} cannot be joined just now."),
    "439": (Meaning.LATER, "The server asks Tocsin to slow down."),
    "263": (Meaning.LATER, "The server is busy."),
    "470": (Meaning.BROKEN, "{target} leads to another channel."),
    "471": (Meaning.BROKEN, "{target} is full."),
    "473": (Meaning.BROKEN, "{target} is for invited nicks only: invite Tocsin’s."),
    "474": (Meaning.BROKEN, "Tocsin is banned from {target}."),
    "475": (Meaning.BROKEN, "The key of {target} is wrong."),
    "476": (Meaning.BROKEN, "{target} is no name of a channel here."),
    "477": (Meaning.BROKEN, "{target} is for registered nicks only: have Tocsin sign in."),
    "479": (Meaning.BROKEN, "{target} is no name of a channel here."),
    "489": (Meaning.BROKEN, "{target} is for secure connections only."),
    "520": (Meaning.BROKEN, "{target} is for operators of the server only."),
    "716": (Meaning.DOUBTFUL, "{target} takes messages only from those it has let in."),
}
_BYE = (
    (r"password", Meaning.BROKEN, "password", "The server does not take the server password."),
    (r"ban(ned)?\b|[a-z]-?lined?\b", Meaning.BROKEN, "banned", "The server has banned Tocsin."),
    (r"flood", Meaning.LATER, "flood", "The server found Tocsin too fast."),
    (
        r"throttl|too fast|too many|reconnect",
        Meaning.LATER,
        "throttled",
        "The server wants fewer connections.",
    ),
)


def at_the_door(command: str) -> Refusal | None:
    return _AT_THE_DOOR.get(command)


def of_sasl(command: str) -> Refusal | None:
    words = _SASL.get(command)
    return Refusal(Meaning.BROKEN, command, words) if words else None


def of_target(command: str, target: str) -> Refusal | None:
    """What a numeric about a target means; None for those that are no refusal."""
    if command not in _OF_A_TARGET:
        return None
    meaning, words = _OF_A_TARGET[command]
    return Refusal(meaning, command, words.format(target=target))


def of_error(words: str) -> Refusal:
    """What a server says before it closes the connection."""
    for pattern, meaning, code, said in _BYE:
        if re.search(pattern, words, re.IGNORECASE):
            return Refusal(meaning, code, said)
    return Refusal(Meaning.DOUBTFUL, "closed", "The server closed the connection.")
