"""Deliveries → finished mails. Rendered once for all who get the same words; the rest is filled in.

What differs from person to person within a notice are the reasons, the time zone and the signed links: the
first two make a group with one rendering, the links are placeholders in it.
"""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jinja2 import Environment
from sqlalchemy.orm import Session

from app.channels.base import Mail
from app.domain import reply_text
from app.domain.kinds import ALERTS, DEPLOYS, HEALTH, KINDS, RULE_CHANGED
from app.domain.mail_tokens import MailToken, sign
from app.domain.moments import Moments
from app.domain.site import Site
from app.domain.storms import STORM
from app.models import Delivery, Issue, Notice, User, Verdict
from app.services.mails import (
    mail_deploy,
    mail_digest,
    mail_facts,
    mail_handed,
    mail_headers,
    mail_monitor,
    mail_owners,
    mail_storm,
    mail_subjects,
    mail_together,
)
from app.services.mails.mail_detail import LINK, detail_of
from app.services.mails.mail_digest import Pile
from app.services.mails.mail_headers import MailList
from app.services.mails.mail_news import Scene
from app.services.mails.mail_records import Records, StoredRecords
from app.services.releases.deploying import DEPLOY
from app.services.rules import rule_testing
from app.services.rules.rule_testing import Rehearsal

# Gmail clips what is longer than about 102 KB; relays and people like less.
LARGEST = 72 * 1024
# Category → what a link in its mail leaves, beside the issue.
CATEGORY_SCOPES: Mapping[str, str] = {
    ALERTS: "project_alerts",
    HEALTH: "all_health",
    DEPLOYS: "organization_deploys",
}
# The same for kinds that are left by themselves, in every project.
KIND_SCOPES: Mapping[str, str] = {RULE_CHANGED: "rule_changes"}
# How much of what can be long is shown, in turn, until the mail is small enough: frames, characters of a
# comment; and rows of a digest.
ROOMS = ((8, 4000), (4, 1000), (0, 300))
ROWS = (50, 40, 30, 20, 10, 5)
# Nothing that an event or a person wrote may steer a terminal, or turn the direction of what is around it.
_UNSEEMLY = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")

Words = tuple[str, str, str]  # subject, text, html


