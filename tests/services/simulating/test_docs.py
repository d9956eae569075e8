"""The table of the page on the simulator holds."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.pacing import Pace
from app.domain.simulating import Subject
from app.models import AlertRule
from app.services.owners import owner_checks
from app.services.owners.owning import OwnersInForce
from app.services.simulating import replaying
from app.services.simulating.drafts import Drafts, RuleDraft
from app.services.simulating.replaying import Budget
from tests.support.living import Life

DOCS = Path(__file__).parents[3] / "docs" / "what-if.md"
ROWS = re.findall(r"^\| (.+?) \| (\d+) \| (\d+) \|$", DOCS.read_text(), re.MULTILINE)


def draft(session, shop, cast, words):
    what, _, value = words.replace("`", "").partition(": ")
    if what == "my alerts":
        return Drafts(mine={("alerts", "", "project", shop.id): value}, reader_id=cast.bob.id)
    if what == "owners":
        return Drafts(owners=OwnersInForce(owner_checks.drafted(session, shop, value)[0]))
    if what == "pace":
        return Drafts(pace=Pace(int(value), int(value)))
    if what == "without the rule":
        return Drafts(rule=RuleDraft(None, session.scalars(select(AlertRule)).first()))
    assert what == "nothing"
    return Drafts()


@pytest.mark.parametrize(("words", "before", "after"), ROWS, ids=[words for words, *_ in ROWS])
def test_what_the_page_says_is_so(session, shop, cast, now, words, before, after):
    life = Life(session, shop, now)
    for title in ("A: a", "B: b", "C: c"):
        life.event(title)
        life.pass_by(timedelta(minutes=20))
    found = replaying.replay(
        session,
        shop,
        days=1,
        drafts=draft(session, shop, cast, words),
        instance=life.instance,
        now=life.now,
        budget=Budget(seconds=60),
    )
    bob = found.counts[Subject("user", cast.bob.id)]
    assert (bob.before, bob.after) == (int(before), int(after))


def test_the_table_is_there():
    assert len(ROWS) == 6
