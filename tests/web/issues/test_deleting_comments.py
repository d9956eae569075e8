"""Who administers a project can take away anybody's comment on its pages, as through the API."""

import pytest

from app.models import Activity


@pytest.fixture
def written(acts, cast, issue, session):
    """Bob's comment; Alice administers the project, Cy does not."""
    acts.comment(issue, "Bob’s words", by=cast.bob)
    session.commit()
    return session.query(Activity).filter_by(type="note").one()


def path_of(issue, written, what=""):
    return f"/issues/{issue.id}/comments/{written.id}{what}"


@pytest.mark.both_databases
def test_an_administrator_deletes_the_comment_of_somebody_else(
    as_user, cast, issue, session, written, htmx, parsed
):
    admin = as_user(cast.alice)
    page = admin.page(f"/acme/shop/issues/{issue.id}/")
    link = page.select_one(f"#comment-{written.id} a")
    assert link.text == "Delete"
    form = parsed(admin.get(link["href"], headers=htmx("div#x")).text)
    assert not form.find("textarea")
    admin.post(form.form["action"])
    session.expire_all()
    assert written.type == "note_deleted"
    assert "Alice deleted the comment." in admin.page(f"/acme/shop/issues/{issue.id}/").text


def test_nobody_changes_the_words_of_others(as_user, cast, issue, session, written):
    assert as_user(cast.alice).post(path_of(issue, written), data={"text": "Mine"}).status_code == 404
    session.expire_all()
    assert written.data["text"] == "Bob’s words"


@pytest.mark.parametrize("who", ["cy", "dee"])
def test_who_does_not_administer_the_project_is_not_offered_it(as_user, cast, issue, session, written, who):
    browser = as_user(getattr(cast, who))
    assert browser.get(path_of(issue, written, "/edit")).status_code == 404
    assert browser.post(path_of(issue, written, "/deletion")).status_code == 404
    session.expire_all()
    assert written.type == "note"
