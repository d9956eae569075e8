"""What an operator types: `flask users create`, `flask doctor` and so on.

With `--json` a command prints one JSON object and nothing else. An error is one line on standard error, and
exit status 1.
"""

import json
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import doctor as checks
from app.api import shapes
from app.clock import now
from app.db import transaction
from app.domain import scopes as known_scopes
from app.domain.errors import Refused
from app.jobs import scheduler
from app.models import Organization, Team, User
from app.services.mails import inbound as mail_in
from app.services.notices import answering, retrying
from app.services.people import accounts, workspaces
from app.services.people import tokens as api_tokens
from app.settings import Settings

Result = dict[str, Any]


def init_app(app: Flask) -> None:
    for command in (users, orgs, teams, projects, tokens, deliveries, notices, doctor, inbound, sweep, slack):
        app.cli.add_command(command)


class OneLine(click.Command):
    """A command whose mistyped arguments are answered as all its errors are: in one line, with status 1."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            raise click.ClickException(error.format_message()) from error


def reporting(verb: Callable[..., Result]) -> Callable[..., None]:
    """Add `--json`, print what the command returns, and turn what it raises into one line."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @wraps(verb)
    def report(*args: Any, as_json: bool, **kwargs: Any) -> None:
        try:
            result = verb(*args, **kwargs)
        except Refused as error:
            raise click.ClickException(error.message) from error
        except SQLAlchemyError as error:
            raise click.ClickException(
                f"The database: {checks.first_line(error)}. Try flask doctor."
            ) from error
        click.echo(json.dumps(result) if as_json else in_words(result))

    return report


def in_words(result: Result) -> str:
    return "\n".join(line for name, value in result.items() for line in _lines_of(name, value))


def _lines_of(name: str, value: Any) -> list[str]:
    """A list is a table: a line for each object in it, without what is empty."""
    if not isinstance(value, list):
        return [f"{name}: {value}"]
    return ["  ".join(str(cell) for cell in row.values() if cell) for row in value]


users = AppGroup("users", help="Accounts.")
slack = AppGroup("slack", help="Slack, where it cannot reach this instance.")
orgs = AppGroup("orgs", help="Organizations.")
teams = AppGroup("teams", help="Teams.")
projects = AppGroup("projects", help="Projects.")
tokens = AppGroup("tokens", help="Tokens for the API.")
deliveries = AppGroup("deliveries", help="Messages on their way out.")
notices = AppGroup("notices", help="What people were told, and why.")


@users.command("create", cls=OneLine)
@click.argument("email")
@click.option("--name", default="", help="Full name; the address's local part if not given.")
@click.option("--password", help="Without one, a link is printed with which the person chooses it.")
@click.option("--superuser", is_flag=True, help="May see and do everything.")
@click.option("--verified", is_flag=True, help="The address needs no proof: mail goes there at once.")
@reporting
def create_user(email: str, name: str, password: str | None, superuser: bool, verified: bool) -> Result:
    """Make an account. An existing one stays as it is."""
    with transaction() as session:
        user = accounts.find_user(session, email) or accounts.create_user(
            session,
            email=email,
            name=name,
            password=password,
            superuser=superuser,
            verified=verified,
            now=now(),
        )
        result: Result = {"id": user.id, "email": user.email}
        if user.password_hash is None:
            secret = accounts.make_link(session, "password", user=user, now=now())
            result["setup_url"] = f"{settings().tocsin_url}/auth/password/{secret}/"
    return result


@orgs.command("create", cls=OneLine)
@click.argument("slug")
@click.option("--name", default="", help="As people say it; the slug if not given.")
@click.option("--owner", help="Address of a person who becomes its owner.")
@reporting
def create_organization(slug: str, name: str, owner: str | None) -> Result:
    """Make an organization. An existing one gains the owner, and stays as it is otherwise."""
    with transaction() as session:
        person = user_of(session, owner) if owner else None
        organization = workspaces.find_organization(session, slug)
        if organization is None:
            organization = workspaces.create_organization(session, slug=slug, name=name, now=now())
        if person:
            workspaces.add_member(session, organization, person, role="owner", now=now())
    return {"id": organization.id, "slug": organization.slug}


@teams.command("create", cls=OneLine)
@click.argument("slug")
@click.option("--org", required=True, help="Slug of its organization.")
@click.option("--member", multiple=True, help="Address of a member; may be given several times.")
@reporting
def create_team(slug: str, org: str, member: Sequence[str]) -> Result:
    """Make a team. An existing one gains the members, who join its organization too."""
    with transaction() as session:
        organization = organization_of(session, org)
        team = workspaces.find_team(session, organization, slug) or workspaces.create_team(
            session, organization, slug=slug, now=now()
        )
        for email in member:
            workspaces.add_to_team(session, team, user_of(session, email), now=now())
    return {"id": team.id, "slug": team.slug}


@projects.command("create", cls=OneLine)
@click.argument("slug")
@click.option("--org", required=True, help="Slug of its organization.")
@click.option("--team", multiple=True, help="Slug of a team that works on it; may be given several times.")
@click.option("--platform", default="other", help="Such as python, javascript, node.")
@reporting
def create_project(slug: str, org: str, team: Sequence[str], platform: str) -> Result:
    """Make a project with a key and the default alert rule. An existing one is given to the teams."""
    with transaction() as session:
        organization = organization_of(session, org)
        teams = [team_of(session, organization, each) for each in team]
        project = workspaces.find_project(session, organization, slug) or workspaces.create_project(
            session, organization, slug=slug, platform=platform, teams=teams, now=now()
        )
        for each in teams:
            workspaces.give_to_team(session, project, each)
        key = workspaces.default_key(session, project)
        dsn = workspaces.dsn(settings().tocsin_url, key, project) if key else None
    return {"id": project.id, "slug": project.slug, "dsn": dsn}


