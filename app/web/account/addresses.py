"""A person's mail addresses, and which project's mail goes where."""

from flask import Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import visitors
from app.clock import now
from app.db import db
from app.domain.errors import NotFound, Refused
from app.extensions import limiter
from app.models import EmailAddress
from app.services.people import addressing, verifying
from app.services.preferences import tuning
from app.web import limits
from app.web.account.blueprint import bp
from app.web.account.confirmation import proven
from app.web.hypermedia import form_again, public_url, see_other
from app.web.identity import login_required, me

PAGE = "settings/addresses.html"


# They go to mailboxes of which nobody knows yet whose they are, in our name.
letters = limiter.shared_limit("10 per hour", scope="verification", key_func=limits.person, methods=["POST"])
letters_to_one = limiter.limit("5 per hour", key_func=visitors.typed_address, methods=["POST"])


@bp.get("/notifications/email/")
@login_required
def addresses() -> ResponseReturnValue:
    return render_template(PAGE, errors={}, values=request.args, **_listed())


@bp.post("/notifications/email/")
@login_required
@proven(lambda: url_for("account.addresses", email=request.form.get("email", "")[:254]))
@letters
@letters_to_one
def add_address() -> Response:
    """The same answer whether or not somebody else has the address."""
    try:
        added = verifying.add(db.session, me(), request.form.get("email", ""), link=_link, now=now())
    except Refused as error:
        return form_again(PAGE, error, **_listed())
    return _mailed(added)


@bp.post("/notifications/email/<int:address_id>/link")
@login_required
@letters
def mail_link(address_id: int) -> Response:
    address = verifying.owned(me(), address_id)
    verifying.mail_link(db.session, address, link=_link, now=now())
    return _mailed(address)


def _mailed(address: EmailAddress) -> Response:
    db.session.commit()
    flash(f"A link is on its way to {address.address}. Open it to verify the address.")
    return see_other(url_for("account.addresses"))


@bp.post("/notifications/email/<int:address_id>/primary")
@login_required
@proven(lambda: url_for("account.addresses"))
def promote_address(address_id: int) -> Response:
    address = verifying.promote(db.session, me(), address_id, now=now())
    db.session.commit()
    flash(f"{address.address} is your primary address.")
    return see_other(url_for("account.addresses"))


@bp.post("/notifications/email/<int:address_id>/removal")
@login_required
def remove_address(address_id: int) -> Response:
    removed = verifying.remove(db.session, me(), address_id, now=now())
    db.session.commit()
    flash(f"{removed} is removed. What went there goes to {me().email}.")
    return see_other(url_for("account.addresses"))


@bp.get("/notifications/email/verify/<secret>/")
@login_required
def open_verification(secret: str) -> ResponseReturnValue:
    """Only a button: mail scanners follow links. For the person who claimed the address, and nobody else."""
    try:
        address = verifying.awaiting(db.session, me(), secret, now=now())
    except NotFound:
        return _stale()
    return render_template("settings/verify.html", secret=secret, address=address)


@bp.post("/notifications/email/verify/<secret>/")
@login_required
@proven(lambda: request.path)
@limiter.limit("20 per hour", key_func=limits.person)
def verify_address(secret: str) -> ResponseReturnValue:
    try:
        address = verifying.verify(db.session, me(), secret, now=now())
    except NotFound:
        return _stale()
    db.session.commit()
    flash(f"{address.address} is verified.")
    return see_other(url_for("account.addresses"))


def _stale() -> ResponseReturnValue:
    return render_template("settings/verify.html", secret=None, address=None), 410


def _listed() -> dict[str, object]:
    session, person = db.session, me()
    projects = {project.id: project for project in tuning.projects(session, person)}
    routes = addressing.routes(session, person)
    return {
        "routed": addressing.routed(session, person),
        "last_answer": addressing.last_answer(session, person),
        "elsewhere": [(projects[key], where) for key, where in routes.items() if key in projects],
        "has_projects": bool(projects),
    }


def _link(secret: str) -> str:
    return public_url(url_for("account.open_verification", secret=secret))
