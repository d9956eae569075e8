"""Services that page people, through everything that can go wrong: opened once, closed once, in order."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.channels import CHANNELS
from app.clock import now
from app.domain.pauses import Window
from app.jobs import notify, post
from app.models import Delivery, Destination, Issue, Notice, Verdict
from app.services.calm import maintaining
from app.services.integrations import connecting
from app.services.integrations.connecting import Vault, Wishes
from app.services.sealing import Seal
from tests.support import incidents
from tests.support.contracts import Checking, described
from tests.support.dying import dies_while_it_waits
from tests.support.incidents import API_KEY, KEY, Incidents
from tests.support.receiver import answer, hang_up

A_WHILE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=4)  # between two tries
RINGS = [{"id": "first_seen"}, {"id": "regression"}]


@dataclass(frozen=True)
class Kind:
    name: str
    description: str
    behaves: incidents.Service
    settings: dict


SERVICES = {
    "pagerduty": Kind(
        "pagerduty", "pagerduty-events-v2.ours.yaml", incidents.pagerduty, {"routing_key": KEY}
    ),
    "opsgenie": Kind(
        "opsgenie",
        "opsgenie-alerts.ours.yaml",
        incidents.opsgenie,
        {"api_key": API_KEY, "host": "us", "acknowledge": "yes"},
    ),
    "victorops": Kind(
        "victorops",
        "splunk-oncall-rest.ours.yaml",
        incidents.victorops,
        {"api_key": API_KEY, "routing_key": "database"},
    ),
}


# What the engine does for all of them alike is tried with one.
of_one = pytest.mark.parametrize("service", ["pagerduty"], indirect=True)


@pytest.fixture(params=SERVICES)
def service(request) -> Kind:
    return SERVICES[request.param]


@dataclass
class Provider:
    """The other side: up, down, or taking what it is sent and saying nothing."""

    receiver: object
    behaves: Callable
    kept: Incidents = field(default_factory=Incidents)

    def up(self) -> None:
        self.receiver.usual = self.behaves

    def down(self) -> None:
        self.receiver.usual = answer(500)

    def cut(self) -> None:
        """The next message arrives, and its answer does not."""

        def script(handler) -> None:
            handler.wfile = _Nowhere()
            self.behaves(handler)
            hang_up(handler)

        self.receiver.script(script)

    @property
    def moves(self) -> list[str]:
        """What changed there."""
        return [each for each in self.kept.history if each in ("opened", "acknowledged", "resolved")]


class _Nowhere:
    def write(self, _: bytes) -> None:
        pass

    def flush(self) -> None:
        pass


@pytest.fixture
def provider(receiver, service) -> Iterator[Provider]:
    kept = Incidents()
    found = Provider(receiver, service.behaves(kept), kept)
    found.up()
    checking = Checking(receiver, described(service.description, receiver.base))
    yield found
    assert checking.contract.wrong == []


@pytest.fixture
def pager(app, cast, session, settings, receiver, provider, service, make, monkeypatch) -> Destination:
    """It acknowledges what is assigned; that it resolves is nothing to be switched on."""
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0
    at_once = replace(CHANNELS[service.name].about, pace=timedelta())
    monkeypatch.setattr(CHANNELS[service.name], "about", at_once)
    app.config["SETTINGS"] = replace(settings, **{f"{service.name}_base_url": receiver.base})
    vault = Vault(Seal(settings.credential_keys), settings.outbound_allow)
    wishes = Wishes("Night shift", ["new", "regression", "again", "assigned"], service.settings)
    made, _ = connecting.add(session, cast.shop, service.name, wishes, vault, by=cast.alice, now=make.now)
    make.rule_to(made, conditions=RINGS, condition_match="any", frequency_minutes=0)
    return made


@pytest.fixture
def work(run_jobs):
    """Whatever waits is done, a while later every time."""
    passed = [timedelta()]

    def later(a_while: timedelta = A_WHILE) -> None:
        run_jobs()
        for _ in range(2):
            passed[0] += a_while
            run_jobs.sweep(after=passed[0])

    return later


@pytest.fixture
def the_issue(session):
    def look() -> Issue:
        session.commit()
        return session.scalars(select(Issue).order_by(Issue.id)).first()

    return look


@pytest.fixture
def plan(app, run_jobs, session):
    """Decide about what happened, the latest first if so wanted; nothing is sent yet."""

    def decide(*, latest_first: bool = False) -> None:
        run_jobs.digest()
        session.commit()
        order = Notice.id.desc() if latest_first else Notice.id
        ids = session.scalars(select(Notice.id).where(Notice.planned_at.is_(None)).order_by(order)).all()
        with app.app_context():
            for notice_id in ids:
                notify.run(notice_id)
        session.commit()

    return decide


@pytest.fixture
def dies(app, pager, plan, work, receiver, session):
    """The next message arrives, and its worker is killed before it knows; another one goes on."""

    def die() -> None:
        plan()
        session.refresh(pager)
        pager.held_until = None  # of what was sent later than now
        session.commit()
        dies_while_it_waits(app, post.run, pager.id, receiver=receiver)
        assert states(session, pager)[-1] == "sending"
        work()

    return die


def states(session, pager) -> list[str]:
    session.commit()
    found = select(Delivery.state).where(Delivery.destination_id == pager.id).order_by(Delivery.id)
    return list(session.scalars(found))


def test_opened_acknowledged_and_closed_with_the_issue(
    cast, pager, provider, report, work, acts, the_issue, session
):
    report()
    work()
    acts.resolve(the_issue(), by=cast.bob)
    work()
    report()
    work()
    acts.assign(the_issue(), to=cast.cy, by=cast.bob)
    work()
    acts.resolve(the_issue(), by=cast.bob)
    work()
    assert provider.kept.history == ["opened", "resolved", "opened", "acknowledged", "resolved"]
    assert provider.kept.open == {}
    assert set(states(session, pager)) == {"accepted"}


def test_new_regressed_assigned_resolved_with_all_that_can_go_wrong_in_between(
    cast, pager, provider, report, work, plan, dies, acts, the_issue, session
):
    """That it came back is decided before that it was resolved: it was never closed in between."""
    report()
    dies()
    provider.down()
    acts.resolve(the_issue(), by=cast.bob)
    report()
    plan(latest_first=True)
    work()
    provider.up()
    work(LONGEST_PAUSE)
    acts.assign(the_issue(), to=cast.cy, by=cast.bob)
    provider.cut()
    work()
    acts.resolve(the_issue(), by=cast.bob)
    dies()
    assert [*dict.fromkeys(provider.moves)] == ["opened", "acknowledged", "resolved"]
    assert (provider.moves.count("opened"), provider.moves.count("resolved")) == (1, 1)
    assert provider.kept.open == {}
    assert set(states(session, pager)) == {"accepted"}


def test_killed_with_every_message_on_its_way(cast, pager, provider, report, dies, acts, the_issue, session):
    """Each message arrived, and the worker that sent it died before it knew: each goes out twice."""
    report()
    dies()
    acts.resolve(the_issue(), by=cast.bob)
    dies()
    report()
    dies()
    acts.assign(the_issue(), to=cast.cy, by=cast.bob)
    dies()
    acts.resolve(the_issue(), by=cast.bob)
    dies()
    of_each = [
        ["opened", "repeated"],
        ["resolved", "dropped"],
        ["opened", "repeated"],
        ["acknowledged", "acknowledged"],
        ["resolved", "dropped"],
    ]
    assert provider.kept.history == [each for two in of_each for each in two]
    assert provider.kept.open == {}
    assert set(states(session, pager)) == {"accepted"}


def test_with_every_answer_lost(cast, pager, provider, report, work, acts, the_issue, session):
    report()
    provider.cut()
    work()
    acts.assign(the_issue(), to=cast.cy, by=cast.bob)
    provider.cut()
    work()
    acts.resolve(the_issue(), by=cast.bob)
    provider.cut()
    work()
    assert provider.moves[0] == "opened"
    assert provider.moves[-1] == "resolved"
    assert (provider.moves.count("opened"), provider.moves.count("resolved")) == (1, 1)
    assert set(states(session, pager)) == {"accepted"}


def test_down_from_the_resolution_on_all_comes_in_order_afterwards(
    cast, pager, provider, report, work, acts, the_issue, session
):
    report()
    work()
    provider.down()
    acts.resolve(the_issue(), by=cast.bob)
    work()
    report()
    work()
    acts.assign(the_issue(), to=cast.cy, by=cast.bob)
    work()
    assert provider.kept.history == ["opened"]
    provider.up()
    work(LONGEST_PAUSE)
    acts.resolve(the_issue(), by=cast.bob)
    work()
    assert provider.kept.history == ["opened", "resolved", "opened", "acknowledged", "resolved"]


@of_one
def test_down_all_the_time_nobody_is_paged_for_what_is_settled(
    cast, pager, provider, report, work, acts, the_issue, session
):
    provider.down()
    report()
    work()
    acts.assign(the_issue(), to=cast.cy, by=cast.bob)
    acts.resolve(the_issue(), by=cast.bob)
    work()
    provider.up()
    work(LONGEST_PAUSE)
    assert provider.moves == []
    assert provider.kept.open == {}
    assert set(states(session, pager)) <= {"cancelled", "accepted"}


@of_one
def test_a_resolution_that_is_decided_late_does_not_close_what_is_open_again(
    cast, pager, provider, report, work, plan, acts, the_issue
):
    report()
    work()
    acts.resolve(the_issue(), by=cast.bob)
    report()
    plan(latest_first=True)
    work()
    assert provider.kept.history == ["opened", "repeated"]


@of_one
def test_what_is_ignored_or_deleted_is_closed(cast, pager, provider, report, work, acts, session):
    for number in range(2):
        report(f"Error{number}: cart")
    work()
    first, second = session.scalars(select(Issue).order_by(Issue.id))
    acts.ignore(first, by=cast.bob)
    acts.bulk([second], "delete", by=cast.alice, sure="yes")
    work()
    assert provider.kept.history == ["opened", "opened", "resolved", "resolved"]


@of_one
def test_assigning_what_is_not_open_there_says_nothing(
    cast, pager, provider, issue, acts, work, session, receiver
):
    acts.assign(issue, to=cast.cy, by=cast.bob)
    work()
    assert receiver.taken == []
    assert session.scalars(select(Verdict).where(Verdict.subject == "destination")).all() == []


@of_one
def test_assigning_acknowledges_nothing_where_it_is_not_switched_on(
    cast, pager, provider, report, work, acts, the_issue, session
):
    pager.kinds = ["new", "regression"]
    report()
    work()
    acts.assign(the_issue(), to=cast.cy, by=cast.bob)
    work()
    assert provider.kept.history == ["opened"]


@of_one
def test_in_a_storm_each_issue_has_its_own_incident(pager, provider, report, work, session):
    for number in range(25):
        report(f"Error{number}: cart")
    for _ in range(4):
        work()
    assert session.scalar(select(Notice.id).where(Notice.kind == "storm"))
    assert len(provider.kept.open) == 25
    codes = select(Verdict.code).where(Verdict.subject == "destination", Verdict.subject_id == pager.id)
    assert set(session.scalars(codes)) == {"send"}


@of_one
def test_after_a_maintenance_each_issue_that_is_left_is_opened_once(
    cast, pager, provider, report, work, run_jobs, acts, session
):
    at = now()
    window = Window(at, at + timedelta(hours=1))
    maintaining.create(session, cast.shop, window, reason="Moving", by=cast.alice, now=at, via="web")
    for number in range(3):
        report(f"Error{number}: cart")
    run_jobs()
    first, second, _ = session.scalars(select(Issue).order_by(Issue.id)).all()
    acts.resolve(first, by=cast.bob)
    acts.resolve(second, by=cast.bob)
    run_jobs()
    report("Error1: cart")
    run_jobs()
    assert provider.kept.history == []
    for minutes in (61, 62, 63):
        run_jobs.sweep(after=timedelta(minutes=minutes))
    assert provider.kept.history == ["opened", "opened"]
    session.expire_all()
    found = select(Verdict.outcome, Verdict.code).where(Verdict.subject == "destination")
    told = sorted(tuple(row) for row in session.execute(found.where(Verdict.subject_id == pager.id)))
    assert told == [
        ("collapse", "project_paused"),
        ("send", "send"),
        ("send", "send"),
        ("skip", "no_longer_open"),
    ]


@of_one
def test_what_was_settled_while_it_was_switched_off_is_closed_once_it_is_on_again(
    cast, pager, provider, report, work, acts, the_issue, as_user, session
):
    for number in range(4):
        report(f"Error{number}: cart")
    work()
    work()
    settings = f"/acme/shop/settings/integrations/{pager.id}/switch"
    as_user(cast.alice).post(settings, data={"enabled": "no"})
    first, second, third, _ = session.scalars(select(Issue).order_by(Issue.id)).all()
    acts.resolve(first, by=cast.bob)
    acts.resolve(second, by=cast.bob)
    acts.bulk([third], "delete", by=cast.alice, sure="yes")
    work()
    report("Error1: cart")
    work()
    assert len(provider.kept.open) == 4
    as_user(cast.alice).post(settings, data={"enabled": "yes"})
    for _ in range(3):
        work()
    assert len(provider.kept.open) == 2
    assert provider.moves.count("resolved") == 2


@of_one
def test_a_resolve_that_was_given_up_with_the_integration_goes_out_when_it_works_again(
    cast, pager, provider, report, work, acts, the_issue, as_user, receiver, session
):
    report()
    work()
    receiver.usual = incidents.refused(400, {"errors": ["routing_key"]})
    acts.resolve(the_issue(), by=cast.bob)
    work()
    session.refresh(pager)
    assert not pager.enabled
    provider.up()
    settings = f"/acme/shop/settings/integrations/{pager.id}/switch"
    as_user(cast.alice).post(settings, data={"enabled": "yes"})
    work()
    assert provider.kept.open == {}


of_opsgenie = pytest.mark.parametrize("service", ["opsgenie"], indirect=True)
TAKEN = incidents.refused(202, {"result": "Request will be processed", "took": 0.1, "requestId": "first"})
UNKNOWN = incidents.refused(200, {"data": {"isSuccess": False, "status": "Responder not found"}})


@of_opsgenie
def test_an_alert_that_is_refused_after_it_was_taken_goes_out_in_a_bare_form(
    pager, provider, report, work, receiver, session
):
    receiver.script(TAKEN, UNKNOWN)
    report()
    work()
    assert provider.kept.history == ["opened"]
    full, bare = (json.loads(each.body) for each in receiver.taken if each.method == "POST")
    assert "details" in full
    assert "details" not in bare
    assert states(session, pager) == ["accepted"]
    session.refresh(pager)
    assert pager.state == "ok"


@of_opsgenie
def test_what_arrived_and_is_asked_about_yet_is_closed_after_that(
    cast, pager, provider, report, run_jobs, work, acts, the_issue, receiver, session
):
    """The issue was resolved within the seconds in between: the alert counts as sent all the same."""
    report()
    run_jobs()
    assert states(session, pager) == ["deferred"]
    acts.resolve(the_issue(), by=cast.bob)
    work()
    assert provider.kept.history == ["opened", "resolved"]
    assert states(session, pager) == ["accepted", "accepted"]
    codes = select(Verdict.code).where(Verdict.subject == "destination", Verdict.subject_id == pager.id)
    assert set(session.scalars(codes)) == {"send"}
