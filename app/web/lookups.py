"""Looking at what another person was told leaves a line in their log, whichever page it is done on."""

from app.clock import now
from app.db import db, transaction
from app.models import Project, User
from app.services import access
from app.services.notices import answering
from app.web.identity import me


def note(project: Project, issue_id: int, short_id: str, *, person_id: int) -> None:
    """Of who administers the project: nobody else sees more of others than everybody does.

    Once the page is made, and in a transaction of its own: on SQLite one that has begun to read cannot go on
    to write.
    """
    session, reader_id = db.session, me().id
    is_theirs = person_id != reader_id and access.can(session, me(), project, "edit_project")
    if not is_theirs or session.get(User, person_id) is None:
        return
    session.rollback()
    with transaction() as own:
        answering.note(own, issue_id, short_id, of=person_id, by=reader_id, now=now(), via="web")
