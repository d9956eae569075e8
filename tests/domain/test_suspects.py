"""Whose commits are suspect (`notifications.md` 11.4)."""

import pytest

from app.domain.suspects import Change, paths, rank, score

FITS = {
    "the whole path": ("shop/cart/page.py", "shop/cart/page.py", 3),
    "the end of an absolute one": ("src/cart/page.py", "/srv/app/cart/page.py", 2),
    "in any case, by any slash": ("Cart/Page.py", "C:\\app\\cart\\page.py", 2),
    "a name alone, of a file without a folder": ("setup.py", "/srv/app/setup.py", 1),
    "a name alone, of a file in a folder": ("docs/page.py", "/srv/cart/page.py", 0),
    "another file": ("shop/cart/list.py", "shop/cart/page.py", 0),
    "nothing": ("", "shop/cart/page.py", 0),
}


@pytest.mark.parametrize(("changed", "frame", "points"), FITS.values(), ids=FITS)
def test_a_change_fits_a_frame_by_the_ends_of_both_paths(changed, frame, points):
    assert score(changed, frame) == points


def test_the_author_of_the_nearest_change_is_the_most_suspicious():
    frames = ["a/one.py", "a/two.py", "a/three.py"]
    changes = [Change(0, "ann", "a/three.py"), Change(1, "bob", "a/one.py"), Change(2, "cy", "a/two.py")]
    assert [(each.author, each.points) for each in rank(frames, changes)] == [
        ("bob", 5),
        ("cy", 4),
        ("ann", 3),
    ]


def test_points_add_up_and_frames_without_changes_cost_nothing():
    frames = ["x/none.py", "a/one.py", "x/no.py", "a/two.py", "a/three.py"]
    changes = [Change(0, "ann", "a/two.py"), Change(1, "ann", "a/three.py"), Change(2, "bob", "a/one.py")]
    assert [(each.author, each.points, each.commits) for each in rank(frames, changes)] == [
        ("ann", 7, (0, 1)),
        ("bob", 5, (2,)),
    ]


def test_the_best_fit_takes_the_frame():
    changes = [Change(0, "ann", "lib/cart/page.py"), Change(1, "bob", "shop/cart/page.py")]
    [suspect] = rank(["app/shop/cart/page.py"], changes)
    assert (suspect.author, suspect.path) == ("bob", "shop/cart/page.py")


def frame(name, **members):
    return {"filename": name, **members}


def event(*frames):
    return {"exception": [{"type": "E", "stacktrace": {"frames": list(frames)}}]}


def test_frames_are_read_from_the_error_outwards_and_only_those_of_the_application():
    data = event(frame("main.py", in_app=True), frame("lib.py", in_app=False), frame("cart.py", in_app=True))
    assert paths(data) == ["cart.py", "main.py"]


def test_without_frames_of_its_own_all_count_and_25_at_most():
    assert paths(event(frame("a.py"), frame("b.py"))) == ["b.py", "a.py"]
    assert len(paths(event(*(frame(f"{n}.py") for n in range(40))))) == 25
    assert paths({}) == []
