"""Deliveries → finished mails. Rendered once for all who get the same words; the rest is filled in.

What differs from person to person within a notice are the reasons, the time zone and the signed links: the
first two make a group with one rendering, the links are placeholders in it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import css_inline
from jinja2 import Environment
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.base import Mail
from app.domain.kinds import ALERTS, KINDS, WORKFLOW
from app.domain.links import Links
from app.domain.tokens import MailToken, sign
from app.models import Delivery, Event, Notice, User, Verdict
from app.services import mail_facts

INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)
AUTO_RESPONSE_SUPPRESS = "DR, RN, NRN, OOF, AutoReply"  # never `All`: bounces are wanted
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Site:
    """What a mail says of the instance that sends it."""

    url: str
    mail_domain: str
    token_keys: tuple[str, ...]

    @property
    def links(self) -> Links:
        return Links(self.url)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def one_click(self) -> bool:
        """RFC 8058 wants https; a loopback address is where people try things out."""
        parts = urlsplit(self.url)
        return parts.scheme == "https" or parts.hostname in LOOPBACK


Words = tuple[str, str, str]  # subject, text, html


class Composer:
    """Composes a batch; what several deliveries share is loaded and rendered once."""

    def __init__(self, session: Session, environment: Environment, site: Site) -> None:
        self.session = session
        self.environment = environment
        self.site = site
        # Nobody can know the nonce beforehand: an event's text cannot name a placeholder.
        self._nonce = secrets.token_hex(8).upper()
        self._rendered: dict[tuple[Any, ...], Words] = {}
        self._facts: dict[int, Mapping[str, Any]] = {}

    def compose(self, delivery: Delivery) -> Mail:
        """The mail for one delivery. Raises when a template or its data is at fault."""
        if delivery.verdict is None:
            return self._personal(delivery)
        notice, user = delivery.verdict.notice, delivery.user
        if user is None:
            raise LookupError(f"delivery {delivery.id} has lost its person")
        words = self._words(notice, delivery.verdict, user)
        tokens = self._tokens(notice, user)
        subject, text, html = (self._fill(part, tokens) for part in words)
        return Mail(
            delivery_id=delivery.id,
            public_id=delivery.public_id,
            message_id=f"<{delivery.public_id}@{self.site.mail_domain}>",
            sender_name=_sender_name(notice),
            to_name=user.name,
            to_address=delivery.address,
            subject=delivery.subject or subject,
            text=text,
            html=html,
            headers=tuple(self._headers(notice, delivery.verdict, tokens)),
        )

    def _personal(self, delivery: Delivery) -> Mail:
        """A mail that no notice stands behind: a sign-in link, an invitation."""
        context = {**delivery.data, "site": self.site}
        subject, text, html = self._render(KINDS[delivery.kind].template, context)
        return Mail(
            delivery_id=delivery.id,
            public_id=delivery.public_id,
            message_id=f"<{delivery.public_id}@{self.site.mail_domain}>",
            sender_name="Tocsin",
            to_name=delivery.user.name if delivery.user else "",
            to_address=delivery.address,
            subject=subject,
            text=text,
            html=html,
            headers=(
                ("Auto-Submitted", "auto-generated"),
                ("X-Auto-Response-Suppress", AUTO_RESPONSE_SUPPRESS),
                ("X-Tocsin-Kind", delivery.kind),
            ),
        )

    def _words(self, notice: Notice, verdict: Verdict, user: User) -> Words:
        scope = verdict.params.get("scope")
        key = (notice.id, tuple(verdict.reasons), scope, user.timezone)
        if key not in self._rendered:
            facts = self._notice_facts(notice)
            context = {
                **facts,
                **mail_facts.because(notice, verdict, facts, self.site.links),
                **mail_facts.clock(user.timezone),
                "site": self.site,
                "unsubscribe_issue": self.site.links.unsubscribe(self._placeholder("issue")),
                "unsubscribe_project": self.site.links.unsubscribe(self._placeholder("project")),
            }
            self._rendered[key] = self._render(KINDS[notice.kind].template, context)
        return self._rendered[key]

    def _notice_facts(self, notice: Notice) -> Mapping[str, Any]:
        if notice.id not in self._facts:
            event = self.session.scalar(
                select(Event).where(
                    Event.project_id == notice.project_id, Event.event_id == (notice.event_id or "")
                )
            )
            self._facts[notice.id] = mail_facts.of(notice, event, self.site.links)
        return self._facts[notice.id]

    def _render(self, template: str, context: Mapping[str, Any]) -> Words:
        subject, text, html = (
            self.environment.get_template(f"messages/{template}/{part}").render(context)
            for part in ("subject.txt", "body.txt", "body.html")
        )
        return " ".join(subject.split()), text, INLINER.inline(html)

    def _tokens(self, notice: Notice, user: User) -> dict[str, str]:
        """The signed links of one person: this issue, and this category in this project."""
        category = "project_alerts" if KINDS[notice.kind].category == ALERTS else "project_workflow"
        scopes = {"issue": ("issue", notice.issue_id), "project": (category, notice.project_id)}
        return {
            name: sign(MailToken(scope, user.id, scope_id or 0, user.mail_version), self.site.token_keys)
            for name, (scope, scope_id) in scopes.items()
        }

    def _placeholder(self, name: str) -> str:
        """Plain letters and digits, so that neither autoescaping nor CSS inlining touches them."""
        return f"Q{self._nonce}{name.upper()}Q"

    def _fill(self, text: str, tokens: Mapping[str, str]) -> str:
        for name, token in tokens.items():
            text = text.replace(self._placeholder(name), token)
        return text

    def _headers(self, notice: Notice, verdict: Verdict, tokens: Mapping[str, str]) -> list[tuple[str, str]]:
        kind = KINDS[notice.kind]
        headers = [
            ("Auto-Submitted", "auto-generated"),
            ("X-Auto-Response-Suppress", AUTO_RESPONSE_SUPPRESS),
            ("X-Tocsin-Kind", notice.kind),
            ("X-Tocsin-Notice", self.site.links.notice(notice.public_id)),
        ]
        if verdict.reasons:
            headers.append(("X-Tocsin-Reason", verdict.reasons[0]))
        if kind.category in (ALERTS, WORKFLOW) and notice.project:
            headers += self._list_headers(notice, tokens)
        if notice.issue:
            headers += self._issue_headers(notice)
        return headers

    def _list_headers(self, notice: Notice, tokens: Mapping[str, str]) -> list[tuple[str, str]]:
        """The list is what List-Id names; a single alert unsubscribes from it, all else from the issue."""
        project, category = notice.project, KINDS[notice.kind].category
        if project is None:
            return []
        path = f"{project.slug}.{project.organization.slug}"
        token = tokens["project" if category == ALERTS else "issue"]
        headers = [
            ("List-Id", f"{project.slug} {category} <{category}.{path}.{self.site.mail_domain}>"),
            ("List-Unsubscribe", f"<{self.site.links.unsubscribe(token)}>"),
            ("List-Help", f"<{self.site.links.mail_help()}>"),
            ("Precedence", "list"),
            ("Feedback-ID", f"{category}:{project.slug}:{project.organization.slug}:tocsin"),
            ("X-Tocsin-Project", project.slug),
        ]
        if self.site.one_click:
            headers.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
        return headers

    def _issue_headers(self, notice: Notice) -> list[tuple[str, str]]:
        issue = notice.issue
        if issue is None:
            return []
        root = f"<issue.{issue.id}.{notice.mail_epoch}@{self.site.mail_domain}>"
        project = issue.project
        facts = self._notice_facts(notice)
        headers = [
            ("In-Reply-To", root),
            ("References", root),
            ("List-Archive", f"<{self.site.links.issue(project.organization.slug, project.slug, issue.id)}>"),
            ("X-Tocsin-Issue", issue.short_id),
            ("X-Tocsin-Level", facts["level"]),
        ]
        for name, value in (("Environment", facts["environment"]), ("Event", notice.event_id)):
            if value:
                headers.append((f"X-Tocsin-{name}", value))
        return headers


def _sender_name(notice: Notice) -> str:
    if notice.actor:
        return f"{notice.actor.name} via Tocsin"
    return f"Tocsin · {notice.project.name}" if notice.project else "Tocsin"
