"""Text messages on phones: what a text costs in segments, and how to say it in one."""

import re
import unicodedata

GSM, UCS = "GSM-7", "UCS-2"
ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Sent as two.
EXTENSION = frozenset("{}[]\\^~|€\f")
ONE, PART = {GSM: 160, UCS: 70}, {GSM: 153, UCS: 67}
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\t\r\n\f", " "),
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("•·", "*"),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufe0e\ufe0f", ""),
        "…": "...",
        "→": "->",
        "←": "<-",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ı": "i",
        "œ": "oe",
        "Œ": "OE",
    }
)
_UNKNOWN = re.compile(r"\?{2,}")
MORE = "..."


def encoding(text: str) -> str:
    """What it is sent as: one character outside the alphabet changes it for the whole text."""
    return GSM if all(each in ALPHABET or each in EXTENSION for each in text) else UCS


def units(text: str) -> int:
    """Its length as it is counted."""
    if encoding(text) == UCS:
        return len(text.encode("utf-16-le")) // 2
    return sum(2 if each in EXTENSION else 1 for each in text)


def segments(text: str) -> int:
    """How many messages it is charged as."""
    kind, count = encoding(text), units(text)
    return 1 if count <= ONE[kind] else _parts(text, PART[kind])


def _parts(text: str, room: int) -> int:
    """A character that counts twice is not torn in two: it goes to the next part."""
    kind, parts, used = encoding(text), 1, 0
    for each in text:
        size = _size(each, kind)
        if used + size > room:
            parts, used = parts + 1, 0
        used += size
    return parts


def _size(character: str, kind: str) -> int:
    if kind == UCS:
        return len(character.encode("utf-16-le")) // 2
    return 2 if character in EXTENSION else 1


def plain(text: str) -> str:
    """The text in the alphabet of phones: accents go where they have to, what is left over is a `?`."""
    found = "".join(_spelt(each) for each in unicodedata.normalize("NFC", text).translate(_PLAIN))
    return " ".join(_UNKNOWN.sub("?", found).split())


def _spelt(character: str) -> str:
    if character in ALPHABET or character in EXTENSION:
        return character
    taken_apart = unicodedata.normalize("NFKD", character).translate(_PLAIN)
    kept = "".join(each for each in taken_apart if each in ALPHABET or each in EXTENSION)
    return kept or ("" if unicodedata.combining(character) else "?")


def cut(text: str, most: int) -> str:
    """As much of a plain text as so many units hold, `...` at the end of what was longer."""
    if units(text) <= most:
        return text
    return f"{_beginning(text, most - len(MORE)).rstrip()}{MORE}" if most > len(MORE) else ""


def _beginning(text: str, most: int) -> str:
    used = 0
    for at, each in enumerate(text):
        used += _size(each, GSM)
        if used > most:
            return text[:at]
    return text


def one_segment(start: str, text: str, link: str = "") -> str:
    """`API-42 NEW ValueError: bad literal https://t.example.com/i/API-42`: of these, the text is what is cut.

    A link that leaves no room for the start is left out; it is never cut.
    """
    start, text, link = plain(start), plain(text), link if encoding(link) == GSM else ""
    room = ONE[GSM] - units(link) - 1 if link else ONE[GSM]
    if room < units(start):
        return cut(" ".join(filter(None, (start, text))), ONE[GSM])
    shown = cut(text, room - units(start) - 1) if start else cut(text, room)
    return " ".join(filter(None, (start, shown, link)))
