"""The headers of a mail beside From, To, Subject, Date and Message-ID (`experience.md` 1.2).

They are for threading, for the Unsubscribe button of mail programs, and for people's own filters.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain import reply_address
from app.domain.kinds import ALERTS, DEPLOYS, HEALTH, KINDS, TEST
from app.domain.mail_tokens import MailToken, sign
from app.domain.reply_address import ReplyTo
from app.domain.routing import STRENGTH, Reason
from app.domain.site import Site
from app.models import Event, Issue, Notice, Project, User, Verdict

Headers = Iterator[tuple[str, str]]
AUTO_RESPONSE_SUPPRESS = "DR, RN, NRN, OOF, AutoReply"  # never `All`: bounces are wanted


@dataclass(frozen=True, slots=True)
class MailList:
    """What one press on Unsubscribe leaves: a category of a project, or of all where there is none."""

    category: str
    project: Project | None
    token: MailToken

    @property
    def places(self) -> tuple[str, ...]:
        """From the project up; empty for a list that is about no single one."""
        return (self.project.slug, self.project.organization.slug) if self.project else ()


def automatic(kind: str) -> Headers:
    """What every mail says: a program wrote this, and robots need not answer."""
    yield "Auto-Submitted", "auto-generated"
    yield "X-Auto-Response-Suppress", AUTO_RESPONSE_SUPPRESS
    yield "X-Tocsin-Kind", kind


def of_list(site: Site, to: MailList) -> Headers:
    name = " ".join([*to.places[:1], to.category])
    yield "List-Id", f"{name} <{'.'.join((to.category, *to.places, site.mail_domain))}>"
    ways = [f"<{site.links.unsubscribe(sign(to.token, site.token_keys))}>"]
    if site.reply_domain:
        address = reply_address.for_unsubscribe(to.token, site.token_keys, site.reply_domain)
        ways.append(f"<mailto:{address}?subject=unsubscribe>")
    yield "List-Unsubscribe", ", ".join(ways)
    if site.one_click:
        yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"
    yield "List-Help", f"<{site.links.mail_help()}>"
    yield "Precedence", "list"
    yield "Feedback-ID", ":".join((to.category, *(to.places or ("all",)), "tocsin"))
    if to.project:
        yield "X-Tocsin-Project", to.project.slug


def of_notice(site: Site, notice: Notice, verdict: Verdict) -> Headers:
    yield "X-Tocsin-Notice", site.links.notice(notice.public_id)
    yield "X-Tocsin-Reason", reason(verdict.reasons, notice.kind)


def reason(reasons: Sequence[str], kind: str) -> str:
    """The strongest one. Whoever asked for a test is the one who gets it."""
    if reasons:
        return reasons[0]
    category = KINDS[kind].category
    return category if category in (TEST, HEALTH) else ""


def strongest(several: Iterable[Sequence[str]]) -> str:
    """The strongest reason of several verdicts."""
    return str(min((Reason(name) for reasons in several for name in reasons), key=STRENGTH.__getitem__))


def of_issue(site: Site, notice: Notice, issue: Issue, event: Event | None, *, says_all: bool) -> Headers:
    """Its thread, its page; and of the event, where mails may say that."""
    project = issue.project
    root = f"<issue.{issue.id}.{notice.mail_epoch}@{site.mail_domain}>"
    yield "In-Reply-To", root
    yield "References", root
    yield "List-Archive", f"<{site.links.issue(project.organization.slug, project.slug, issue.id)}>"
    yield "X-Tocsin-Issue", issue.short_id
    if notice.event_id:
        yield "X-Tocsin-Event", notice.event_id
    if says_all:
        yield "X-Tocsin-Level", event.level if event else issue.level
        if event and event.environment:
            yield "X-Tocsin-Environment", event.environment


def thread(root: str) -> Headers:
    """Mails without an issue: under a root that they share, which was never sent."""
    yield "In-Reply-To", root
    yield "References", root


def root_of_storm(site: Site, notice: Notice) -> str:
    """The same for every message about one storm."""
    began = f"{datetime.fromisoformat(notice.data['since']):%Y%m%dT%H%M%S}"
    return f"<storm.{notice.project_id}.{began}@{site.mail_domain}>"


def reply_to(site: Site, issue: Issue, user: User) -> Headers:
    """Where this person's answers become comments, if the instance reads any."""
    if site.reply_domain:
        to = ReplyTo(user.id, issue.id, user.mail_version)
        address = reply_address.for_reply(to, site.token_keys, site.reply_domain)
        yield "Reply-To", f'"Reply to {issue.short_id}" <{address}>'


def list_of(notice: Notice, tokens: Mapping[str, MailToken]) -> MailList | None:
    """A single alert is left by category, workflow by issue: more of the same is then what stops."""
    category = KINDS[notice.kind].category
    if notice.project is None:
        return None
    if category == HEALTH:
        return MailList(category, None, tokens["project"])
    is_left_by_issue = category not in (ALERTS, DEPLOYS) and notice.issue_id is not None
    return MailList(category, notice.project, tokens["issue" if is_left_by_issue else "project"])
