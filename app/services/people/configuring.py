"""Changing the settings of a project, and of an organization."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.domain import assignees, subjects
from app.domain.errors import Refused
from app.models import Organization, Project, Team
from app.services.issues import naming
from app.services.people import workspaces

LONGEST_PREFIX, LONGEST_TEMPLATE = 64, 200
OLDEST_HOURS = 2160
# Hours without an event after which an issue is resolved by itself, as the page offers them.
AGES = (0, 24, 3 * 24, 7 * 24, 14 * 24, 30 * 24, 90 * 24)
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
    subject_template: str
    mail_detail: str
    resolve_age_hours: int
    last_resort: str  # a member or team, as the API writes assignees; "" for all members
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
    project.subject_template = _template(wishes.subject_template)
    project.mail_detail = wishes.mail_detail
    project.resolve_age_hours = _age(wishes.resolve_age_hours)
    project.scrub_data = wishes.scrub_data
    project.store_ips = wishes.store_ips
    for name in LISTS:
        setattr(project, name, _entries(getattr(wishes, name), field=name))
    known = workspaces.teams(session, project.organization)
    project.teams = [team for team in known if team.slug in wishes.team_slugs]
    session.flush()
    _set_last_resort(session, project, wishes.last_resort)
    session.flush()


def _set_last_resort(session: Session, project: Project, name: str) -> None:
    """Only somebody whom the project concerns; whoever was chosen before may stay."""
    if name == last_resort_of(project):
        return
    found = naming.assignee(session, project, assignees.read(name), field="last_resort")
    is_team = isinstance(found, Team)
    project.last_resort_team_id = found.id if found and is_team else None
    project.last_resort_user_id = found.id if found and not is_team else None


def last_resort_of(project: Project) -> str:
    """As a form names it."""
    if project.last_resort_team_id:
        return f"team:{project.last_resort_team_id}"
    return f"user:{project.last_resort_user_id}" if project.last_resort_user_id else ""


def configure_organization(organization: Organization, *, name: str, enhanced_privacy: bool) -> None:
    if not name.strip():
        raise Refused("An organization needs a name.", field="name")
    organization.name = workspaces.named(name, organization.slug)
    organization.enhanced_privacy = enhanced_privacy


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


def _template(text: str) -> str:
    """Issues need subjects of their own: mail programs put equal ones into one conversation."""
    template = " ".join(text.split())
    if len(template) > LONGEST_TEMPLATE or not template.isprintable():
        raise Refused(f"A subject has up to {LONGEST_TEMPLATE} characters.", field="subject_template")
    if template and not subjects.names_issue(template):
        raise Refused("Name the issue: $shortID or $title has to be in it.", field="subject_template")
    return template


def _age(hours: int) -> int:
    if not 0 <= hours <= OLDEST_HOURS:
        raise Refused(f"From 1 to {OLDEST_HOURS} hours, or 0 for never.", field="resolve_age_hours")
    return hours


def _entries(text: str, *, field: str) -> list[str]:
    found = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if len(found) > MOST_LINES or any(len(each) > LONGEST_LINE or not each.isprintable() for each in found):
        message = f"Up to {MOST_LINES} lines of up to {LONGEST_LINE} characters each."
        raise Refused(message, field=field)
    return found
