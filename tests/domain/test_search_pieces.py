import pytest

from app.domain.search import LONGEST
from app.domain.search.pieces import pieces

WIDER = {
    "message:gateway": "message:*gateway*",
    'title:"a \\"b\\""': 'title:"*a \\"b\\"*"',
    "tags[plan]:pro": "tags[plan]:*pro*",
    "user:ana": "user:*ana*",
    "env:prod": "env:*prod*",
    r"path:a\*": r"path:*a\**",
    "message:gate*": "",
    "!message:gateway": "",
    'message:""': "",
    "has:plan": "",
    "level:error": "",
    "is:unresolved": "",
    "release:latest": "",
    "user:email:ana@example.org": "",
    "timesSeen:5": "",
}


@pytest.mark.parametrize(("text", "wider"), WIDER.items())
def test_what_is_exact_can_be_asked_for_less_exactly(text, wider):
    [piece] = pieces(text)
    assert (piece.wider, piece.with_wider) == (wider, wider)


def test_a_search_is_taken_apart_into_its_terms_and_all_its_words():
    found = pieces('could level:error  not !boring sync url:/pay "as is"')
    assert {piece.written: piece.without for piece in found} == {
        "could not sync": 'level:error !boring url:/pay "as is"',
        "level:error": 'could not !boring sync url:/pay "as is"',
        "!boring": 'could level:error not sync url:/pay "as is"',
        "url:/pay": 'could level:error not !boring sync "as is"',
        '"as is"': "could level:error not !boring sync url:/pay",
    }
    assert found[3].with_wider == 'could level:error not !boring sync url:*/pay* "as is"'


TAGS = {"plan:pro": "plan", "has:plan": "plan", "tags[level]:x": "level", "!plan:pro": "", 'plan:""': ""}
TAGS |= {"any_tag:x": "", "has:user": "", "user.email:x": "", "word": "", "is:unresolved": ""}


@pytest.mark.parametrize(("text", "tag"), TAGS.items())
def test_the_tag_that_issues_must_have(text, tag):
    assert [piece.tag for piece in pieces(text)] == [tag]


def test_what_would_be_too_long_is_not_offered():
    [piece] = pieces("plan:" + "x" * (LONGEST - 5))
    assert not piece.with_wider
