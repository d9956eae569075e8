"""Showing once more that it is the account's owner who sits here, before what outlives a session is done."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.db import db
from app.domain.errors import Refused
from app.services.people import accounts
from app.web import identity
from app.web.account.blueprint import bp
from app.web.auth import guesses
from app.web.hypermedia import form_again, see_other, way_back
from app.web.identity import login_required, me

PAGE = "settings/confirmation.html"
View = TypeVar("View", bound=Callable[..., Any])


def proven(back: Callable[[], str]) -> Callable[[View], View]:
    """For people who signed in or gave their password a moment ago; others do that first, and come `back`."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if identity.is_proven():
                return view(*args, **kwargs)
            return see_other(url_for("account.confirmation", next=back()))

        return cast(View, guarded)

    return guard


@bp.get("/confirmation/")
@login_required
def confirmation() -> ResponseReturnValue:
    return render_template(PAGE, errors={}, values=request.args)


@bp.post("/confirmation/")
@login_required
@guesses
def confirm() -> Response:
    if accounts.check_password(db.session, me().email, request.form.get("current", "")) is None:
        return form_again(PAGE, Refused("That is not your password.", field="current"))
    identity.prove()
    return see_other(way_back(otherwise=url_for("account.show")))
