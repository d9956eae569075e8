"""A person's tokens for the API: made, shown once, revoked."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.domain import scopes
from app.domain.errors import Refused
from app.services import access
from app.services.people import tokens as giving
from app.web import limits
from app.web.account.blueprint import bp
from app.web.account.confirmation import proven
from app.web.hypermedia import form_again, public_url, see_other
from app.web.identity import login_required, me
from app.web.made import made_for, show_once

PAGE = "settings/tokens.html"
CHOSEN = "chosen"  # instead of a preset: the scopes that are ticked
MOST_NAMED = 5
Typed = Mapping[str, Any]


def _as_typed() -> str:
    """The form as it is, for whoever has to give their password first."""
    form = request.form
    return url_for(
        "account.tokens",
        name=form.get("name", "")[:100],
        preset=form.get("preset"),
        scope=form.getlist("scope"),
    )


@bp.get("/tokens/")
@login_required
def tokens() -> str:
    """A token that was just made is shown this once."""
    listed = _listed(request.args.getlist("scope"))
    return render_template(PAGE, errors={}, values=request.args, **listed, **_just_made())


@bp.post("/tokens/")
@login_required
@proven(_as_typed)
@limits.changes
def make_token() -> ResponseReturnValue:
    person, form = me(), request.form
    try:
        row, text = giving.give_person(
            db.session, person, name=_name(form), given=_scopes(form), by=person, now=now()
        )
    except Refused as error:
        return form_again(PAGE, error, **_listed(form.getlist("scope")))
    giving.write_to_maker(db.session, row, by=person, path=url_for("account.tokens"), now=now())
    db.session.commit()
    show_once(_page(), {"id": row.id, "text": text}, now=now())
    return see_other(url_for("account.tokens"))


def _page() -> str:
    return f"tokens of {me().id}"


def _just_made() -> dict[str, Any]:
    made = made_for(_page(), now=now())
    if not made:
        return {}
    row = giving.one_of_person(db.session, me(), made["id"])
    return {"made": row, "text": made["text"], "url": public_url(""), "slug": _only_organization()}


def _name(form: Typed) -> str:
    name = str(form.get("name", "")).strip()
    if not name:
        raise Refused("Say what it is for: you will want to know when you revoke it.", field="name")
    return name


def _scopes(form: Any) -> Sequence[str]:
    preset = form.get("preset", "")
    if preset in scopes.PRESETS:
        return scopes.PRESETS[preset][1]
    given = scopes.checked(form.getlist("scope"))
    if not given:
        raise Refused("Tick what the token may do.", field="scope")
    return given


def _listed(ticked: Sequence[str]) -> dict[str, Any]:
    return {
        "rows": giving.of_person(db.session, me()),
        "organizations": access.organizations_where(db.session, me(), "edit_organization")[:MOST_NAMED],
        "areas": scopes.AREAS,
        "presets": scopes.PRESETS,
        "chosen": CHOSEN,
        "ticked": ticked,
    }


def _only_organization() -> str:
    """Where there is but one, sentry-cli need not be told by hand."""
    found = access.visible_organizations(db.session, me())
    return found[0].slug if len(found) == 1 else ""


@bp.get("/tokens/<int:token_id>/revocation")
@login_required
def ask_about_token(token_id: int) -> str:
    row = giving.one_of_person(db.session, me(), token_id)
    return render_template("settings/token_revocation.html", row=row)


@bp.post("/tokens/<int:token_id>/revocation")
@login_required
def revoke_token(token_id: int) -> Response:
    row = giving.one_of_person(db.session, me(), token_id)
    giving.revoke(db.session, row, by=me(), now=now())
    db.session.commit()
    flash(f"“{row.called}” is revoked. What uses it is answered 401 from now on.")
    return see_other(url_for("account.tokens"))
