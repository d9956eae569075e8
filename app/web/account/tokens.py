"""A person's tokens for the API: made, shown once, revoked."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.domain import scopes
from app.domain.errors import Refused
from app.services import access
from app.services.people import tokens as giving
from app.web import limits, token_pages
from app.web.account.blueprint import bp
from app.web.account.confirmation import proven
from app.web.hypermedia import form_again, public_url
from app.web.identity import login_required, me

PAGE = "settings/tokens.html"
CHOSEN = "chosen"  # instead of a preset: the scopes that are ticked
MOST_NAMED = 5


def _as_typed() -> str:
    """The form as it is, for whoever has to give their password first."""
    form = request.form
    return url_for(
        "account.tokens",
        name=token_pages.short_name(),
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
            db.session, person, name=token_pages.name(), given=_scopes(form), by=person, now=now()
        )
    except Refused as error:
        return form_again(PAGE, error, **_listed(form.getlist("scope")))
    return token_pages.hand_over(row, text, of=_page(), address=url_for("account.tokens"))


def _page() -> str:
    return f"tokens of {me().id}"


def _just_made() -> dict[str, Any]:
    made = token_pages.just_made(_page(), partial(giving.one_of_person, db.session, me()))
    return {**made, "url": public_url(""), "slug": _only_organization()} if made else {}


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
    return token_pages.revoke(row, address=url_for("account.tokens"))
