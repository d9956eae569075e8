"""The job that makes bundles of the chunks that were uploaded, and forgets both in time."""

import time
from datetime import datetime, timedelta

from flask import current_app

from app.clock import now
from app.db import reading, transaction
from app.jobs import doorbell
from app.services.pruning import CHUNK
from app.services.releases import artifacts, assembling, chunking
from app.services.releases.shelf import Shelf

MOST = 100
# Portions of one sweep.
PORTIONS = 100
DRAFT_SECONDS = 24 * 3600


def shelf() -> Shelf:
    return Shelf(current_app.config["SETTINGS"].tocsin_data_dir)


def run(*bundle_ids: int) -> None:
    """Make these bundles. Safe to run twice, and at the same time."""
    for bundle_id in bundle_ids:
        with transaction() as session:
            work = assembling.claim(session, bundle_id, now=now())
        if work is not None:
            with assembling.build(shelf(), work) as built, transaction() as session:
                assembling.settle(session, shelf(), work, built, now=now())


def sweep(at: datetime) -> None:
    """Wake workers for what nobody was woken for, or one died over."""
    with reading() as session:
        waiting = assembling.waiting(session, now=at, limit=MOST)
    doorbell.assemble(waiting)


def forget(at: datetime) -> None:
    """Chunks after a day, bundles once no event has used them for as long as events are kept."""
    kept = timedelta(days=current_app.config["SETTINGS"].event_retention_days)
    for _ in range(PORTIONS):
        with transaction() as session:
            done = chunking.forget(session, shelf(), before=at - chunking.KEPT)
        if done < CHUNK:
            break
    for _ in range(PORTIONS):
        with transaction() as session:
            done = artifacts.forget(session, shelf(), unused_since=at - kept, now=at)
        if done < artifacts.PORTION:
            break
    with reading() as session:
        gone = artifacts.gone_organizations(session, shelf().organizations())
    for organization_id in gone:
        shelf().forget_organization(organization_id)
    shelf().forget_drafts(before=time.time() - DRAFT_SECONDS)
