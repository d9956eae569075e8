"""Suspect commits of an issue, on its page and in its alert."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.models import CommitFile, Issue
from app.services.releases import suspecting

pytestmark = pytest.mark.both_databases

DATA = {
    "exception": [
        {
            "type": "KeyError",
            "value": "cart",
            "stacktrace": {"frames": [{"filename": "shop/cart.py", "function": "pay", "in_app": True}]},
        }
    ]
}


@pytest.fixture
def commit(session, make, cast):
    """A commit of a release that changed a file."""

    def made(path="shop/cart.py", release="1.0", author=None, at=None, message="Show totals", **columns):
        row = make.commit(cast.acme, message, author=author or cast.bob, **columns)
        make.in_release(row, make.release(cast.shop, release, at=at))
        session.add(CommitFile(commit_id=row.id, path=path, change="M"))
        session.flush()
        return row

    return made


@pytest.fixture
def issue(make, cast):
    return make.issue(cast.shop, first_release="1.0")


def test_whoever_changed_the_file_of_the_frame_is_suspect(session, cast, issue, commit):
    row = commit()
    commit(path="shop/other.py", author=cast.cy)
    [found] = suspecting.of(session, issue, DATA)
    assert (found.commit, found.user, found.may_have_it) == (row, cast.bob, True)
    assert suspecting.words(found) == f"{row.key[:7]} “Show totals” by Bob"


def test_four_releases_before_the_first_count_and_no_more(session, make, cast, issue, commit, now):
    commit("shop/none.py")
    for back, author in ((4, cast.cy), (5, cast.alice)):
        commit(release=f"0.{9 - back}", at=now - timedelta(days=back), author=author)
    for back in (1, 2, 3):
        make.release(cast.shop, f"0.{9 - back}", at=now - timedelta(days=back))
    assert [each.user for each in suspecting.of(session, issue, DATA)] == [cast.cy]


def test_later_releases_and_those_of_other_projects_do_not_count(session, make, cast, issue, commit, now):
    make.release(cast.shop, "1.0")
    commit(release="1.1", at=now + timedelta(hours=1))
    billing = make.project(cast.acme, "billing", teams=[cast.team])
    row = make.commit(cast.acme, release=make.release(billing, "0.1", at=now - timedelta(days=1)))
    session.add(CommitFile(commit_id=row.id, path="shop/cart.py", change="M"))
    assert suspecting.of(session, issue, DATA) == []


def test_an_author_whom_nobody_knows_is_named_and_cannot_have_it(session, issue, commit):
    commit(author="Ana Lima")
    [found] = suspecting.of(session, issue, DATA)
    assert (found.called, found.user, found.may_have_it) == ("Ana Lima", None, False)


def test_an_author_outside_the_project_cannot_have_it(session, cast, issue, commit):
    commit(author=cast.dee)
    [found] = suspecting.of(session, issue, DATA)
    assert (found.user, found.may_have_it) == (cast.dee, False)


def test_without_a_release_or_a_stack_nobody_is_suspect(session, make, cast, issue, commit):
    commit()
    assert suspecting.of(session, make.issue(cast.shop), DATA) == []
    assert suspecting.of(session, issue, {}) == []


def test_the_page_offers_to_assign_the_author_and_the_alert_names_the_commit(
    session, make, cast, commit, report, run_jobs, mailbox, as_user
):
    row = commit()
    report(release="1.0", exception={"values": DATA["exception"]})
    run_jobs()
    [mail] = mailbox(cast.alice)
    assert f"Suspect commit: {row.key[:7]} “Show totals” by Bob" in " ".join(mail.text.split())
    browser = as_user(cast.alice)
    path = f"/issues/{session.scalars(select(Issue.id)).one()}/suspects"
    whole = browser.get(path)
    assert row.key[:7] in whole.text
    part = browser.get(path, headers={"HX-Request": "true"})
    assert f'value="user:{cast.bob.id}"' in part.text
    assert "<html" not in part.text
    assert as_user(cast.charlie).get(path).status_code == 404
