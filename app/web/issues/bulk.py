"""One change to several issues of a list: to all of them or, when something is wrong, to none."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, make_response, render_template, request
from werkzeug.datastructures import MultiDict

from app.clock import now
from app.db import db
from app.domain.errors import NotFound, Refused
from app.domain.ids import parse_id
from app.domain.search import BadSearch
from app.models import Issue
from app.services import access
from app.services.issues import finding, merging, removing, timeline, undoing
from app.services.issues.finding import Scope
from app.services.issues.timeline import Batch
from app.web import limits
from app.web.hypermedia import fragments, say, see_other, varying, way_back
from app.web.identity import login_required, me
from app.web.issues import bulk_changes, undo
from app.web.issues.asking import Asked, address_of, query_of, scope_at, what_is_asked
from app.web.issues.blueprint import bp, issue_url
from app.web.issues.bulk_changes import CHANGES, Done, Wish
from app.web.issues.listing import listed
from app.web.issues.rows import counted_anew, row
from app.web.issues.showing import refused

MOST, NAMED = 1000, 20


@bp.post("/<org>/<slug>/bulk")
@login_required
@limits.changes
def change_many(org: str, slug: str) -> Response:
    """`do` says what, `issue` to which, as often as there are, or `all` to all that the list finds.

    What cannot be taken back is asked about first; `sure` is the answer.
    """
    scope, asked = scope_at(org, slug), what_is_asked()
    do = request.form.get("do", "")
    try:
        change = CHANGES.get(do)
        if change is None:
            raise Refused("Choose what to do with the issues.")
        issues = _selected(scope, asked)
        if change.is_final and "sure" not in request.form:
            return question(scope, asked, do, issues)
        wish = Wish(issues, request.form, now(), held())
        done = change.make(wish)
        undone_by = undo.offer(done, wish, back=address_of(scope, asked))
    except Refused as error:
        return _again(scope, asked, error)
    db.session.commit()
    say(done.said, undo=undone_by)
    return see_other(_after(done, otherwise=address_of(scope, asked)))


@bp.post("/issues/<int:issue_id>/row/<do>")
@login_required
@limits.changes
def change_row(issue_id: int, do: str) -> Response:
    """The same to one row, and it alone is swapped: what leaves the list leaves a line with an Undo."""
    issue = access.visible_issue(db.session, me(), issue_id)
    scope, asked = Scope(me(), issue.project.organization, issue.project), what_is_asked()
    change = CHANGES.get(do)
    if change is None or change.is_final:
        raise Refused("Choose what to do with the issue.")
    wish = Wish([issue], request.form, now(), held())
    done = change.make(wish)
    undone_by = undo.offer(done, wish, back=address_of(scope, asked))
    said = f"{issue.short_id}: {done.said}"
    db.session.commit()
    if _belongs(scope, asked, issue):
        return row(issue, said, undo=undone_by, changed=bool(done.changed))
    line = fragments(
        "issues/_row_done.html",
        otherwise=address_of(scope, asked),
        issue=issue,
        done=done,
        undo=undone_by,
        said=said,
    )
    return counted_anew(line)


@bp.post("/issues/<int:issue_id>/merge")
@login_required
def merge_with(issue_id: int) -> Response:
    """Ask whether to merge the issue with the one whose short id was typed on its page."""
    issue = access.visible_issue(db.session, me(), issue_id)
    scope, name = Scope(me(), issue.project.organization, issue.project), request.form.get("with", "")
    try:
        other = access.visible_issue_by_short_id(db.session, me(), scope.organization, name)
        return question(scope, what_is_asked(), "merge", [issue, other])
    except NotFound:
        return refused(issue, Refused(f"There is no issue {name.strip() or 'without a name'}.", field="with"))
    except Refused as error:
        return refused(issue, Refused(error.message, field="with"))


@bp.get("/<org>/<slug>/bulk")
@login_required
def ask(org: str, slug: str) -> Response:
    """The question alone, for a link on an issue's page; looking changes nothing."""
    scope, asked = scope_at(org, slug), what_is_asked()
    do = request.args.get("do", "")
    if do not in CHANGES or not CHANGES[do].is_final:
        raise NotFound
    return question(scope, asked, do, _named(request.args))


