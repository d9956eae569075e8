"""Comments on an issue (`web-api.md` 4): reading and writing them, changing one's own, taking one away."""

from flask import jsonify
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.api import narrowing, shapes
from app.api.blueprint import Answer, Denied, bp
from app.api.credentials import may, me, needs
from app.api.describing import Page, describes
from app.api.paging import page_of
from app.api.places import visible_issue
from app.api.reading import body, known_members, text
from app.api.types.comments import ActivityJson, CommentTextJson
from app.clock import now
from app.db import db
from app.domain.errors import NotFound
from app.domain.ids import parse_id
from app.models import Activity, Issue, User
from app.services.issues import commenting

NOT_YOURS = "Only who wrote a comment may change it."


@bp.get("/issues/<issue>/comments/")
@bp.get("/organizations/<org>/issues/<issue>/comments/")
@needs("event:read")
@describes({200: Page[ActivityJson]}, query=[narrowing.WHOSE])
def comments(issue: str, org: str | None = None) -> Answer:
    """The comments of an issue, newest first."""
    is_comment = (Activity.issue_id == visible_issue(issue, org).id) & (Activity.type == commenting.COMMENT)
    found = select(Activity).where(is_comment).order_by(Activity.id.desc())
    with_authors = found.options(selectinload(Activity.actor).selectinload(User.addresses))
    return page_of(with_authors, lambda rows: [shapes.activity(row) for row in rows])


@bp.post("/issues/<issue>/comments/")
@bp.post("/organizations/<org>/issues/<issue>/comments/")
@needs("event:write")
@describes({201: ActivityJson}, body=CommentTextJson, query=[narrowing.WHOSE])
def comment(issue: str, org: str | None = None) -> Answer:
    """Comment on an issue.

    Whoever follows it hears of that, and whoever the text mentions.
    """
    row = visible_issue(issue, org)
    made = commenting.comment(db.session, row, text=_text(), by=me(), now=now())
    db.session.commit()
    return jsonify(shapes.activity(made)), 201


@bp.put("/issues/<issue>/comments/<comment_id>/")
@bp.put("/organizations/<org>/issues/<issue>/comments/<comment_id>/")
@needs("event:write")
@describes({200: ActivityJson}, body=CommentTextJson, query=[narrowing.WHOSE])
def change_comment(issue: str, comment_id: str, org: str | None = None) -> Answer:
    """Change one's own comment.

    Nobody is told anew, whoever the text mentions.
    """
    _, written = _standing(issue, comment_id, org)
    if written.actor_id != me().id:
        raise Denied(403, NOT_YOURS)
    commenting.edit(db.session, written, text=_text(), now=now())
    db.session.commit()
    return jsonify(shapes.activity(written))


@bp.delete("/issues/<issue>/comments/<comment_id>/")
@bp.delete("/organizations/<org>/issues/<issue>/comments/<comment_id>/")
@needs("event:write")
@describes({204: None}, query=[narrowing.WHOSE])
def delete_comment(issue: str, comment_id: str, org: str | None = None) -> Answer:
    """Delete a comment.

    One's own; anybody's, for an administrator of the project.
    """
    row, written = _standing(issue, comment_id, org)
    if written.actor_id != me().id:
        may(row.project, "delete_comments")
    commenting.delete(db.session, row, written, by=me(), now=now())
    db.session.commit()
    return "", 204


def _text() -> str:
    given = body()
    known_members(given, "text")
    return text(given, "text")


def _standing(issue: str, comment_id: str, org: str | None) -> tuple[Issue, Activity]:
    row, id_ = visible_issue(issue, org), parse_id(comment_id)
    if id_ is None:
        raise NotFound
    return row, commenting.standing(db.session, row, id_)
