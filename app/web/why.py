"""Why was I not told? The question as a form, its answer, and the change with which one is told next time."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, flash, request, url_for
from werkzeug.exceptions import BadRequest

from app import instance, refusals
from app.clock import now
from app.db import db
from app.domain import next_time as rules
from app.domain.clocks import Clock
from app.domain.errors import NotFound, Refused
from app.domain.ids import parse_id
from app.models import Issue, Notice, User
from app.services import access
from app.services.calm import holding
from app.services.notices import answering, asking, explaining, next_time
from app.services.notices.asking import About, Answer, Question
from app.services.people import accounts
from app.services.preferences import tuning
from app.services.preferences.tuning import Tuned
from app.web.hypermedia import is_htmx, page_or_fragment, see_other
from app.web.identity import login_required, me

bp = Blueprint("why", __name__, url_prefix="/notices/why")

AN_EVENT = "event"
# Switch of a code → category of the settings row, and whether it is the project's.
ROWS: Mapping[str, tuple[str, bool]] = {
    "alerts": ("alerts", True),
    "workflow": ("workflow", True),
    "kinds": ("workflow", False),
    "own_activity": ("own_activity", False),
}


@bp.get("/")
@login_required
def ask() -> Response:
    """The form; with what happened, the answer about oneself."""
    return _page(me() if _is_asked() else None)


@bp.post("/")
@login_required
def look_up() -> Response:
    """About oneself the answer has an address. Asking about another leaves a line in their log."""
    email = request.form.get("user", "").strip()
    person = accounts.find_by_primary(db.session, email) if email else me()
    try:
        about = _about()
        if about is None:
            raise Refused("Say which issue: its short name, such as SHOP-1.", field="issue")
        if person and person.id == me().id and not is_htmx():
            return see_other(url_for("why.ask", **_fields()))
        _check_who(about, person)
        question = _question(about, person)
    except Refused as error:
        db.session.rollback()
        return _page(None, status=422, errors={error.field or "": error.message})
    response = _page(person, question=question, others=email if email.lower() != me().email else "")
    db.session.commit()
    return response


def _check_who(about: About, person: User | None) -> None:
    """Everybody may ask about themselves, and administrators of the project about anybody."""
    if person is not None and person.id == me().id:
        return
    if not access.can(db.session, me(), about.project, "edit_project"):
        raise Refused("Only who administers the project can ask about others.", field="user")
    if person is not None and not answering.is_outside(db.session, about.project, person):
        issue_id = about.issue.id if about.issue else 0
        answering.note(db.session, issue_id, about.short_id, of=person.id, by=me().id, now=now(), via="web")


@bp.post("/change")
@login_required
def change() -> Response:
    """Make the changes that were offered, or take them back."""
    session, form = db.session, request.form
    notice = explaining.visible_notice(session, me(), form.get("notice", ""))
    changes = [rules.read(text) for text in form.getlist("change")]
    if notice.project is None or not changes or len(changes) > rules.MOST_CHANGES:
        raise BadRequest
    known = [each for each in changes if each]
    if len(known) != len(changes):
        raise BadRequest
    issue, project, rule = notice.issue, notice.project, notice.rule
    back = next_time.make(session, known, issue=issue, project=project, rule=rule, user=me(), now=now())
    session.commit()
    return page_or_fragment(
        "why/changed.html",
        "why/_now.html",
        notice=notice,
        back=back,
        taken_back="back" in form,
        said=next_time.said_of(session, known, notice, me(), instance.defaults(db.session)),
        **(_control(notice) if is_htmx() else {}),
    )


def _control(notice: Notice) -> dict[str, Any]:
    """The switch beside the answer, which shows what holds by now."""
    if notice.issue is None:
        return {"answer": None}
    question = Question(asking.of(notice.issue), me(), notice)
    answer = asking.answer(
        db.session, question, reader=me(), instance=instance.defaults(db.session), now=now()
    )
    return {"answer": answer, "tuned": _row(answer), "is_changed": "back" not in request.form}


@bp.post("/send")
@login_required
def send_now() -> Response:
    """Have what is held for oneself sent, quiet hours or not."""
    session = db.session
    notice = explaining.visible_notice(session, me(), request.form.get("notice", ""))
    held = holding.held_for(session, me())
    if held:
        holding.release(session, held, now())
        session.commit()
    flash("On its way, with all else that was held for you." if held else "Nothing is held for you any more.")
    return see_other(url_for("why.ask", issue=notice.issue_id, notice=notice.public_id))


def _page(
    person: User | None,
    *,
    question: Question | None = None,
    others: str = "",
    status: int = 200,
    errors: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    problems = dict(errors)
    about, answer = question.about if question else _about_or_problem(problems), None
    if problems:
        status = 422
    if about and (question or person) and not problems:
        try:
            question = question or _question(about, person)
            answer = asking.answer(
                db.session, question, reader=me(), instance=instance.defaults(db.session), now=now()
            )
        except Refused as error:
            status, problems = 422, {error.field or "": error.message}
    return page_or_fragment(
        "why/ask.html",
        "why/_answered.html" if not problems else "why/_form.html",
        status=status,
        about=about,
        issue=about.issue if about else None,
        org=about.project.organization if about else None,
        project=about.project if about else None,
        choices=_choices(about) if about else (),
        may_ask_of_others=about is not None and access.can(db.session, me(), about.project, "edit_project"),
        others=others,
        errors=problems,
        values=request.values,
        answer=answer,
        **(_beside(answer, about) if answer and about else {}),
    )


def _choices(about: About) -> list[tuple[str, str]]:
    """What happened to the issue lately, for the form."""
    clock = Clock(now(), me().timezone)
    recent = asking.recent(db.session, about)
    reach = explaining.reach_of(db.session, recent, reader=me(), now=now())
    found = [
        (each.public_id, f"{clock.full(each.occurred_at)} · {asking.word(each)} · {reach[each.id].sentence}")
        for each in recent
    ]
    return [*found, (AN_EVENT, "An event at about …")] if about.issue else found


def _beside(answer: Answer, about: About) -> dict[str, Any]:
    refusal = None
    if answer.intake:
        refusal = refusals.last(current_app.extensions["tocsin_redis"], about.project.id, now=now())
    return {"tuned": _row(answer), "refusal": refusal}


def _row(answer: Answer) -> Tuned | None:
    """The settings row that decided, to change it on the spot."""
    if answer.notice is None or answer.recorded is None or answer.control not in ROWS:
        return None
    category, of_project = ROWS[answer.control or ""]
    kind = str(answer.recorded.verdict.params.get("kind", "")) if answer.control == "kinds" else ""
    try:
        where = tuning.project(db.session, me(), answer.notice.project_id or 0) if of_project else None
    except NotFound:
        return None
    return tuning.one(
        db.session, me(), category, kind=kind, where=where, instance=instance.defaults(db.session), now=now()
    )


def _is_asked() -> bool:
    return bool(request.values.get("notice") or request.values.get("at") or request.values.get("ask"))


def _fields() -> dict[str, Any]:
    """What was asked, for the address of the answer."""
    names = ("issue", "notice", "at")
    return {name: request.values[name] for name in names if request.values.get(name)} | {"ask": "1"}


def _about_or_problem(problems: dict[str, str]) -> About | None:
    """What is asked about; without it, what is wrong with its name."""
    try:
        return _about()
    except Refused as error:
        problems.setdefault(error.field or "", error.message)
        return None


def _about() -> About | None:
    """By id or by short name, among those that the person sees or saw; None if none is named yet.

    `Refused` where there is none.
    """
    typed = request.values.get("issue", "").strip()
    if not typed or not typed.isprintable():
        return None
    name = parse_id(typed) or typed
    found = _visible(name)
    about = asking.of(found) if found else asking.deleted(db.session, me(), name)
    if about is None:
        raise Refused(f"You see no issue {typed}.", field="issue")
    return about


def _visible(name: int | str) -> Issue | None:
    session = db.session
    if isinstance(name, int):
        with suppress(NotFound):
            return access.visible_issue(session, me(), name)
        return None
    for organization in access.visible_organizations(session, me()):
        with suppress(NotFound):
            return access.visible_issue_by_short_id(session, me(), organization, name)
    return None


def _question(about: About, person: User | None) -> Question:
    chosen = request.values.get("notice", "")
    if chosen == AN_EVENT or (not chosen and request.values.get("at")):
        return Question(about, person, at=_moment(request.values.get("at", "")))
    if not chosen:
        return Question(about, person)
    notice = explaining.visible_notice(db.session, me(), chosen)
    if not asking.is_about(notice, about):
        raise NotFound
    return Question(about, person, notice)


def _moment(typed: str) -> datetime:
    """What a clock of the reader's zone showed."""
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        raise Refused("Say when, such as 2026-11-23 09:14.", field="at") from None
    if not 1971 <= at.year <= 9000:
        raise Refused("Say when, such as 2026-11-23 09:14.", field="at")
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(me().timezone))).astimezone(UTC)
