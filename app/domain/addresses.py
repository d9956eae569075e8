"""Mail addresses: the one form in which they are stored and compared."""

import re

from app.domain.errors import Refused

LONGEST = 254
LONGEST_LOCAL_PART = 64
# Stricter than the grammar allows, as every sign-up form is: no quotes, comments or address literals.
_ADDRESS = re.compile(r"([^\s@<>()\[\],;:\"\\]+)@([^\s@<>()\[\],;:\"\\]+)")


def normal(text: str) -> str:
    """The address in lower case, as mail servers write it; `Refused` when it is none that they all take."""
    address = text.strip().lower()
    match = _ADDRESS.fullmatch(address)
    if match is None or len(address) > LONGEST or not _is_sound(match[1], match[2]):
        raise Refused("That is not a mail address.", field="email")
    if not match[1].isascii():
        raise Refused("Before the @, only plain letters, digits and signs get through.", field="email")
    return f"{match[1]}@{_plain(match[2])}"


def forms(text: str) -> set[str]:
    """How the address that somebody typed may be stored."""
    try:
        return {text.strip().lower(), normal(text)}
    except Refused:
        return {text.strip().lower()}


def is_one(text: str) -> bool:
    """Whether mail can be sent there, as far as its form tells."""
    try:
        normal(text)
    except Refused:
        return False
    return True


def _plain(domain: str) -> str:
    """`müller.example` as `xn--mller-kva.example`."""
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        raise Refused("That is not a mail address.", field="email") from None


def _is_sound(local: str, domain: str) -> bool:
    labels = domain.split(".")
    return (
        len(local) <= LONGEST_LOCAL_PART
        and (local + domain).isprintable()
        and not any(part.startswith(".") or part.endswith(".") or ".." in part for part in (local, domain))
        and not any(label.startswith("-") or label.endswith("-") or len(label) > 63 for label in labels)
    )
