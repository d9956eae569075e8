"""How releases, commits and deploys look in the API. Clients look for all of it, null or not."""

from datetime import datetime

from app.api.shapes import moment
from app.api.types.releases import CommitJson, DeployJson, ReleaseJson, RepositoryJson
from app.domain import commits, versions
from app.models import Commit, Deploy, Release, Repository
from app.services.releases.releasing import Facts


def release(row: Release, facts: Facts) -> ReleaseJson:
    last_deploy = facts.last_deploy
    return {
        "id": row.id,
        "version": row.version,
        "shortVersion": versions.short(row.version),
        "url": (facts.is_owner and row.url) or None,
        "ref": (facts.is_owner and row.ref) or None,
        "status": row.status,
        "dateCreated": moment(row.date_added),
        "dateReleased": moment(row.date_released),
        "newGroups": facts.new_issues,
        "commitCount": facts.commits,
        "deployCount": facts.deploys,
        "lastCommit": commit(facts.last_commit) if facts.last_commit else None,
        "lastDeploy": deploy(last_deploy) if last_deploy else None,
        "firstEvent": moment(facts.first_event_at),
        "lastEvent": moment(facts.last_event_at),
        "authors": [{"name": name, "email": email} for name, email in facts.authors],
        "projects": [{"id": str(each.id), "slug": each.slug, "name": each.name} for each in facts.projects],
    }


def commit(row: Commit) -> CommitJson:
    return {
        "id": row.key,
        "message": row.message,
        "dateCreated": moment(row.date_added),
        "author": {"name": row.author_name, "email": row.author_email},
        "repository": {"id": str(row.repository_id), "name": row.repository.name},
        "url": commits.page(row.repository.url, row.repository.provider, row.key) or None,
    }


def deploy(row: Deploy) -> DeployJson:
    return {
        "id": str(row.id),
        "environment": row.environment,
        "name": row.name or None,
        "url": row.url or None,
        "dateStarted": moment(row.date_started),
        "dateFinished": moment(row.date_finished),
    }


def repository(row: Repository, *, since: datetime) -> RepositoryJson:
    """Of a provider that no client knows, whatever it is; `since`: clients want a time, known or not."""
    return {
        "id": str(row.id),
        "name": row.name,
        "url": row.url or None,
        "provider": {"id": "unknown", "name": "Unknown Provider"},
        "status": "active",
        "dateCreated": moment(row.created_at or since),
    }
