"""Lines of IRC: read, written, and cut by bytes, never inside a character (RFC 1459, IRCv3).

A line has at most 512 bytes with its end, and the server puts who said it in front when it passes it on: what
is longer than that is cut there without a word, or the connection is closed.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

LINE_BYTES, PREFIX_BYTES, END_BYTES = 512, 100, 2
SASL_PIECE = 400
SAFE_NICK_LENGTH = 9  # what every server takes
_TAG_SIGNS = {":": ";", "s": " ", "r": "\r", "n": "\n"}
_TAG_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\:", " ": "\\s", "\r": "\\r", "\n": "\\n"})
_LINE_ENDS = re.compile("\r\n|\r|\n")
_FOLDED = str.maketrans("[]\\^", "{}|~")


@dataclass(frozen=True, slots=True)
class Line:
    """`source` is who said it: a server, or `nick!user@host`."""

    command: str
    params: tuple[str, ...] = ()
    source: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def param(self, number: int) -> str:
        """ "" where there are not so many."""
        return self.params[number] if number < len(self.params) else ""

    @property
    def nick(self) -> str:
        return userhost(self.source)[0]


def decoded(raw: bytes) -> str:
    """Servers promise no encoding; what is not UTF-8 is taken for the older one."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def read(text: str) -> Line:
    """Parts are divided by spaces, one or several; a tab is none."""
    tags: Mapping[str, str] = {}
    source = ""
    rest = text.strip(" ") if " :" not in text else text.lstrip(" ")
    if rest.startswith("@"):
        written, _, rest = rest[1:].partition(" ")
        tags, rest = _read_tags(written), rest.lstrip(" ")
    if rest.startswith(":"):
        source, _, rest = rest[1:].partition(" ")
    head, has_last, last = f" {rest.lstrip(' ')}".partition(" :")
    command, *params = [each for each in head.split(" ") if each] or [""]
    return Line(command, tuple(params) + ((last,) if has_last else ()), source, tags)


def _read_tags(text: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in text.split(";") if each)
    return {name: _unescaped(value) for name, _, value in pairs}


def _unescaped(value: str) -> str:
    """A backslash before anything else, or at the end, means nothing."""
    return re.sub(r"\\(.?)", lambda match: _TAG_SIGNS.get(match[1], match[1]), value, flags=re.DOTALL)


def written(line: Line) -> str:
    """As it goes over the wire, without its end."""
    tags = ";".join(
        f"{name}={value.translate(_TAG_ESCAPES)}" if value else name for name, value in line.tags.items()
    )
    parts = [f"@{tags}"] if tags else []
    parts += [f":{line.source}"] if line.source else []
    parts += [line.command, *line.params]
    if line.params and _needs_colon(line.params[-1]):
        parts[-1] = f":{line.params[-1]}"
    return " ".join(parts)


def _needs_colon(last: str) -> bool:
    return not last or " " in last or last.startswith(":")


def userhost(source: str) -> tuple[str, str, str]:
    """Nick, user and host."""
    rest, _, host = source.partition("@")
    nick, _, user = rest.partition("!")
    return nick, user, host


# Texts


def room(command: str, target: str, *, prefix_bytes: int = PREFIX_BYTES, line_bytes: int = LINE_BYTES) -> int:
    """How many bytes of text one line to the target holds."""
    return line_bytes - END_BYTES - prefix_bytes - len(f"{command} {target} :".encode())


def spoken(
    command: str, target: str, text: str, *, prefix_bytes: int = PREFIX_BYTES, line_bytes: int = LINE_BYTES
) -> list[str]:
    """The lines that say a text to a target: one for each of its own, or more where that is too long."""
    most = room(command, target, prefix_bytes=prefix_bytes, line_bytes=line_bytes)
    return [f"{command} {target} :{piece}" for piece in pieces(text, most)]


def pieces(text: str, most: int) -> list[str]:
    """A text in pieces of at most so many bytes, broken at its line ends, and at spaces where it can be."""
    lines = _LINE_ENDS.split(text.replace("\0", ""))
    return [piece for line in lines if line.strip() for piece in _broken(line, most)]


def _broken(line: str, most: int) -> Iterator[str]:
    rest = line
    while len(rest.encode()) > most:
        head = _start(rest, most)
        at = head.rfind(" ") if not rest[len(head) :].startswith(" ") else len(head)
        head = head[:at] if at > 0 else head
        yield head
        rest = rest[len(head) :].lstrip(" ")
    if rest:
        yield rest


def _start(text: str, most: int) -> str:
    """As many whole characters as fit."""
    return text.encode()[:most].decode(errors="ignore")


def cut(text: str, most: int) -> str:
    """At most so many bytes, `...` at the end of what was longer."""
    if len(text.encode()) <= most:
        return text
    return f"{_start(text, most - 3).rstrip()}..." if most > 3 else ""


# Names


def folded(name: str, mapping: str) -> str:
    """So that two names that mean the same are the same; `mapping` is the server's CASEMAPPING."""
    lower = name.lower()
    if mapping == "ascii":
        return lower
    return lower.translate(_FOLDED) if mapping == "rfc1459" else lower.translate(str.maketrans("[]\\", "{}|"))


def is_channel(target: str) -> bool:
    return target.startswith(("#", "&", "+", "!"))


def other_nick(nick: str, attempt: int) -> str:
    """What to be called where that is taken: never longer than it was, unless that was short."""
    suffix = "_" if attempt == 1 else str(attempt - 1)
    longest = max(SAFE_NICK_LENGTH, len(nick))
    return nick[: longest - len(suffix)] + suffix


# Signing in


def sasl_plain(account: str, password: str, *, acting_as: str = "") -> list[str]:
    """The lines of SASL PLAIN: base64 in pieces; a last one that is full is followed by an empty one."""
    raw = "\0".join((acting_as, account, password)).encode()
    text = base64.b64encode(raw).decode()
    found = [text[start : start + SASL_PIECE] for start in range(0, len(text), SASL_PIECE)]
    if len(text) % SASL_PIECE == 0:
        found.append("+")
    return [f"AUTHENTICATE {piece}" for piece in found]
