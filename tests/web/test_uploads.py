"""The pages of what was uploaded for a project: what there is, what is wrong with it, and taking it back."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.models import ArtifactBundle, ArtifactBundleProject, ArtifactBundleRelease, ArtifactFile

PAGE = "/acme/shop/settings/uploads/"


@pytest.fixture
def upload(session, cast, now):
    """`upload(shop, …)`: a bundle with two files, of a release."""

    def made(*projects, number=1, version="shop@1", state="ok", detail=""):
        row = ArtifactBundle(
            organization_id=cast.acme.id,
            checksum=f"{number:040x}",
            is_archive=True,
            chunks=[],
            state=state,
            detail=detail,
            uploaded_at=now + timedelta(minutes=number),
            used_at=now,
        )
        session.add(row)
        session.flush()
        for project in projects:
            session.add(ArtifactBundleProject(bundle_id=row.id, project_id=project.id))
        session.add(ArtifactBundleRelease(bundle_id=row.id, version=version, dist="7"))
        for kind, url in (("minified_source", "~/app.min.js"), ("source_map", "~/<b>app.js.map")):
            file = {"bundle_id": row.id, "kind": kind, "url": url, "debug_id": "ab" * 16, "member": "m"}
            session.add(ArtifactFile(**file, source_map="", size=1500, headers={}, created_at=now))
        session.commit()
        return row

    return made


def test_the_list_says_what_there_is_and_what_is_wrong(as_user, cast, upload):
    fine, broken = upload(cast.shop), upload(cast.shop, number=2, state="error", detail="It is no archive.")
    page = as_user(cast.bob).page(PAGE)
    assert [row["id"] for row in page.select("tbody tr")] == [f"upload-{broken.id}", f"upload-{fine.id}"]
    said = page.select_one(f"#upload-{fine.id}").get_text(" ", strip=True)
    for word in ("~/app.min.js", "ready", "shop@1", "dist 7", "2", "3.0\u00a0kB", "not used yet"):
        assert word in said
    assert "It is no archive." in page.select_one(f"#upload-{broken.id}").text
    assert "~/app.min.js" in as_user(cast.bob).page(f"{PAGE}{fine.id}/").text


def test_it_is_narrowed_to_a_release_and_empty_says_what_to_do(as_user, make, cast, upload):
    make.release(cast.shop, "shop@1")
    empty = as_user(cast.bob).page(PAGE)
    assert "sentry-cli sourcemaps upload ./dist" in empty.text
    lines = empty.select_one("#upload-command").text.splitlines()
    assert [line.count("SENTRY_") for line in lines] == [1, 1, 1, 1, 0, 0]
    for made in ("/acme/settings/tokens/", "/settings/account/tokens/"):
        assert empty.main.find("a", href=made)
    assert "None yet" in as_user(cast.bob).page("/acme/shop/releases/shop@1/").text
    upload(cast.shop)
    upload(cast.shop, number=2, version="shop@2")
    assert len(as_user(cast.bob).page(f"{PAGE}?release=shop@1").select("tbody tr")) == 1
    assert "--release 'shop@3'" in as_user(cast.bob).page(f"{PAGE}?release=shop@3").text
    assert f"{PAGE}?release=shop@1" in as_user(cast.bob).get("/acme/shop/releases/shop@1/").text


def test_an_admin_deletes_it_for_the_project_and_the_last_one_for_good(as_user, session, make, cast, upload):
    billing = make.project(cast.acme, "billing", teams=[cast.team])
    row = upload(cast.shop, billing)
    browser = as_user(cast.alice)
    assert "It stays for Billing" in browser.page(f"{PAGE}{row.id}/delete").get_text(" ", strip=True)
    assert browser.post(f"{PAGE}{row.id}/delete").status_code == 303
    assert session.scalars(select(ArtifactBundleProject.project_id)).all() == [billing.id]
    assert browser.get(f"{PAGE}{row.id}/").status_code == 404
    assert browser.post(f"/acme/billing/settings/uploads/{row.id}/delete").status_code == 303
    assert session.scalars(select(ArtifactBundle.id)).all() == []


@pytest.mark.parametrize(("person", "seen"), [("bob", 200), ("dee", 404), ("charlie", 404)])
def test_members_see_it_and_delete_nothing(as_user, session, cast, upload, person, seen):
    row = upload(cast.shop)
    browser = as_user(getattr(cast, person))
    assert [browser.get(path).status_code for path in (PAGE, f"{PAGE}{row.id}/")] == [seen, seen]
    assert browser.get(f"{PAGE}{row.id}/delete").status_code == 404
    assert browser.post(f"{PAGE}{row.id}/delete").status_code == 404
    assert session.scalars(select(ArtifactBundle.id)).all() == [row.id]


def test_pages_hold_twenty_five(as_user, cast, upload):
    for number in range(26):
        upload(cast.shop, number=number)
    assert len(as_user(cast.bob).page(PAGE).select("tbody tr")) == 25
    assert len(as_user(cast.bob).page(f"{PAGE}?page=2").select("tbody tr")) == 1
    assert as_user(cast.bob).get(f"{PAGE}?page=x").status_code == 200
