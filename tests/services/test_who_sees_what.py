"""Who may see what of a verdict: one's own whole, admins all but quiet hours, members the public part."""

from datetime import timedelta

import pytest

from app.domain import wording
from app.domain.errors import NotFound
from app.models import Attempt, Digest, Verdict
from app.services.notices import explaining, verdicts
from app.services.notices.explaining import explain, reach_of

pytestmark = pytest.mark.both_databases


@pytest.fixture
def morning(now):
    return now + timedelta(hours=20)


@pytest.fixture
def notice(make, issue, now):
    return make.notice(issue, "comment", planned_at=now)


@pytest.fixture
def hold(session, make, now, morning):
    """Has a verdict held in a digest: `hold(notice, bob)`; with a state the digest went out."""

    def make_held(notice, user, *, state=None, kind="quiet", code="quiet_hours", outcome="defer"):
        digest = Digest(
            public_id=f"g_{user.id}_{kind}",
            kind=kind,
            key=kind,
            user_id=user.id,
            opened_at=now,
            send_at=morning,
            closed_at=morning if state else None,
            data={},
        )
        session.add(digest)
        session.flush()
        verdict = Verdict(
            notice_id=notice.id,
            subject="user",
            subject_id=user.id,
            channel="email",
            outcome=outcome,
            code=code,
            params={"until": morning.isoformat(), "scope": "account"} if code == "quiet_hours" else {},
            reasons=["assigned"],
            digest_id=digest.id,
        )
        session.add(verdict)
        session.flush()
        if state:
            _deliver(digest, notice, user, state)
        return verdict

    def _deliver(digest, notice, user, state):
        delivery = make.delivery(make.notice(notice.issue), user, state=state, finished_at=morning)
        delivery.verdict_id, delivery.digest_id, delivery.kind = None, digest.id, "digest"
        answer = {"number": 1, "at": morning, "outcome": "accepted", "code": "250", "response": "Ok 4F2A"}
        session.add(Attempt(delivery_id=delivery.id, **answer))
        session.flush()
        session.expire_all()

    return make_held


def line_of(session, notice, reader, person, now):
    explanation = explain(session, notice, reader, now=now)
    [line] = [line for line in explanation.lines if line.person == person.name]
    return explanation, line


def test_a_hold_is_no_refusal_and_says_until_when_to_whose_it_is(session, cast, notice, hold, now):
    hold(notice, cast.bob)
    explanation, line = line_of(session, notice, cast.bob, cast.bob, now)
    assert (line.mark, line.words) == ("waiting", "held until 08:00")
    assert line.decided_by == "Held until Sat 21 Nov 2026 08:00 UTC: quiet hours."
    assert explanation.reach.sentence == "Held 1 until 08:00"
    assert line.ladder[-1].answer == "yes, until Sat 21 Nov 2026 08:00 UTC"


def test_moments_are_on_the_readers_clock(session, cast, notice, hold, now):
    cast.bob.timezone = "Asia/Tokyo"
    hold(notice, cast.bob)
    explanation, line = line_of(session, notice, cast.bob, cast.bob, now)
    assert explanation.reach.sentence == "Held 1 until 17:00"
    assert line.decided_by == "Held until Sat 21 Nov 2026 17:00 JST: quiet hours."


@pytest.mark.parametrize("state", [None, "accepted"])
@pytest.mark.parametrize("name", ["alice", "cy"])
def test_nobody_else_learns_when_somebodys_quiet_hours_end(session, cast, notice, hold, now, name, state):
    hold(notice, cast.bob, state=state)
    reader = getattr(cast, name)
    explanation, line = line_of(session, notice, reader, cast.bob, now)
    said = [line.words, line.decided_by, line.note, *line.reasons, explanation.reach.sentence]
    said += [step.answer for step in line.ladder]
    assert not any("08:00" in words or "21 Nov" in words for words in said)
    assert line.hides_times
    [shown] = verdicts.of(session, [notice], reader)[notice.id]
    assert shown.until is None
    assert shown.hides_times
    assert "08:00" not in shown.sentence
    reach = reach_of(session, [notice], reader=reader, now=now)[notice.id]
    assert "08:00" not in reach.sentence


