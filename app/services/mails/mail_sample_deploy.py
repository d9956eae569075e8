"""A made-up deploy, for the gallery and for tests."""

from collections.abc import Callable

from app.domain import phrases
from app.models import Delivery
from app.services.mails.mail_sample_texts import Texts
from app.services.mails.mail_samples import AT, SHA, Scenery, commit, delivery, of_notice, several
from app.services.releases.deploy_facts import Deployed, Line, Place


def deploy(*reasons: str, commits: int) -> Callable[[Scenery], Delivery]:
    def make(scenery: Scenery) -> Delivery:
        texts = scenery.texts
        made = scenery.known["deployed"] = _deployed(texts, commits, own="committer" in reasons)
        data = {"deploy": 1, "release": 1, "version": made.version, "environment": made.environment}
        because = {"which": f"release {phrases.shortened(made.version, 60)}", "commits": "3 commits"}
        notice = of_notice(scenery, "deploy", *reasons, activity="deploy", data=data, because=because)
        notice.issue = notice.issue_id = notice.issue_title = notice.issue_short_id = None
        return delivery(scenery, "deploy", verdict=notice.verdicts[0])

    return make


def resolved(scenery: Scenery) -> Delivery:
    """A release of which one commit fixes two issues."""
    data = {"version": "4.2.2", **commit(scenery)}
    notices = (
        of_notice(
            scenery,
            "resolved",
            "committer",
            activity="set_resolved_in_release",
            data=data,
            issue=scenery.issue(40 + number),
            number=number,
            outcome="defer",
        )
        for number in (1, 2)
    )
    return several(scenery, "batch", notices)


def _deployed(texts: Texts, commits: int, *, own: bool) -> Deployed:
    lines = (texts.commit, "Show totals in summary", "Tidy cart tests", texts.comment)
    places = [Place(texts.project, "acme", "checkout", 2, 0), Place("billing", "acme", "billing", 0, 1)]
    return Deployed(
        version=f"checkout@{texts.release or '4.2.2'}",
        environment=texts.environment or "production",
        at=AT,
        before="checkout@4.2.1" if commits else "",
        commits=commits,
        own=3 if own else 0,
        authors=4 if commits else 0,
        files=23 if commits else 0,
        lines=[
            Line(SHA[n : n + 7], line, texts.other if n % 2 else texts.reader, "acme/shop", own and n < 3)
            for n, line in enumerate(lines[:commits])
        ],
        resolved=["CHECKOUT-4F", "CHECKOUT-51"] if commits else [],
        places=places if commits else places[:1],
    )
