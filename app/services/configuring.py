"""Changing a project's settings."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.models import Project
from app.services import workspaces

LONGEST_PREFIX = 64
MOST_LINES, LONGEST_LINE = 50, 100
LISTS = ("sensitive_fields", "safe_fields", "allowed_origins")
MAIL_DETAILS = {
    "full": ("Everything", "Title, message and stack trace."),
    "counts": ("Title and counts", "What went wrong and how often."),
    "link": ("Only a link", "Nothing of the event leaves Tocsin."),
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """The whole form: what is not in it is switched off. Of the lists each line is an entry."""

    name: str
    platform: str
    subject_prefix: str
    mail_detail: str
    scrub_data: bool
    store_ips: bool
    sensitive_fields: str
    safe_fields: str
    allowed_origins: str
    team_slugs: frozenset[str]


def configure(session: Session, project: Project, wishes: Wishes) -> None:
    if not wishes.name.strip():
        raise Refused("A project needs a name.", field="name")
    if wishes.platform not in dict(platforms(project)):
        raise Refused("Choose one of the platforms.", field="platform")
    if wishes.mail_detail not in MAIL_DETAILS:
        raise Refused("Choose how much mails say.", field="mail_detail")
    project.name = workspaces.named(wishes.name, project.slug)
    project.platform = wishes.platform
    project.subject_prefix = _prefix(wishes.subject_prefix)
    project.mail_detail = wishes.mail_detail
    project.scrub_data = wishes.scrub_data
    project.store_ips = wishes.store_ips
    for name in LISTS:
        setattr(project, name, _entries(getattr(wishes, name), field=name))
    known = workspaces.teams(session, project.organization)
    project.teams = [team for team in known if team.slug in wishes.team_slugs]
    session.flush()


def platforms(project: Project) -> list[tuple[str, str]]:
    """The platforms to choose from; one that was set otherwise, by an SDK or the command line, stays."""
    known = dict(workspaces.PLATFORMS)
    return list(({project.platform: project.platform} | known).items())


def _prefix(text: str) -> str:
    """It becomes part of a mail's subject, which is one line."""
    prefix = " ".join(text.split())
    if len(prefix) > LONGEST_PREFIX or not prefix.isprintable():
        raise Refused(f"A prefix has up to {LONGEST_PREFIX} characters.", field="subject_prefix")
    return prefix


def _entries(text: str, *, field: str) -> list[str]:
    found = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if len(found) > MOST_LINES or any(len(each) > LONGEST_LINE or not each.isprintable() for each in found):
        message = f"Up to {MOST_LINES} lines of up to {LONGEST_LINE} characters each."
        raise Refused(message, field=field)
    return found
