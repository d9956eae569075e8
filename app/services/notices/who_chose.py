"""Who chose the setting that decided about somebody, when, and by which way: from the log of changes."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import changes, wording
from app.domain.clocks import Clock
from app.domain.preferences import ALERTS, DEPLOYS, HEALTH, OWN_ACTIVITY, WORKFLOW
from app.models import IssueMute, Notice, SettingAudit, User, Verdict
from app.services.preferences.preferring import PUT_BACK

# Code → the category of the setting that it names.
CATEGORIES = {
    "alerts_off": ALERTS,
    "health_off": HEALTH,
    "deploys_never": DEPLOYS,
    "workflow_never": WORKFLOW,
    "not_subscribed": WORKFLOW,
    "kind_off": WORKFLOW,
    "own_activity": OWN_ACTIVITY,
    "issue_unsubscribed": "subscription",
    "rule_muted_me": "rule_mute",
}
NOBODY = ("instance", "built-in")


def sentence(session: Session, notice: Notice, verdict: Verdict, *, reader: User, clock: Clock) -> str:
    """ "Set by you, by one-click in email, Tue 3 Nov 2026 09:14 CET."; nothing where nobody set anything."""
    if verdict.code == "issue_muted":
        return _muted(session, notice, verdict, clock)
    scope = verdict.params.get("scope")
    if verdict.code not in CATEGORIES or (verdict.code != "own_activity" and scope in NOBODY):
        return f"It is the {wording.scope_words(scope)}: nobody chose it." if scope in NOBODY else ""
    found = _last_change(session, notice, verdict, notice.planned_at or notice.occurred_at)
    return _said(*found, reader, clock) if found else ""


def _last_change(
    session: Session, notice: Notice, verdict: Verdict, before: datetime
) -> tuple[SettingAudit, str | None] | None:
    category = CATEGORIES[verdict.code]
    scope, scope_id = _scope(notice, verdict)
    return session.execute(
        select(SettingAudit, User.name)
        .outerjoin(User, User.id == SettingAudit.actor_id)
        .where(
            SettingAudit.user_id == verdict.subject_id,
            SettingAudit.category == category,
            SettingAudit.kind == str(verdict.params.get("kind", "")),
            SettingAudit.scope == scope,
            SettingAudit.scope_id == scope_id,
            SettingAudit.at <= before,
        )
        .order_by(SettingAudit.id.desc())
        .limit(1)
    ).first()


def _scope(notice: Notice, verdict: Verdict) -> tuple[str, int]:
    if verdict.code == "issue_unsubscribed":
        return "issue", notice.issue_id or 0
    if verdict.code == "rule_muted_me":
        return "rule", notice.rule_id or 0
    if verdict.params.get("scope") == "project":
        return "project", notice.project_id or 0
    if verdict.params.get("scope") == "organization" and notice.project:
        return "organization", notice.project.organization_id
    return "account", 0


def _said(audit: SettingAudit, actor: str | None, reader: User, clock: Clock) -> str:
    by = "you" if audit.actor_id == reader.id else actor or "Tocsin"
    before = audit.detail.get(PUT_BACK)  # an Undo brought it back: it is as old as it was
    via, at = (before["via"], datetime.fromisoformat(before["at"])) if before else (audit.via, audit.at)
    way = changes.WAYS.get(via, "")
    return f"Set by {by}{', ' + way if way else ''}, {clock.full(at)}."


def _muted(session: Session, notice: Notice, verdict: Verdict, clock: Clock) -> str:
    row = session.get(IssueMute, (notice.issue_id, verdict.subject_id)) if notice.issue_id else None
    return f"Muted since {clock.full(row.created_at)}." if row else "The mute is over by now."
