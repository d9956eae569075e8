"""Every mail that Tocsin writes as a made-up sample: what the gallery shows, and what tests go through."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from app.models import AlertRule, Delivery, Notice
from app.services.mails import mail_sample_deploy, mail_sample_rule
from app.services.mails.mail_samples import (
    AT,
    Sample,
    Scenery,
    commit,
    delivery,
    of_notice,
    several,
    single,
    team,
    teammate,
)

Make = Callable[[Scenery], Delivery]
RESOLVED_AT = AT - timedelta(days=11)
LONG_AGO = {"first_seen": AT - timedelta(days=24), "last_seen": AT - timedelta(days=14, hours=2)}
LINK = "https://tocsin.example.com/auth/link/3f9c2d7e/"


def _workflow(
    kind: str,
    activity: str,
    *reasons: str,
    data: Mapping[str, Any] | None = None,
    by_person: bool = True,
    resolved: bool = False,
) -> Make:
    def make(scenery: Scenery) -> Delivery:
        settled: dict[str, Any] = {"status": "resolved", "resolved_at": RESOLVED_AT, **LONG_AGO}
        issue = scenery.issue(**(settled if resolved else {}))
        return single(scenery, kind, *reasons, activity=activity, data=data, by_person=by_person, issue=issue)

    return make


def _alert(kind: str) -> Make:
    def make(scenery: Scenery) -> Delivery:
        fresh: dict[str, Any] = {"first_seen": AT, "last_seen": AT, "times_seen": 3, "users_seen": 2}
        issue = scenery.issue(**(fresh if kind == "alert.new" else {}))
        return single(scenery, kind, "fallback_all", issue=issue)

    return make


def _regression_with_alerts(scenery: Scenery) -> Delivery:
    issue = scenery.issue()
    alerts = [
        of_notice(scenery, "alert.regression", "fallback_all", issue=issue, number=number, outcome="collapse")
        for number in (2, 3)
    ]
    if scenery.texts.rule:
        alerts[1].rule = AlertRule(name=f"{scenery.texts.rule[:40]} of checkout")
    scenery.known["carried"] = [verdict for notice in alerts for verdict in notice.verdicts]
    came_back = _workflow("regression", "set_regression", "participated", data=CAME_BACK, by_person=False)
    return came_back(scenery)


def _resolved(activity: str, *, by_person: bool = True, **data: Any) -> Make:
    return _workflow("resolved", activity, "assigned", data=data, by_person=by_person, resolved=True)


def _by_commit(activity: str, version: str) -> Make:
    def make(scenery: Scenery) -> Delivery:
        return _resolved(activity, version=version, **commit(scenery))(scenery)

    return make


def _reopened_by_commit(*, refuted: bool) -> Make:
    def make(scenery: Scenery) -> Delivery:
        data = {"was": "resolved", "refuted": refuted, "version": "4.2.2", **commit(scenery)}
        return _workflow("reopened", "set_unresolved", "committer", data=data, by_person=refuted)(scenery)

    return make


def _unignored(*, ended: Mapping[str, Any], condition: Mapping[str, Any]) -> Make:
    data = {
        "was": "ignored",
        "ended": ended,
        "condition": condition,
        "ignored_by": 1,
        "ignored_at": (AT - timedelta(days=20)).isoformat(),
    }
    return _workflow("unignored", "set_unresolved", "subscribed", data=data, by_person=False)


def _assigned(*reasons: str, to: str, was: str = "", again: bool = False, resolved: bool = False) -> Make:
    def make(scenery: Scenery) -> Delivery:
        named = {
            "you": {"type": "user", "id": 1, "name": scenery.texts.reader},
            "team": {"type": "team", "id": 1, "name": f"#{team(scenery).slug}"},
            "other": teammate(scenery),
        }
        data = {"to": named[to], "team_assigned": [1, 3, 4, 5, 6, 7] if to == "team" else []}
        if was:
            data["was"] = named[was]
        return _workflow("assigned", "assigned", *reasons, data=data, resolved=resolved)(scenery)

    return make


def _unassigned(scenery: Scenery) -> Delivery:
    was = {"type": "user", "id": 1, "name": scenery.texts.reader}
    return _workflow("unassigned", "unassigned", "unassigned", data={"was": was})(scenery)


def _comment(*reasons: str) -> Make:
    def make(scenery: Scenery) -> Delivery:
        issue = scenery.issue(assignee_user=scenery.person(3, scenery.texts.other))
        data = {"text": scenery.texts.comment, "teams": ["payments"], "mentioned": [1], "names": ["@priya"]}
        return single(scenery, "comment", *reasons, activity="note", data=data, issue=issue)

    return make


def _batch(
    kind: str, activity: str, *reasons: str, by_person: bool = True, count: int = 12, **data: Any
) -> Make:
    def notices(scenery: Scenery) -> Iterator[Notice]:
        for number in range(1, count + 1):
            issue = scenery.issue(40 + number, times_seen=number * 17, users_seen=number)
            yield of_notice(
                scenery,
                kind,
                *reasons,
                activity=activity,
                data=data,
                by_person=by_person,
                issue=issue,
                number=number,
                outcome="defer",
            )

    return lambda scenery: several(scenery, "batch", notices(scenery))


def _quiet(scenery: Scenery) -> Delivery:
    def held() -> Iterator[Notice]:
        kinds: tuple[tuple[str, str, str, dict[str, str]], ...] = (
            ("alert.new", "", "fallback_all", {}),
            ("alert.new", "", "fallback_all", {}),
            ("regression", "set_regression", "assigned", {}),
            ("resolved", "set_resolved", "workflow_always", {}),
            ("comment", "note", "mention", {"text": scenery.texts.comment}),
        )
        for number, (kind, activity, reason, data) in enumerate(kinds, start=1):
            yield of_notice(
                scenery,
                kind,
                reason,
                activity=activity,
                data=data,
                by_person=kind != "regression",
                issue=scenery.issue(80 + number, times_seen=number, users_seen=1),
                number=number,
                outcome="defer",
            )

    return several(scenery, "quiet", held())


def _alerts_together(kind: str, count: int) -> Make:
    """The first is a regression, the second rang before, the others are new."""

    def held(scenery: Scenery) -> Iterator[Notice]:
        kinds = ("alert.regression", "alert.again", *["alert.new"] * (count - 2))
        for number, name in enumerate(kinds, start=1):
            seen = {"first_seen": AT - timedelta(minutes=4), "last_seen": AT - timedelta(minutes=number % 4)}
            issue = scenery.issue(90 + number, **seen)
            held: dict[str, Any] = {"outcome": "defer", "minutes": 5, "paced_by": "project"}
            yield of_notice(scenery, name, "fallback_all", issue=issue, number=number, **held)

    def make(scenery: Scenery) -> Delivery:
        made = several(scenery, kind, held(scenery))
        if made.digest:
            made.digest.key = f"{kind}:1" if kind == "alerts" else kind
            made.digest.opened_at = AT - timedelta(minutes=4)
            made.digest.data = {"since": (AT - timedelta(minutes=5)).isoformat()}
        return made

    return make


def _test(scenery: Scenery) -> Delivery:
    made = of_notice(scenery, "test")
    made.issue = made.project = made.project_id = made.issue_id = made.issue_title = None
    return delivery(scenery, "test", verdict=made.verdicts[0])


def _integration_off(scenery: Scenery) -> Delivery:
    made = of_notice(scenery, "integration_off")
    made.issue = made.issue_id = made.issue_title = None
    made.data = {
        "destination": 3,
        "name": "Checkout alerts",
        "channel": "Webhook",
        "is_off": True,
        "why": "The other side says that the address is gone for good (410).",
        "missed": 7,
        "rules": [scenery.texts.rule, "Fatal in checkout"],
    }
    return delivery(scenery, "integration_off", verdict=made.verdicts[0])


def _storm(scenery: Scenery) -> Delivery:
    made = of_notice(scenery, "storm", "fallback_all")
    made.issue = made.issue_id = made.issue_title = made.issue_short_id = None
    made.data = {"since": (AT - timedelta(minutes=10)).isoformat(), "from": 71, "members": 9}
    return delivery(scenery, "storm", verdict=made.verdicts[0])


def _after_maintenance(scenery: Scenery) -> Delivery:
    def held() -> Iterator[Notice]:
        for number, kind in enumerate(("alert.new", "alert.regression", "alert.again", "alert.new"), start=1):
            issue = scenery.issue(60 + number, times_seen=number * 31, users_seen=number * 3)
            held: dict[str, Any] = {"outcome": "defer", "maintenance": scenery.texts.comment[:60]}
            yield of_notice(scenery, kind, "fallback_all", issue=issue, number=number, **held)

    return several(scenery, "paused", held())


def _letter(kind: str, **data: Any) -> Make:
    return lambda scenery: delivery(scenery, kind, data={**data, "by": scenery.texts.actor})


CAME_BACK = {"was": "resolved", "version": "4.2.1", "than": "4.1.7", "pending": False}
WORSE = {"event_count": 43, "event_window": 60, "worse_than": 42}
SAMPLES: Mapping[str, Sample] = {
    sample.name: sample
    for sample in (
        Sample("alert-new", "New issue", _alert("alert.new")),
        Sample("alert-regression", "Alert about a regression", _alert("alert.regression")),
        Sample("alert-again", "Alert about a known issue", _alert("alert.again")),
        Sample(
            "regression",
            "Regression",
            _workflow("regression", "set_regression", "participated", data=CAME_BACK, by_person=False),
        ),
        Sample("regression-rules", "Regression with which alert rules fired", _regression_with_alerts),
        Sample("resolved", "Resolved by a person", _resolved("set_resolved")),
        Sample(
            "resolved-release",
            "Resolved in a release",
            _resolved("set_resolved_in_release", version="4.2.2"),
        ),
        Sample(
            "resolved-next-release",
            "Resolved in the next release",
            _resolved("set_resolved_in_release", version="", after="4.2.1"),
        ),
        Sample(
            "resolved-by-release",
            "Resolved by a release with its commit",
            _by_commit("set_resolved_in_release", "4.2.2"),
        ),
        Sample(
            "resolved-commit",
            "Resolved by a commit",
            _by_commit("set_resolved_in_commit", "4.2.2"),
        ),
        Sample(
            "resolved-commit-pending",
            "Resolved by a commit in no release yet",
            _by_commit("set_resolved_in_commit", ""),
        ),
        Sample(
            "resolved-age", "Resolved by age", _resolved("set_resolved_by_age", by_person=False, hours=336)
        ),
        Sample(
            "resolved-recovery",
            "Resolved as its monitor checks in again",
            _resolved("set_resolved_by_recovery", by_person=False, monitor="Nightly backup", recoveries=2),
        ),
        Sample(
            "reopened",
            "Reopened by a person",
            _workflow("reopened", "set_unresolved", "subscribed", data={"was": "resolved"}),
        ),
        Sample(
            "reopened-commit",
            "Reopened because its commit no longer resolves it",
            _reopened_by_commit(refuted=False),
        ),
        Sample("reopened-refuted", "Reopened: its commit does not fix it", _reopened_by_commit(refuted=True)),
        Sample(
            "unignored-worse",
            "Ignored until it got worse",
            _unignored(ended={"by": "events", "count": 43, "window": 60, "limit": 42}, condition=WORSE),
        ),
        Sample(
            "unignored-users",
            "Ignored until so many users met it",
            _unignored(ended={"by": "users", "count": 10}, condition={"user_count": 10}),
        ),
        Sample(
            "unignored-time",
            "Ignored for a time that is over",
            _unignored(ended={"by": "until", "until": AT.isoformat()}, condition={"until": AT.isoformat()}),
        ),
        Sample("assigned-you", "Assigned to you", _assigned("assigned", to="you")),
        Sample(
            "assigned-resolved",
            "Assigned to you, resolved",
            _assigned("assigned", to="you", resolved=True),
        ),
        Sample(
            "assigned-again",
            "Assigned to you, who had unsubscribed",
            _assigned("resubscribed", "assigned", to="you"),
        ),
        Sample("assigned-team", "Assigned to your team", _assigned("team_assigned", to="team")),
        Sample(
            "assigned-other",
            "Assigned to somebody else",
            _assigned("workflow_always", to="other", was="you"),
        ),
        Sample(
            "given-away",
            "Given to somebody else",
            _assigned("unassigned", "commented", to="other", was="you"),
        ),
        Sample("unassigned", "Nobody has it now", _unassigned),
        Sample("comment", "Comment with a mention", _comment("mention")),
        Sample("comment-watched", "Comment, for who watched its release", _comment("release_watched")),
        Sample("comment-team", "Comment that mentions your team", _comment("team_mention", "subscribed")),
        Sample(
            "digest-resolved",
            "Summary of one action",
            _batch("resolved", "set_resolved", "workflow_always"),
        ),
        Sample("digest-release", "Summary of a release", mail_sample_deploy.resolved),
        Sample(
            "digest-age",
            "Several resolved by age",
            _batch("resolved", "set_resolved_by_age", "assigned", by_person=False, count=37, hours=336),
        ),
        Sample(
            "digest-assigned",
            "Several assigned to you",
            _batch("assigned", "assigned", "assigned", to={"type": "user", "id": 1, "name": "Priya Nair"}),
        ),
        Sample("digest-alerts", "Alerts that came together", _alerts_together("alerts", 5)),
        Sample("digest-alerts-many", "Very many of them", _alerts_together("alerts", 87)),
        Sample("digest-cap", "After too many messages", _alerts_together("cap", 12)),
        Sample("digest-quiet", "While you were quiet", _quiet),
        Sample("digest-maintenance", "When a maintenance is over", _after_maintenance),
        Sample("storm", "Storm", _storm),
        Sample("deploy", "Deploy with commits of yours", mail_sample_deploy.deploy("committer", commits=14)),
        Sample("deploy-all", "Deploy without commits", mail_sample_deploy.deploy("deploys_all", commits=0)),
        Sample("integration-off", "Integration switched off", _integration_off),
        Sample("rule-changed", "Alert rule changed", mail_sample_rule.changed("rule_author", "rule_team")),
        Sample("rule-deleted", "Alert rule deleted", mail_sample_rule.changed("rule_team", is_gone=True)),
        Sample("test", "Test", _test),
        Sample("sign-in", "Sign-in link", _letter("sign_in", url=LINK)),
        Sample("invite", "Invitation", _letter("invite", url=LINK, organization="Acme")),
        Sample(
            "verify",
            "Confirm an address",
            _letter("verify", url=LINK, address="priya@home.example.com"),
        ),
        Sample(
            "address-verified",
            "Another address verified",
            _letter("address_verified", address="priya@home.example.com"),
        ),
        Sample(
            "primary-changed",
            "Another primary address",
            _letter("primary_changed", old="priya@example.com", new="priya@home.example.com"),
        ),
        Sample(
            "token-made",
            "A token for the API was made",
            _letter(
                "token_made",
                name="CI of checkout",
                organization="",
                scopes="org:read, project:read, project:releases",
                path="/settings/account/tokens/",
            ),
        ),
        Sample(
            "reply-refused",
            "A reply that was not posted",
            _letter(
                "reply_refused", issue="CHECKOUT-4F", because="it came from an address that is not yours."
            ),
        ),
    )
}
