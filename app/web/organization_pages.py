"""The pages of an organization, as the header and the columns of links list them."""

from typing import NamedTuple

from flask import url_for

from app.models import Organization
from app.web.issues.blueprint import EVERYWHERE

# What it is called, where it is, and what a page says that is it.
Page = tuple[str, str, str]


class Pages(NamedTuple):
    """What is to be read, and what is to be set."""

    contents: tuple[Page, ...]
    settings: tuple[Page, ...]


def of(organization: Organization) -> Pages:
    slug = organization.slug
    return Pages(
        contents=(
            ("All issues", url_for("issues.stream", org=slug, slug=EVERYWHERE), "issues"),
            ("Releases", url_for("releases.of_organization", org=slug), "releases"),
        ),
        settings=(
            ("Organization settings", url_for("organization.general", org=slug), "organization"),
            ("New projects", url_for("rules.templates", org=slug), "starting"),
            ("Members", url_for("members.people", org=slug), "members"),
            ("Teams", url_for("members.teams", org=slug), "teams"),
            ("Repositories", url_for("repositories.show", org=slug), "repositories"),
            ("API tokens", url_for("tokens.show", org=slug), "tokens"),
        ),
    )