@tokens.command("create", cls=OneLine)
@click.argument("email", required=False)
@click.option("--org", help="Slug of an organization, instead of a person: for build servers.")
@click.option("--scope", multiple=True, help="May be given several times; all scopes if not given.")
@click.option("--name", default="", help="What the token is for.")
@reporting
def create_token(email: str | None, org: str | None, scope: Sequence[str], name: str) -> Result:
    """Make a token for the API, of a person or of an organization. It is shown this once."""
    if (email is None) == (org is None):
        raise Refused("Whose is the token to be? Give a person’s address, or --org.")
    if org and scope:
        raise Refused("An organization’s own token has the scope org:ci, and no other.")
    with transaction() as session:
        if org:
            organization, url = organization_of(session, org), settings().tocsin_url
            _, text = api_tokens.give_organization(session, organization, name=name, url=url, now=now())
        else:
            person, given = user_of(session, email or ""), scope or known_scopes.SCOPES
            _, text = api_tokens.give_person(session, person, name=name, given=given, now=now())
    return {"token": text}


@tokens.command("revoke", cls=OneLine)
@click.argument("token")
@reporting
def revoke_token(token: str) -> Result:
    """End a token that came into the wrong hands: its whole text. One that has ended already stays so."""
    with transaction() as session:
        row = api_tokens.find_any(session, token)
        if row is None:
            raise Refused("There is no such token.")
        api_tokens.revoke(session, row, by=None, now=now())
        owner = row.user.email if row.user else row.organization and row.organization.slug
    return {"revoked": row.called, "owner": owner}


@deliveries.command("retry", cls=OneLine)
@click.option("--failed", is_flag=True, help="Also those that were given up.")
@click.option("--destination", help="Only those to this address.")
@reporting
def retry_deliveries(failed: bool, destination: str | None) -> Result:
    """Send now what waits for another try."""
    with transaction() as session:
        return {"requeued": retrying.requeue(session, failed=failed, destination=destination, now=now())}


@notices.command("why", cls=OneLine)
@click.option("--issue", "short_id", required=True, help="Such as SHOP-1.")
@click.option("--user", "email", required=True, help="Address of the person.")
@click.option("--org", help="Slug; needed where several organizations have an issue of that name.")
@reporting
def why(short_id: str, email: str, org: str | None) -> Result:
    """Say for every notice of an issue whether it reached a person, and why or why not."""
    with transaction() as session:
        organization = organization_of(session, org) if org else None
        issue = answering.find_issue(session, short_id, organization)
        person = user_of(session, email)
        answering.note_lookup(session, issue, of=person, by=None, now=now(), via="command line")
        replies = answering.why(session, issue, person, own=False, now=now())
        return {
            "issue": issue.short_id,
            "user": person.email,
            "answers": [shapes.reply(each) for each in replies],
        }


@click.command(cls=OneLine)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def doctor(as_json: bool) -> None:
    """Check all that Tocsin stands on, and say how to mend what is wrong."""
    found = checks.examine(current_app)
    report = checks.report(found)
    click.echo(json.dumps(report) if as_json else "\n".join(_line(check) for check in found))
    if not report["ok"]:
        raise SystemExit(1)


def _line(check: checks.Check) -> str:
    return f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.detail}{check.fix and f'. {check.fix}'}"


@click.command(cls=OneLine)
@reporting
@with_appcontext
def inbound() -> Result:
    """Take a mail that somebody sent to Tocsin, its source on standard input: for a mail server's pipe."""
    raw = sys.stdin.buffer.read(mail_in.LARGEST + 1)
    with transaction() as session:
        message_id = mail_in.keep(session, raw, now=now())
    if message_id is None:
        return {"message": "known already"}
    return {"message": message_id}


@click.command(cls=OneLine)
@reporting
@with_appcontext
def sweep() -> Result:
    """Do all that is due, once, now: what the scheduler does every few seconds."""
    return dict(scheduler.sweep_once())


@slack.command("listen", cls=OneLine)
@with_appcontext
def listen_to_slack() -> None:
    """Keep a connection to Slack open, for integrations with an app-level token, until Ctrl-C or SIGTERM."""
    from app.jobs import slack_listener  # its library is of use to nobody else

    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    slack_listener.run(app)


def settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found


def user_of(session: Session, email: str) -> User:
    user = accounts.find_user(session, email)
    if user is None:
        raise Refused(f"There is no account for {email}: flask users create {email} makes one.")
    return user


def organization_of(session: Session, slug: str) -> Organization:
    organization = workspaces.find_organization(session, slug)
    if organization is None:
        raise Refused(f"There is no organization {slug}: flask orgs create {slug} makes one.")
    return organization


def team_of(session: Session, organization: Organization, slug: str) -> Team:
    team = workspaces.find_team(session, organization, slug)
    if team is None:
        raise Refused(
            f"There is no team {slug} in {organization.slug}: "
            f"flask teams create {slug} --org {organization.slug} makes one."
        )
    return team
