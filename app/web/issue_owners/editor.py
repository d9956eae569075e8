"""The editor of issue owners: one form, whose buttons check, try, rearrange or save the text."""

from collections.abc import Callable, Sequence

from flask import Response, flash, make_response, render_template, request

from app import instance
from app.clock import now
from app.db import db
from app.domain.errors import NotFound, Refused
from app.domain.ownership_lines import OwnershipErrors
from app.models import Project
from app.services.owners import entrusting, owner_checks, owner_versions
from app.services.owners.owner_checks import Effect
from app.web import limits, project_pages
from app.web.hypermedia import fragments, see_other, varying
from app.web.identity import login_required, me
from app.web.issue_owners import typed as typing
from app.web.issue_owners.blueprint import address, bp
from app.web.issue_owners.trying import Tried, tried
from app.web.issue_owners.typed import Typed

MOST_SHOWN = 50
CHECKS, MARKS, TRIAL = "issue_owners/_checks.html", "issue_owners/_marks.html", "issue_owners/_trial.html"


@bp.get("/")
@login_required
def show(org: str, slug: str) -> Response:
    """With `add` a line is begun, for whoever comes from an issue."""
    project = project_pages.visible(org, slug)
    stored = typing.stored(entrusting.stored(db.session, project))
    return _page(project, typing.with_line(stored, request.args.get("add", "")))


@bp.post("/")
@login_required
@limits.questions
def save(org: str, slug: str) -> Response:
    """Save, or do to the form what the button that was pressed says."""
    project = project_pages.visible(org, slug)
    typed = typing.of_form(request.form)
    if "add" in request.form:
        return _page(project, typing.with_line(typed, request.form["add"]))
    act = _ACTS.get(request.form.get("do", "save"))
    if act:
        return _page(project, act(typed))
    return _save(project_pages.to_edit(org, slug), typed)


# What a button does before anything is saved. Trying and checking is what the page does anyway.
_ACTS: dict[str, Callable[[Typed], Typed]] = {
    "check": lambda typed: typed,
    "try": lambda typed: typed,
    "up": lambda typed: typing.moved(typed, -1),
    "down": lambda typed: typing.moved(typed, 1),
}


def _save(project: Project, typed: Typed) -> Response:
    effect = _checks(project, typed).effect
    try:
        made = entrusting.save(db.session, project, typed.wishes, by=me(), via="page", now=now())
    except OwnershipErrors as error:
        db.session.rollback()
        problems = [f"Line {each.line}, column {each.column}: {each.message}" for each in error.problems]
        return _page(project, typed, wrong=problems, status=422)
    except Refused as error:
        db.session.rollback()
        return _page(project, typed, wrong=[error.message], status=422)
    db.session.commit()
    flash(f"Saved. {said(effect)}".strip() if made else "Nothing changed: it was so already.")
    return see_other(address(project))


def said(effect: Effect) -> str:
    """What a change means for open issues: "Priya +9, Max −3"."""
    if not effect.issues:
        return ""
    each = [f"{name} {_signed(more, fewer)}" for name, more, fewer in effect.people[:5]]
    rest = f" and {len(effect.people) - 5} others" if len(effect.people) > 5 else ""
    issues = "1 open issue" if effect.issues == 1 else f"{effect.issues} open issues"
    return f"This changes who hears about {issues}: {', '.join(each)}{rest}."


def _signed(more: int, fewer: int) -> str:
    return " ".join(f"{sign}{count}" for sign, count in (("+", more), ("−", fewer)) if count)


@bp.post("/check")
@login_required
@limits.questions
def check(org: str, slug: str) -> Response:
    """While somebody types."""
    project = project_pages.visible(org, slug)
    typed = typing.of_form(request.form)
    context = {
        **project_pages.frame(project),
        "typed": typed,
        "checks": _checks(project, typed),
        "said": said,
    }
    return fragments(MARKS, CHECKS, otherwise=address(project), **context)


@bp.post("/trial")
@login_required
@limits.questions
def trial(org: str, slug: str) -> Response:
    project = project_pages.visible(org, slug)
    typed = typing.of_form(request.form)
    context = {**project_pages.frame(project), "typed": typed, "tried": _tried(project, typed)}
    return fragments(TRIAL, otherwise=address(project), **context)


@bp.post("/versions/<int:version>/restoration")
@login_required
def restore(org: str, slug: str, version: int) -> Response:
    """As it was; what cannot be saved today comes back as text to be mended."""
    project = project_pages.to_edit(org, slug)
    try:
        made = entrusting.restore(db.session, project, version, by=me(), via="page", now=now())
    except OwnershipErrors as error:
        db.session.rollback()
        was = owner_versions.find(db.session, project, version).content
        stored = typing.stored(entrusting.stored(db.session, project))
        problems = [f"Line {each.line}, column {each.column}: {each.message}" for each in error.problems]
        return _page(project, typing.with_text(stored, was["raw"]), wrong=problems, status=422)
    db.session.commit()
    flash(f"Version {version} holds again." if made else "Nothing changed: it was so already.")
    return see_other(address(project))


def _checks(project: Project, typed: Typed) -> owner_checks.Checks:
    return owner_checks.check(
        db.session,
        project,
        typed.raw,
        fallthrough=typed.fallthrough,
        now=now(),
        instance=instance.defaults(db.session),
    )


def _tried(project: Project, typed: Typed) -> Tried | None:
    try:
        return tried(project, typed, instance.defaults(db.session))
    except NotFound:
        return Tried(problem=f"There is no issue or event “{typed.tried}” in {project.name}.")
    except Refused as error:
        return Tried(problem=error.message)


def _page(project: Project, typed: Typed, *, wrong: Sequence[str] = (), status: int = 200) -> Response:
    text = render_template(
        "issue_owners/editor.html",
        **project_pages.frame(project),
        typed=typed,
        checks=_checks(project, typed),
        tried=_tried(project, typed),
        versions=owner_versions.of(db.session, project),
        file=entrusting.file_of(db.session, project),
        wrong=wrong[:MOST_SHOWN],
        more_wrong=max(len(wrong) - MOST_SHOWN, 0),
        said=said,
    )
    return varying(make_response(text, status))
