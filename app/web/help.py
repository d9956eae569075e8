"""Help, generated from the tables that decide: it cannot drift from them."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.domain import delivery_states, explanations, wording
from app.domain.kinds import KINDS
from app.domain.routing import GATES, Reason
from app.domain.search.keys import FAMILIES, KEYS
from app.web.hypermedia import page_or_fragment

bp = Blueprint("help", __name__, url_prefix="/help")

# Facts of an invented notice, for the sentences.
EXAMPLE = {
    "project": "checkout",
    "everyone": wording.everyone(9, "checkout"),
    "actor": "Ana",
    "mentioner": "Ana",
    "because": {
        "rule": "Fatal in checkout",
        "line": 4,
        "owner": "path:src/cart/* priya@example.com",
        "team": "#payments",
    },
    "doing": "assigned",
    "committed": "a release contains, or this issue was said to be fixed by, commits",
    "born": "release 4.2.1",
    "scope": wording.scope_words("account"),
}
PARAMS = {
    "scope": "account",
    "kind": "comments",
    "integration_kind": "resolved",
    "until": "2026-11-24T08:00:00+00:00",
}
SIEVE = """require ["fileinto"];
if allof (header :is "X-Tocsin-Project" "checkout", header :is "X-Tocsin-Level" "fatal") {
  fileinto "Urgent";
}"""
HEADERS = (
    ("X-Tocsin-Kind", "Kind of notice: alert.new, regression, assigned, comment…", "alert.new"),
    ("X-Tocsin-Reason", "Why you got it: one of the codes of the help page", "assigned"),
    ("X-Tocsin-Project", "Short name of the project", "checkout"),
    ("X-Tocsin-Issue", "Short name of the issue", "CHECKOUT-4F"),
    ("X-Tocsin-Level", "fatal, error, warning, info or debug", "error"),
    ("X-Tocsin-Environment", "Where the error happened", "production"),
    ("X-Tocsin-Event", "Id of the event that caused the mail", "8f21c0de9a4b4d6e8f21c0de9a4b4d6e"),
    ("X-Tocsin-Notice", "Page that says who else was told, and why", "https://…/notices/n_5f…/"),
    ("Reply-To", "Where your answer becomes a comment, if mail is read", "<r+…@reply.example.com>"),
    ("List-Id", "One list per project and category, to filter on", "<alerts.checkout.acme.example.com>"),
    ("List-Unsubscribe", "What the Unsubscribe button of your mail program calls", "<https://…/u/…>"),
    ("List-Unsubscribe-Post", "Says that the button works with one click", "List-Unsubscribe=One-Click"),
    ("List-Help", "The help page about notifications", "<https://…/help/notifications/>"),
    ("List-Archive", "The issue's page", "<https://…/acme/checkout/issues/7/>"),
    ("Feedback-ID", "Tells mail providers' reports apart", "alerts:checkout:acme:tocsin"),
    ("Precedence", "No automatic answers, please", "list"),
    ("Auto-Submitted", "A program wrote this", "auto-generated"),
    ("X-Auto-Response-Suppress", "No automatic answers, for Exchange; bounces are wanted", "DR, RN, …"),
    ("In-Reply-To", "Holds all mail about an issue in one thread", "<issue.7.1@example.com>"),
    ("References", "The same, for other mail programs", "<issue.7.1@example.com>"),
)


@bp.get("/notifications/")
def notifications() -> ResponseReturnValue:
    return render_template(
        "help/notifications.html",
        reasons=[(str(reason), wording.reason_sentence([reason], EXAMPLE)) for reason in Reason],
        codes=[
            (code, wording.code_sentence(code, PARAMS), words.private)
            for code, words in wording.CODES.items()
        ],
        their_own=wording.THEIR_OWN,
        outcomes=explanations.OUTCOMES,
        gates=GATES,
        kinds=KINDS.values(),
        when=explanations.OCCASIONS,
        states=delivery_states.STATES,
    )


@bp.get("/email-headers/")
def email_headers() -> ResponseReturnValue:
    return render_template("help/email_headers.html", headers=HEADERS, sieve=SIEVE)


@bp.get("/search/")
def searching() -> ResponseReturnValue:
    """The whole page, or for the popover beside a search box the tables alone."""
    return page_or_fragment("help/searching.html", "help/_searching.html", keys=KEYS, families=FAMILIES)
