"""Five hundred actions of a team: what Explain says is what the mail server took, person by person, once."""

import random
from collections import Counter

from sqlalchemy import select

from app.clock import now
from app.domain import lifecycle
from app.models import Issue, Notice, TeamMember, Verdict
from app.services import explaining, muting, preferring
from app.services.verdicts import OWN

ACTIONS, SEED, SETTLE_EVERY = 500, 20261123, 25
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
        what = self.chance.choice(["event", "event", "move", "assign", "comment", "follow", "choose", "mute"])
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
        preferring.choose(self.session, who, category, value, project=project, via="page", now=now())
        self.session.commit()

    def _mute(self, issue, who, _number):
        muting.mute(self.session, issue, user=who, event_limit=1000, now=now())
        self.session.commit()


def test_explain_and_the_mail_servers_log_agree_person_by_person(
    session, cast, acts, report, run_jobs, mailbox
):
    team = Team(random.Random(SEED), session, cast, acts, report)
    for number in range(ACTIONS):
        team.act(number)
        if number % SETTLE_EVERY == 0:
            run_jobs()
    run_jobs()
    session.commit()

    members = set(session.scalars(select(TeamMember.user_id).where(TeamMember.team_id == cast.team.id)))
    taken = Counter((mail["Message-ID"], mail.to) for mail in mailbox())
    explained = Counter()
    notices = session.scalars(select(Notice)).all()
    assert len(notices) > ACTIONS / 4
    for notice in notices:
        assert notice.planned_at is not None
        own = select(Verdict, OWN).outerjoin(OWN, OWN.verdict_id == Verdict.id)
        found = session.execute(own.where(Verdict.notice_id == notice.id)).all()
        if notice.gate_code is None:  # nobody is passed over in silence
            assert {verdict.subject_id for verdict, _ in found} == members
        lines = {
            line.person: line for line in explaining.explain(session, notice, cast.alice, now=now()).lines
        }
        assert len(lines) == len(found)
        for verdict, delivery in found:
            assert (delivery is not None) == (verdict.outcome == "send")
            if delivery and delivery.state == "accepted":
                explained[delivery.message_id, delivery.address] += 1
            assert any(line.delivery is delivery for line in lines.values()) or delivery is None
    assert explained == taken
    assert set(taken.values()) == {1}