def test_an_administrator_learns_that_it_was_quiet_and_a_member_that_it_was_theirs(
    session, cast, notice, hold, now
):
    hold(notice, cast.bob)
    _, to_admin = line_of(session, notice, cast.alice, cast.bob, now)
    _, to_member = line_of(session, notice, cast.cy, cast.bob, now)
    assert (to_admin.decided_by, to_admin.code) == ("Held: quiet hours.", "quiet_hours")
    assert (to_member.decided_by, to_member.code) == (wording.THEIR_OWN, "")
    assert (to_member.mark, to_member.words) == ("waiting", "held")
    assert to_member.ladder == ()


def test_a_digests_delivery_is_that_of_every_verdict_it_carried(
    session, make, cast, issue, notice, hold, now
):
    other = make.notice(issue, "resolved", planned_at=now)
    first = hold(notice, cast.bob, state="accepted")
    second = make.delivery(other, cast.bob).verdict
    session.delete(second.delivery)
    second.outcome, second.code, second.digest_id = "defer", "quiet_hours", first.digest_id
    session.flush()
    for each in (notice, other):
        explanation, line = line_of(session, each, cast.bob, cast.bob, now)
        assert (line.mark, line.delivery.kind) == ("sent", "digest")
        assert [attempt.response for attempt in line.attempts] == ["Ok 4F2A"]
        assert explanation.reach.sentence == "Told 1"
        assert reach_of(session, [each], reader=cast.bob, now=now)[each.id].sentence == "Told 1"


def test_what_was_held_and_then_refused_is_not_sent_though_the_rest_was(session, cast, notice, hold, now):
    hold(notice, cast.bob, state="accepted", outcome="skip", code="no_longer_open")
    explanation, line = line_of(session, notice, cast.bob, cast.bob, now)
    assert (line.mark, line.delivery) == ("not_sent", None)
    assert line.decided_by == "The issue was settled or deleted before the message went out."
    assert line.note == "It was held first, and looked at again before it went out."
    assert explanation.reach.sentence == "Told nobody · 1 not told"


def test_a_summary_hides_no_times(session, cast, notice, hold, now):
    hold(notice, cast.bob, kind="batch", code="batched")
    explanation, line = line_of(session, notice, cast.cy, cast.bob, now)
    assert (line.words, line.hides_times) == ("held until 08:00", False)
    assert explanation.reach.sentence == "Held 1 until 08:00"


def test_several_moments_are_none_to_say(session, cast, notice, hold, now):
    hold(notice, cast.bob)
    hold(notice, cast.cy, kind="batch", code="batched")
    assert explain(session, notice, cast.bob, now=now).reach.held == 2
    assert explain(session, notice, cast.alice, now=now).reach.sentence == "Held 2"


def test_reach_in_full(session, make, cast, notice, hold, now):
    make.delivery(notice, cast.alice, state="accepted")
    hold(notice, cast.bob)
    make.delivery(notice, cast.cy, state="failed")
    make.delivery(notice, cast.dee).verdict.outcome = "skip"
    session.flush()
    assert explain(session, notice, cast.bob, now=now).reach.sentence == (
        "Told 1 · held 1 until 08:00 · 1 failed · 1 not told"
    )


def test_the_last_resort_is_said(session, make, cast, notice, now):
    make.delivery(notice, cast.bob, state="accepted").verdict.params = {"last_resort": True}
    session.flush()
    for reader in (cast.alice, cast.bob, cast.cy):
        _, line = line_of(session, notice, reader, cast.bob, now)
        assert line.note.startswith("Told as the project’s last resort")


def test_only_attempts_that_the_reader_may_see_are_loaded(session, make, cast, notice, now):
    delivery = make.delivery(notice, cast.bob, state="failed")
    session.add(Attempt(delivery_id=delivery.id, number=1, at=now, outcome="failed", response="550 no"))
    session.flush()
    seen = {
        reader.name: [len(each.attempts) for each in verdicts.recorded(session, [notice], reader)]
        for reader in (cast.alice, cast.bob, cast.cy)
    }
    assert seen == {"Alice": [1], "Bob": [1], "Cy": [0]}


def test_an_owner_of_another_organization_finds_nothing(session, cast, notice, hold):
    hold(notice, cast.bob)
    with pytest.raises(NotFound):
        explaining.visible_notice(session, cast.charlie, notice.public_id)
    [recorded] = verdicts.recorded(session, [notice], cast.charlie)
    assert not recorded.is_open
