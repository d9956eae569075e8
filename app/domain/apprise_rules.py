"""Which addresses of Apprise's are let through, and which never are (`integrations.md` 13.2).

Asked twice: about what was typed, and about what Apprise itself made of it, right before it is used.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

LONGEST = 2000
# To anywhere, in any form; mail and logs, which Tocsin has ways of its own for.
_OPEN_ENDED = ("json", "jsons", "xml", "xmls", "form", "forms", "apprise", "apprises", "mailto", "mailtos")
_MACHINE = ("syslog", "rsyslog", "amqp", "amqps", "dbus", "glib", "qt", "kde", "gnome", "macosx", "windows")
# They take the name of a file with keys, which would be one of the server's.
_KEY_FILES = ("fcm", "vapid")
REFUSED = frozenset((*_OPEN_ENDED, *_MACHINE, *_KEY_FILES, "http", "https", "file", "unknown"))
# Where Apprise cannot close what it opened, or would say less than Tocsin can.
NATIVE = {
    "pagerduty": "PagerDuty",
    "opsgenie": "OpsGenie",
    "jira": "OpsGenie",
}
# They read files, turn checks off, lead elsewhere, or write to the disk.
REFUSED_ARGUMENTS = frozenset(
    (
        "template",
        "attach",
        "attachment",
        "verify",
        "store",
        "config",
        "redirect",
        "include",
        "keyfile",
        "subfile",
    )
)
_SCHEME = re.compile(r"([A-Za-z0-9]{1,32})://")
_ANOTHER = re.compile(r"[\s,;][A-Za-z0-9]{1,32}:[/\\]")


def wrong_with(url: str) -> str:
    """Why an address is not let through, or ""."""
    if len(url) > LONGEST or not url.isprintable() or any(sign.isspace() for sign in url):
        return f"One address of up to {LONGEST} characters, without blanks."
    match = _SCHEME.match(url)
    if match is None:
        return "An address such as ntfys://ntfy.example.org/topic."
    if _ANOTHER.search(url) or _ANOTHER.search(unquote(url)):
        return "One address: make another integration for the next."
    return wrong_with_scheme(match[1]) or wrong_with_arguments(_names(url.partition("?")[2]))


def _names(query: str) -> list[str]:
    return [unquote(each.partition("=")[0].replace("+", " ")) for each in re.split("[&;?]", query) if each]


def wrong_with_scheme(scheme: str) -> str:
    name = scheme.lower().strip()
    if name in NATIVE:
        return f"Add {NATIVE[name]} itself: it closes what it opened."
    return f"{name}:// is not let through." if name in REFUSED else ""


def wrong_with_arguments(names: Iterable[str]) -> str:
    for name in names:
        plain = name.lower().strip().lstrip("+-:")
        if plain in REFUSED_ARGUMENTS:
            return f"The argument {plain} is not let through."
    return ""
