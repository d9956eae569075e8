"""What somebody wrote above the message that they answer: the reply without quotation and signature.

Our own delimiter first, then `mail-parser-reply` to find where the reply ends; the original text is cut
there, because the library takes away the indentation of a pasted traceback (`experience.md` 1.7).
"""

import re

from mailparser_reply.constants import MAIL_LANGUAGES
from mailparser_reply.parser import EmailReplyParser

DELIMITER = "———— reply above this line ————"
LONGEST = 10_000
READ_AT_MOST = 20_000
# The parser's expressions take minutes over what somebody may make up: it gets short lines, and few.
LINE_AT_MOST, LINES_AT_MOST = 120, 200
_DELIMITED = re.compile(r"^[> \t]*—{2,} ?reply above this line ?—{2,}.*", re.MULTILINE | re.DOTALL)
_SENT_FROM = re.compile(r"\n(?:Sent from my|Sent from|Von meinem|Envoyé de mon|Get Outlook for) .*\Z")
_SIGNATURE = re.compile(r"(?:\A|\n)-- ?\n.*\Z", re.DOTALL)
_LANGUAGES = sorted(MAIL_LANGUAGES)


def reply(text: str) -> str:
    """The reply in the text of a message, cut to `LONGEST`; all of the text if nothing would be left."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")[:READ_AT_MOST]
    above = _DELIMITED.sub("", text)
    kept = _SIGNATURE.sub("", _SENT_FROM.sub("", _cut(above).rstrip()).rstrip())
    return (kept.strip("\n").rstrip() or above.strip())[:LONGEST]


def first_line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()


def _cut(text: str) -> str:
    """The original up to the last line that the parser takes for the writer's own."""
    lines = text.split("\n")
    short = [line[:LINE_AT_MOST].strip() for line in lines]
    head = "\n".join(short[:LINES_AT_MOST])
    found = EmailReplyParser(languages=_LANGUAGES).parse_reply(re.sub(r"\n{3,}", "\n\n", head)) or ""
    wanted = [line.strip() for line in found.splitlines() if line.strip()]
    if wanted and len(lines) > LINES_AT_MOST and wanted[-1] == short[LINES_AT_MOST - 1]:
        return text
    end = at = 0
    for position, line in enumerate(short):
        if at < len(wanted) and line == wanted[at]:
            at, end = at + 1, position + 1
    return "\n".join(lines[:end])
