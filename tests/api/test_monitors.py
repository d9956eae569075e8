"""Monitors and check-ins as programs read them."""

from datetime import timedelta

MONITORS = "/organizations/acme/monitors/"


def test_a_monitor_has_what_clients_look_at(api, cast, make, session):
    made = make.check_in(cast.shop, duration=1.5, release="jobs@1.2")
    [row] = api.read(MONITORS)
    assert (row["id"], row["slug"], row["name"], row["status"]) == (
        str(made.id),
        "nightly-backup",
        "nightly-backup",
        "active",
    )
    assert row["config"]["schedule"] == [1, "hour"]
    [environment] = row["environments"]
    assert (environment["name"], environment["status"]) == ("production", "ok")
    assert environment["nextCheckIn"] < environment["nextCheckInLatest"]
    assert api.read(f"{MONITORS}nightly-backup/") == row
    assert api.read(f"{MONITORS}{made.id}/") == row
    assert api.read("/projects/acme/shop/monitors/nightly-backup/") == row
    assert api.read("/projects/acme/shop/monitors/") == [row]


def test_check_ins_are_listed_newest_first_and_by_pages(api, cast, make, now):
    for minute, status in enumerate(("ok", "error", "in_progress")):
        at = now + timedelta(minutes=minute)
        make.check_in(cast.shop, status, at=at, environment="staging" if minute else "production")
    path = f"{MONITORS}nightly-backup/checkins/"
    found = api.read(path)
    assert [each["status"] for each in found] == ["in_progress", "error", "ok"]
    assert found[1]["eventID"] is not None
    assert [each["status"] for each in api.read(f"{path}?environment=production")] == ["ok"]
    answer = api.get(f"{path}?per_page=2")
    assert len(answer.json) == 2
    assert 'rel="next"; results="true"' in answer.headers["Link"]


def test_a_slug_of_several_projects_wants_the_project_named(api, cast, make):
    billing = make.project(cast.acme, "billing", teams=[cast.team])
    make.check_in(cast.shop)
    make.check_in(billing)
    answer = api.get(f"{MONITORS}nightly-backup/")
    assert answer.status_code == 400
    assert "project=" in answer.json["detail"]
    named = api.read(f"{MONITORS}nightly-backup/?project=billing")
    assert named["project"]["slug"] == "billing"
    assert len(api.read(f"{MONITORS}?project=-1")) == 2
    assert [each["project"]["slug"] for each in api.read(f"{MONITORS}?project=shop")] == ["shop"]
    assert api.get(f"{MONITORS}?project=nothing").status_code == 404


def test_a_project_may_be_named_twice(api, cast):
    assert api.read(f"/organizations/acme/monitors/?project=shop&project={cast.shop.id}") == []
