"""Five hundred actions of a team: what Explain says is what the mail server took, person by person, once.

Some are on several issues at once, and quiet hours come and go: what they held has to come out of it, too.
"""

import random
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.clock import now
from app.domain import lifecycle
from app.domain.quiet import Window
from app.models import Issue, Notice, TeamMember, Verdict
from app.services.calm import quieting
from app.services.issues.matching_notices import UNREACHED
from app.services.issues.undoing import UNDONE
from app.services.notices import explaining, telling
from app.services.notices.verdicts import CARRIED, OWN, with_deliveries
from app.services.preferences import muting, preferring

ACTIONS, SEED, SETTLE_EVERY = 500, 20261123, 25
# By then nothing of a bulk action can be taken back, and nobody's quiet hours hold any more.
SOON, MORNING = timedelta(seconds=20), timedelta(hours=4)
ACTS = ("event", "event", "move", "bulk", "assign", "comment", "follow", "choose", "mute", "quiet")
VALUES = {"alerts": ("on", "off", None), "workflow": ("always", "participating", "never", None)}
TITLES = [f"{name}Error: cart" for name in ("Key", "Value", "Type", "Lookup", "Index", "Zero")]


class Team:
    """Does something at random, as people and programs do."""

    def __init__(self, chance, session, cast, acts, report):
        self.chance, self.session, self.cast, self.acts, self.report = chance, session, cast, acts, report
        self.people = [cast.alice, cast.bob, cast.cy]
        self.done = Counter()

    def act(self, number):
        issues = self.session.scalars(select(Issue).where(Issue.status.in_(lifecycle.STATUSES))).all()
        what = self.chance.choice(ACTS)
        self.done[what] += 1
        if what == "event" or not issues:
            self.report(self.chance.choice(TITLES), level=self.chance.choice(["error", "fatal"]))
        else:
            getattr(self, f"_{what}")(self.chance.choice(issues), self.chance.choice(self.people), number)

    def _move(self, issue, who, _number):
        name = self.chance.choice(lifecycle.moves(issue.status))
        {"resolve": self.acts.resolve, "ignore": self.acts.ignore, "reopen": self.acts.reopen}[name](
            issue, by=who
        )

    def _bulk(self, issue, who, _number):
        others = self.session.scalars(select(Issue).where(Issue.id != issue.id)).all()
        chosen = [issue, *self.chance.sample(others, min(len(others), 2))]
        do = self.chance.choice(["resolve", "reopen", "assign"])
        self.acts.bulk(chosen, do, by=who, assignee=self.chance.choice(["@bob", "@cy", "#shop-team"]))

    def _assign(self, issue, who, _number):
        self.acts.assign(issue, to=self.chance.choice([*self.people, self.cast.team, None]), by=who)

    def _comment(self, issue, who, number):
        named = self.chance.choice(["", " @bob", " @cy", f" #{self.cast.team.slug}"])
        self.acts.comment(issue, f"Remark {number}.{named}", by=who)

    def _follow(self, issue, who, _number):
        self.chance.choice([self.acts.subscribe, self.acts.unsubscribe, self.acts.bookmark])(issue, by=who)

    def _choose(self, _issue, who, _number):
        category = self.chance.choice(list(VALUES))
        project = self.chance.choice([None, self.cast.shop])
        value = self.chance.choice(VALUES[category])
        preferring.choose(self.session, who, category, value, project=project, via="web", now=now())
        self.session.commit()

    def _mute(self, issue, who, _number):
        if not muting.unmute(self.session, issue, user=who, now=now()):
            muting.mute(self.session, issue, user=who, event_limit=1000, now=now())
        self.session.commit()

    def _quiet(self, _issue, who, _number):
        """Whoever has quiet hours, which hold just now, gives them up; the others begin to have some."""
        hours = quieting.hours(self.session, who)
        for row in hours:
            quieting.delete(self.session, who, row, now=now(), via="web")
        if not hours:
            minute = (now().hour * 60 + now().minute - 60) % 1440
            window = Window(frozenset(range(7)), minute, (minute + 180) % 1440)
            quieting.save(self.session, who, window, now=now(), via="web")
        self.session.commit()


def told(session):
    """Issues whose latest notice reached somebody: as noted, as defined, as searches see it either way."""
    noted = set(session.scalars(select(Issue.id).where(Issue.told)))
    assert set(session.scalars(select(Issue.id).where(~UNREACHED))) == noted
    assert set(session.scalars(select(Issue.id).where(telling.TOLD))) == noted
    session.execute(update(Issue).values(told=False))
    assert set(session.scalars(select(Issue.id).where(~UNREACHED))) == noted
    return noted


@pytest.mark.long
@pytest.mark.usefixtures("unlimited")
def test_explain_and_the_mail_servers_log_agree_person_by_person(
    session, cast, acts, report, run_jobs, mailbox
):
    team = Team(random.Random(SEED), session, cast, acts, report)
    for number in range(ACTIONS):
        team.act(number)
        if number % SETTLE_EVERY == 0:
            run_jobs()
            run_jobs.sweep(after=SOON)
    run_jobs()
    run_jobs.sweep(after=SOON)
    run_jobs.sweep(after=MORNING)
    session.commit()

    members = set(session.scalars(select(TeamMember.user_id).where(TeamMember.team_id == cast.team.id)))
    taken = Counter((mail["Message-ID"], mail.to) for mail in mailbox())
    explained, codes, reached = set(), Counter(), {}
    notices = session.scalars(select(Notice).order_by(Notice.id)).all()
    assert len(notices) > ACTIONS / 4
    for notice in notices:
        assert notice.planned_at is not None
        recorded = with_deliveries(select(Verdict, OWN, CARRIED)).where(Verdict.notice_id == notice.id)
        found = session.execute(recorded).all()
        if notice.gate_code is None:  # nobody is passed over in silence
            assert {verdict.subject_id for verdict, *_ in found} == members
        lines = {
            line.person: line for line in explaining.explain(session, notice, cast.alice, now=now()).lines
        }
        assert len(lines) == len(found)
        if notice.gate_code != UNDONE:
            arrived = [(own or carried).state == "accepted" for _, own, carried in found if own or carried]
            reached[notice.issue_id] = any(arrived)
        for verdict, own, carried in found:
            delivery = own or carried
            codes[verdict.code] += 1
            assert (own is not None) == (verdict.outcome == "send")
            assert (carried is not None) == (verdict.outcome == "defer")  # nothing is held for ever
            if delivery and delivery.state == "accepted":
                explained.add((delivery.message_id, delivery.address))
            assert any(line.delivery is delivery for line in lines.values()) or delivery is None
    assert explained == set(taken)
    assert set(taken.values()) == {1}
    assert told(session) == {issue_id for issue_id, anybody in reached.items() if anybody}
    assert min(codes["quiet_hours"], codes["batched"], codes["send"]) > 10