@bp.get("/<org>/<slug>/matching")
@login_required
def count(org: str, slug: str) -> str:
    """How many issues the list finds, for whoever wants to select all of them."""
    scope, asked = scope_at(org, slug), what_is_asked()
    try:
        found = finding.matching(db.session, scope, query_of(scope, asked), now=now(), limit=MOST + 1)
    except BadSearch:
        return ""
    return render_template("issues/_matching.html", found=len(found), most=MOST)


@bp.get("/<org>/<slug>/people")
@login_required
def people(org: str, slug: str) -> str:
    """Names that complete what is typed into the Assign field of a list."""
    scope = scope_at(org, slug)
    if scope.project is None:
        return ""
    users, teams = access.assignable(db.session, scope.project)
    return render_template("issues/_people.html", users=users, teams=teams)


def held() -> Batch:
    """For one click: nobody is told of it as long as it can be taken back unheard."""
    return timeline.together(plan_after=now() + undoing.HELD)


def question(scope: Scope, asked: Asked, do: str, issues: Sequence[Issue]) -> Response:
    """The page that asks whether that is really meant; its form names every issue."""
    bulk_changes.may_be_done(do, issues)
    text = render_template(
        "issues/confirm.html",
        org=scope.organization,
        project=scope.project,
        active_tab="issues",
        slug=scope.project.slug if scope.project else "issues",
        asked=asked,
        do=do,
        issues=issues,
        named=issues[:NAMED],
        primary=merging.primary_of(issues),
        may_discard=removing.may_discard(db.session, me(), issues),
        cancel=way_back(otherwise=address_of(scope, asked)),
        back=request.values.get("next", ""),
    )
    return varying(make_response(text))


def _selected(scope: Scope, asked: Asked) -> Sequence[Issue]:
    if "all" not in request.form:
        return _named(request.form)
    try:
        query = query_of(scope, asked)
    except BadSearch as problem:
        raise Refused(str(problem)) from None
    ids = finding.matching(db.session, scope, query, now=now(), limit=MOST, sort=asked.sort)
    if not ids:
        raise Refused("No issue matches any more.")
    return finding.visible(db.session, me(), ids)


def _named(given: MultiDict[str, str]) -> Sequence[Issue]:
    numbers = {id_ for text in given.getlist("issue") if (id_ := parse_id(text)) is not None}
    if not numbers:
        raise Refused("Select an issue first.")
    if len(numbers) > MOST:
        raise Refused(f"Select at most {MOST} issues.")
    issues = finding.visible(db.session, me(), numbers)
    if len(issues) != len(numbers):
        raise NotFound
    return issues


def _belongs(scope: Scope, asked: Asked, issue: Issue) -> bool:
    try:
        return finding.belongs(db.session, scope, query_of(scope, asked), issue, now=now())
    except BadSearch:
        return False


def _after(done: Done, *, otherwise: str) -> str:
    """Back to the list; who came from the page of an issue that was merged sees the one that stays."""
    if done.stays is not None and request.form.get("next"):
        return issue_url(done.stays)
    return otherwise


def _again(scope: Scope, asked: Asked, error: Refused) -> Response:
    """The list as it was, with what was selected and typed, and what is wrong. Nothing was changed."""
    db.session.rollback()
    return listed(scope, asked, status=422, errors={error.field or "": error.message}, values=_typed())


def _typed() -> Mapping[str, Any]:
    form = request.form
    picked = {id_ for text in form.getlist("issue") if (id_ := parse_id(text)) is not None}
    return {"picked": picked, "all": "all" in form, "assignee": form.get("assignee", "")}
