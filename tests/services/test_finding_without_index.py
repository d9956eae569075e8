"""Words are found, only slower, where PostgreSQL's operator gives Tocsin no index of them."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, inspect
from sqlalchemy.orm import Session

from app.domain import search
from app.services.issues import finding
from app.services.issues.finding import Scope
from tests.conftest import NOON
from tests.make import Make
from tests.support import cast as casting
from tests.support import databases

pytestmark = pytest.mark.on_postgresql
NAME = "without_extensions"


@pytest.fixture(scope="module")
def restricted(postgresql_server) -> Iterator[Engine]:
    """A database whose user may make tables there, and no extension."""
    for statement in (
        f"DROP DATABASE IF EXISTS {NAME}",
        f"DROP ROLE IF EXISTS {NAME}",
        f"CREATE ROLE {NAME} LOGIN",
        f"CREATE DATABASE {NAME}",
    ):
        postgresql_server.execute(statement)
    url = postgresql_server.url(NAME)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"GRANT ALL ON SCHEMA public TO {NAME}")
    own = url.replace("//tocsin@", f"//{NAME}@")
    databases.migrated(own)
    engine = create_engine(own)
    yield engine
    engine.dispose()


def test_its_tables_stand_without_the_index(restricted):
    assert "ix_issue_texts_trigrams" not in {
        index["name"] for index in inspect(restricted).get_indexes("issue_texts")
    }


@pytest.mark.parametrize(
    ("text", "found"),
    {
        "cart": ["KeyError: cart"],
        "CART is:unresolved": ["KeyError: cart"],
        "ca": ["KeyError: cart"],
        "basket": [],
    }.items(),
)
def test_words_are_found_all_the_same(restricted, text, found):
    with Session(restricted) as session:
        make = Make(session, NOON)
        people = casting.made(make)
        for title in ("KeyError: cart", "KeyError: user"):
            make.issue(people.shop, title=title, culprit="shop.checkout")
        session.flush()
        scope = Scope(people.alice, people.acme, people.shop)
        query = search.parse(text, me=people.alice.id)
        page = finding.find(session, scope, query, now=NOON + timedelta(hours=1))
        assert [row.issue.title for row in page.rows] == found
        session.rollback()