class Composer:
    """Composes a batch; what several deliveries share is loaded and rendered once."""

    def __init__(
        self, session: Session, environment: Environment, site: Site, *, records: Records | None = None
    ) -> None:
        self.session = session
        self.environment = environment
        self.site = site
        self.records = records or StoredRecords(session)
        # Nobody can know the nonce beforehand: an event's text cannot name a placeholder.
        self._nonce = secrets.token_hex(8).upper()
        self._rendered: dict[tuple[Any, ...], Words] = {}
        self._facts: dict[int, Mapping[str, Any]] = {}
        self._note = ""  # what a test says above the alert that it shows

    def compose(self, delivery: Delivery) -> Mail:
        """The mail for one delivery. Raises when a template or its data is at fault."""
        if not delivery.carried:
            return self._personal(delivery)
        if delivery.user is None:
            raise LookupError(f"delivery {delivery.id} has lost its person")
        if played := rule_testing.rehearsal(self.session, delivery):
            return self._rehearsed(delivery, played)
        if delivery.kind == "digest":
            return self._digest(delivery, delivery.user)
        latest, others = mail_together.alone(delivery.carried)
        return self._notice(delivery, latest, delivery.user, others)

    def _personal(self, delivery: Delivery) -> Mail:
        """A mail that no notice stands behind: a sign-in link, an invitation."""
        words = self._render(KINDS[delivery.kind].template, {**delivery.data, "site": self.site})
        return self._mail(delivery, words, "Tocsin", mail_headers.automatic(delivery.kind))

    def _notice(
        self, delivery: Delivery, verdict: Verdict, user: User, others: Sequence[Verdict] = ()
    ) -> Mail:
        """`others` are alerts of other rules about the same issue, which it tells of too."""
        notice = verdict.notice
        tokens = self._tokens(notice, user)
        subject = self._subject(notice.issue, delivery) if notice.issue else ""
        words = self._words(notice, verdict, user, subject, others)
        signed = {name: self._signed(token) for name, token in tokens.items()}
        filled = tuple(self._fill(part, signed) for part in words)
        headers = self._headers(notice, verdict, user, tokens)
        return self._mail(
            delivery, (subject or filled[0], filled[1], filled[2]), sender_name(notice), headers
        )

    def _subject(self, issue: Issue, delivery: Delivery) -> str:
        """As it was frozen; what was frozen before the project guarded its data says too much."""
        if detail_of(issue.project) == LINK:
            return mail_subjects.without_title(issue)
        return delivery.subject or issue.mail_subject or mail_subjects.of_thread(self.session, issue, None)

    def _rehearsed(self, delivery: Delivery, played: Rehearsal) -> Mail:
        """The alert that a rule would send. Links of one that is made up must not act for anybody."""
        keys = (secrets.token_hex(),) if played.records else self.site.token_keys
        site = replace(self.site, token_keys=keys, reply_domain="")
        composer = Composer(self.session, self.environment, site, records=played.records)
        composer._note = played.note
        mail = composer.compose(played.delivery)
        verdict = delivery.carried[0]
        headers = (
            *mail_headers.automatic(delivery.kind),
            *mail_headers.of_notice(self.site, verdict.notice, verdict),
        )
        words = (f"Test: {mail.subject}", mail.text, mail.html)
        return self._mail(delivery, words, sender_name(verdict.notice), headers)

    def _digest(self, delivery: Delivery, user: User) -> Mail:
        digest = delivery.digest
        if digest is None:
            raise LookupError(f"delivery {delivery.id} has lost its digest")
        moments = Moments(user.timezone, digest.send_at)
        pile = Pile(digest, delivery.carried, user, moments, self.records, self.site)
        to = self._list_of_digest(pile, user)
        gathered = mail_together.gathered(pile)
        context = {
            "site": self.site,
            "zone": user.timezone,
            "unsubscribe": self.site.links.unsubscribe(self._signed(to.token)),
            "leave": mail_digest.leave_words(to.category, to.project),
            "settings_url": self.site.links.settings(),
            "history_url": self.site.links.history(),
        }
        words = self._fitting("digest", ({**context, "digest": gathered.within(rows)} for rows in ROWS))
        first = pile.notices[0]
        name = sender_name(first) if digest.kind in ("batch", "alerts", "assigned", "paused") else "Tocsin"
        return self._mail(
            delivery, (gathered.subject, *words[1:]), name, self._digest_headers(pile, to, user)
        )

    def _list_of_digest(self, pile: Pile, user: User) -> MailList:
        category, scope, project = mail_digest.scope(pile)
        token = MailToken(scope, user.id, project.id if project else 0, user.mail_version)
        return MailList(category, project, token)

    def _digest_headers(self, pile: Pile, to: MailList, user: User) -> Iterable[tuple[str, str]]:
        """One thread a person, list and day."""
        day = pile.moments.local(pile.digest.send_at).date()
        name = pile.digest.kind if pile.digest.kind == "batch" else pile.digest.key.replace(":", ".")
        root = f"<digest.{user.id}.{name}.{day}@{self.site.mail_domain}>"
        yield from mail_headers.automatic("digest")
        yield "X-Tocsin-Reason", mail_headers.strongest(verdict.reasons for verdict in pile.verdicts)
        yield from mail_headers.of_list(self.site, to)
        yield from mail_headers.thread(root)

    def _mail(
        self, delivery: Delivery, words: Words, sender: str, headers: Iterable[tuple[str, str]]
    ) -> Mail:
        subject, text, html = words
        return Mail(
            delivery_id=delivery.id,
            public_id=delivery.public_id,
            message_id=f"<{delivery.public_id}@{self.site.mail_domain}>",
            sender_name=sender,
            to_name=delivery.user.name if delivery.user else "",
            to_address=delivery.address,
            subject=subject,
            text=text,
            html=html,
            headers=tuple(headers),
        )

    def _words(
        self, notice: Notice, verdict: Verdict, user: User, subject: str, others: Sequence[Verdict]
    ) -> Words:
        named = mail_facts.names(notice, user.id)
        along = mail_together.along(self.records, verdict, others)
        rang = tuple((each.notice_id, mail_facts.reason_key(each)) for each in along)
        set_owner = mail_owners.link(notice, (verdict, *along), self.records, self.site.links)
        reader = user.id if notice.kind == DEPLOY else 0  # whose commits and projects it names
        key = (reader, notice.id, mail_facts.reason_key(verdict), user.timezone, named, rang, set_owner)
        if key not in self._rendered:
            facts = self._notice_facts(notice)
            context = {
                **facts,
                **mail_facts.because(notice, verdict, facts, self.site.links, names_reader=named),
                **mail_facts.taken_along(along, self.site.links),
                "set_owner": "" if self._note else set_owner,
                **(rule_testing.because(self._note) if self._note else {}),
                **mail_storm.of(notice, user.timezone, self.records, self.site.links),
                **mail_deploy.of(notice, user, self.records, self.site.links),
                **mail_facts.clock(user.timezone),
                "site": self.site,
                "delimiter": reply_text.DELIMITER if self.site.reply_domain else "",
                **({"subject": subject} if notice.issue else {}),
                "unsubscribe_issue": self.site.links.unsubscribe(self._placeholder("issue")),
                "unsubscribe_project": self.site.links.unsubscribe(self._placeholder("project")),
            }
            template = KINDS[notice.kind].template
            self._rendered[key] = (
                self._of_issue(self._scene(notice, verdict, user, along), template, context)
                if notice.issue
                else self._render(template, context)
            )
        return self._rendered[key]

    def _scene(self, notice: Notice, verdict: Verdict, user: User, along: Sequence[Verdict]) -> Scene:
        return Scene(
            notice,
            verdict.reasons,
            Moments(user.timezone, notice.occurred_at),
            self.records,
            detail=detail_of(notice.project),
            names_reader=mail_facts.names(notice, user.id),
            rules=[each.notice.rule.name for each in along if each.notice.rule],
            handed=mail_facts.handed(along),
        )

    def _of_issue(self, scene: Scene, template: str, context: Mapping[str, Any]) -> Words:
        told = mail_handed.news(scene, template)
        if told.link is None:
            told = replace(told, link=mail_monitor.link(scene, self.site.links))
        smaller = (told.within(frames=frames, characters=characters) for frames, characters in ROOMS)
        return self._fitting(template, ({**context, "news": news} for news in smaller))

    def _fitting(self, template: str, contexts: Iterable[Mapping[str, Any]]) -> Words:
        """The first rendering that is small enough, else the last."""
        words: Words = ("", "", "")
        for context in contexts:
            words = self._render(template, context)
            if sum(map(weight, words)) <= LARGEST:
                break
        return words

    def _notice_facts(self, notice: Notice) -> Mapping[str, Any]:
        if notice.id not in self._facts:
            self._facts[notice.id] = mail_facts.of(notice, self.site.links)
        return self._facts[notice.id]

    def _render(self, template: str, context: Mapping[str, Any]) -> Words:
        """Kinds that are part of an issue's thread have no subject of their own."""
        parts = ["body.txt", "body.html"]
        if "subject" not in context:
            parts.insert(0, "subject.txt")
        *subject, text, html = (
            _UNSEEMLY.sub("", self.environment.get_template(f"messages/{template}/{part}").render(context))
            for part in parts
        )
        return " ".join("".join(subject).split()), text, html

    def _tokens(self, notice: Notice, user: User) -> dict[str, MailToken]:
        """What one person's links leave: this issue, and this category, in this project where that goes."""
        scope = CATEGORY_SCOPES.get(KINDS[notice.kind].category, "project_workflow")
        scope = KIND_SCOPES.get(notice.kind, scope)
        is_wide = scope == "organization_deploys"
        place = notice.project.organization_id if notice.project and is_wide else notice.project_id
        place = None if notice.kind in KIND_SCOPES else place
        scopes = {"issue": ("issue", notice.issue_id), "project": (scope, place)}
        return {
            name: MailToken(scope, user.id, scope_id or 0, user.mail_version)
            for name, (scope, scope_id) in scopes.items()
        }

    def _signed(self, token: MailToken) -> str:
        return sign(token, self.site.token_keys)

    def _placeholder(self, name: str) -> str:
        """Plain letters and digits, so that autoescaping does not touch them."""
        return f"Q{self._nonce}{name.upper()}Q"

    def _fill(self, text: str, signed: Mapping[str, str]) -> str:
        for name, token in signed.items():
            text = text.replace(self._placeholder(name), token)
        return text

    def _headers(
        self, notice: Notice, verdict: Verdict, user: User, tokens: Mapping[str, MailToken]
    ) -> Iterable[tuple[str, str]]:
        yield from mail_headers.automatic(notice.kind)
        yield from mail_headers.of_notice(self.site, notice, verdict)
        to = mail_headers.list_of(notice, tokens)
        if to:
            yield from mail_headers.of_list(self.site, to)
        if notice.kind == STORM:
            yield from mail_headers.thread(mail_headers.root_of_storm(self.site, notice))
        if notice.issue:
            says_all = detail_of(notice.project) != LINK
            event = self.records.event(notice) if says_all else None
            yield from mail_headers.reply_to(self.site, notice.issue, user)
            yield from mail_headers.of_issue(self.site, notice, notice.issue, event, says_all=says_all)


def sender_name(notice: Notice) -> str:
    """Whose words or deed it is; the project where Tocsin itself speaks."""
    if notice.actor:
        return f"{notice.actor.name} via Tocsin"
    return f"Tocsin · {notice.project.name}" if notice.project else "Tocsin"


def weight(text: str) -> int:
    """About how many octets a part takes on its way: outside ASCII, an octet is written with three."""
    octets = len(text.encode("utf-8", "replace"))
    outside = octets - len(text.encode("ascii", "ignore"))
    return octets + 2 * outside
