"""A person's quiet hours: when mail is held, what is held now, and "on call now", which overrules both."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import instance
from app.clock import now
from app.db import db
from app.domain import on_call, quiet
from app.domain.clocks import Clock
from app.domain.errors import Refused
from app.domain.kinds import KINDS
from app.domain.preferences import FATAL_RINGS
from app.domain.quiet import Window
from app.models import QuietHours
from app.services.calm import holding, quieting
from app.services.preferences import tuning
from app.web.account.blueprint import bp
from app.web.hypermedia import form_again, see_other, way_back
from app.web.identity import login_required, me

PAGE = "settings/quiet_hours.html"
ROOT = "/notifications/quiet-hours/"
SHOWN = 20


@bp.get(ROOT)
@login_required
def quiet_hours() -> ResponseReturnValue:
    return render_template(PAGE, errors={}, values=request.form, **_shown())


@bp.post(ROOT)
@login_required
def add_quiet_hours() -> Response:
    return _save(None)


@bp.post(f"{ROOT}<int:hours_id>")
@login_required
def change_quiet_hours(hours_id: int) -> Response:
    return _save(quieting.hours_of(db.session, me(), hours_id))


def _save(instead_of: QuietHours | None) -> Response:
    try:
        row = quieting.save(db.session, me(), _typed(), instead_of=instead_of, now=now(), via="web")
    except Refused as error:
        at_fault = instead_of.id if instead_of else 0
        where = {f"{error.field}-{at_fault}": error.message}
        return form_again(PAGE, error, at_fault=at_fault, errors_at=where, **_shown())
    db.session.commit()
    flash(f"Quiet: {quieting.window(row).words}.")
    return see_other(url_for("account.quiet_hours"))


def _typed() -> Window:
    """`Refused` for what is no time. Days come one by one, or in one field where a form takes them back."""
    form = request.form
    start, end = quiet.minute_of(form.get("start", "")), quiet.minute_of(form.get("end", ""))
    if start is None:
        raise Refused("Enter a time, such as 19:00.", field="start")
    if end is None:
        raise Refused("Enter a time, such as 08:00.", field="end")
    days = {day for text in form.getlist("days") for day in text.split(",")}
    return Window(frozenset(int(day) for day in days if day in set("0123456")), start, end)


@bp.post(f"{ROOT}<int:hours_id>/deletion")
@login_required
def delete_quiet_hours(hours_id: int) -> Response:
    row = quieting.hours_of(db.session, me(), hours_id)
    window = quieting.window(row)
    quieting.delete(db.session, me(), row, now=now(), via="web")
    db.session.commit()
    again = {
        "days": ",".join(map(str, sorted(window.days))),
        "start": quiet.clock(window.start),
        "end": quiet.clock(window.end),
    }
    undo = {"url": url_for("account.add_quiet_hours"), "fields": again}
    flash({"said": f"No longer quiet: {window.words}.", "undo": undo})  # type: ignore[arg-type]
    return see_other(url_for("account.quiet_hours"))


@bp.post(f"{ROOT}release")
@login_required
def release_held() -> Response:
    held = holding.held_for(db.session, me())
    if held:
        holding.release(db.session, held, now())
        db.session.commit()
    flash("On its way." if held else "Nothing is held for you any more.")
    return see_other(url_for("account.quiet_hours"))


@bp.post("/on-call")
@login_required
def go_on_call() -> Response:
    """From the menu in the header of any page, and back to that page."""
    person, at = me(), now()
    until = on_call.chosen(request.form.get("until", ""), ZoneInfo(person.timezone), at)
    if until is None:
        raise Refused("That time is over. Choose another.", field="until")
    quieting.on_call(db.session, person, until, now=at, via="web")
    db.session.commit()
    flash(f"On call until {_clock(at).short(until)}. Nothing is held for you until then.")
    return see_other(way_back(otherwise=url_for("account.quiet_hours")))


@bp.post("/on-call/end")
@login_required
def end_on_call() -> Response:
    person, at = me(), now()
    quieting.end_on_call(db.session, person, now=at, via="web")
    until = quieting.quiet_until(db.session, [person.id], now=at).get(person.id)
    db.session.commit()
    held = f" Quiet hours hold until {_clock(at).short(until)}." if until else ""
    flash(f"No longer on call.{held}")
    return see_other(way_back(otherwise=url_for("account.quiet_hours")))


def _shown() -> dict[str, Any]:
    """All that the page shows."""
    session, person, at = db.session, me(), now()
    until = quieting.quiet_until(session, [person.id], now=at).get(person.id)
    digest = holding.held_for(session, person)
    held, count = holding.contents(session, digest, limit=SHOWN) if digest else ((), 0)
    clock = _clock(at)
    return {
        "hours": [(row, quieting.window(row)) for row in quieting.hours(session, person)],
        "day_names": quiet.DAY_NAMES,
        "clock": quiet.clock,
        "time_now": f"{clock.local(at):%a %H:%M}",
        "quiet_until": clock.short(until) if until else "",
        "fatal": tuning.one(
            session, person, FATAL_RINGS, kind="", where=None, instance=instance.defaults(db.session), now=at
        ),
        "held": [(verdict.notice, KINDS[verdict.notice.kind].word) for verdict in held],
        "held_count": count,
        "held_until": clock.short(digest.send_at) if digest else "",
    }


def _clock(at: datetime) -> Clock:
    return Clock(at, me().timezone)
