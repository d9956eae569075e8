"""Search terms for the text of issues and for what their events said, as conditions on `Issue`.

What few issues have is looked up first, and then the issues; where many have it, the issues are walked in
their order until a page is full. PostgreSQL knows by itself which of the two is quicker. SQLite is told, or
left to find out as it walks, which takes longer by looking at every issue once and spares a query.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    column,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    table,
    true,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain import traits
from app.domain.search.terms import Attribute, Pattern, Tag, Term, Words
from app.models import Issue, IssueTag, IssueText, IssueTrait

Condition = ColumnElement[bool]

# More issues than these are many. The index of words has runs of three characters.
MANY, RUN = 2000, 3
# What an event says of itself as a tag would, and the issue keeps in a column.
COLUMNS: Mapping[str, InstrumentedAttribute[str] | InstrumentedAttribute[str | None]] = {
    "title": Issue.title,
    "message": Issue.message,
    "culprit": Issue.culprit,
    "platform": Issue.platform,
    "first_release": Issue.first_release,
}
WORDS = table("issue_words", column("rowid", Integer), column("issue_words"))
USER_KEYS: Sequence[str] = traits.named("user")


def within(ids: Select[int]) -> Condition:
    """The issues with these ids."""
    return Issue.id.in_(ids)


def common(session: Session, terms: Iterable[Term]) -> frozenset[Term]:
    """Those of the terms that many issues meet. One query, if any at all."""
    asked = {term: ids for term in terms if (ids := _ids_for(term)) is not None}
    if not asked:
        return frozenset()
    counts = [
        select(func.count()).select_from(ids.limit(MANY).subquery()).scalar_subquery()
        for ids in asked.values()
    ]
    found = session.execute(select(*counts)).one()
    return frozenset(term for term, count in zip(asked, found, strict=True) if count == MANY)


def _ids_for(term: Term) -> Select[int] | None:
    """The issues that have what it asks for, where that is worth knowing first."""
    if not isinstance(term, Attribute | Tag) or term.key is None or term.negated != term.pattern.is_unset:
        return None
    if isinstance(term, Attribute) and term.key in (*COLUMNS, "user", "level"):
        return None
    if isinstance(term, Attribute) and term.key in traits.KEYS:
        return _kept(term.key, term.pattern) if term.pattern.is_unset else None
    return _tagged(term.key, term.pattern)


def of(term: Attribute | Tag, *, is_common: bool) -> Condition:
    if isinstance(term, Tag):
        return _any_tag(term.pattern) if term.key is None else _of_tag(term.key, term.pattern, is_common)
    key, pattern = term.key, term.pattern
    if key in COLUMNS:
        return _fits(func.coalesce(COLUMNS[key], ""), pattern)
    if key == "user":
        return _person(pattern)
    if key == "level":  # of the last event, or of one before it
        return or_(_fits(Issue.level, pattern), _of_tag(key, pattern, is_common=True))
    return _of_trait(key, pattern, is_common) if key in traits.KEYS else _of_tag(key, pattern, is_common)


def _person(pattern: Pattern) -> Condition:
    """Whatever of a person the value is."""
    if pattern.is_unset:
        return Issue.users_seen == 0
    value = _fits(IssueTrait.value, pattern)
    return within(select(IssueTrait.issue_id).where(IssueTrait.key.in_(USER_KEYS), value))


def _of_trait(key: str, pattern: Pattern, is_common: bool) -> Condition:
    """A tag of the same name counts too: some SDKs send such."""
    if is_common:
        kept = exists().where(IssueTrait.issue_id == Issue.id, IssueTrait.key == key)
        return and_(~kept, _of_tag(key, pattern, is_common))
    found = Issue.id.in_(union_all(_kept(key, pattern), _tagged(key, pattern)))
    return ~found if pattern.is_unset else found


def _of_tag(key: str, pattern: Pattern, is_common: bool) -> Condition:
    of_issue = and_(IssueTag.issue_id == Issue.id, IssueTag.key == key)
    if is_common:
        found: Condition = exists().where(of_issue, _holds(IssueTag.value, pattern))
    else:
        found = within(_tagged(key, pattern))
    return ~found if pattern.is_unset else found


def _tagged(key: str, pattern: Pattern) -> Select[int]:
    return select(IssueTag.issue_id).where(IssueTag.key == key, _holds(IssueTag.value, pattern))


def _kept(key: str, pattern: Pattern) -> Select[int]:
    return select(IssueTrait.issue_id).where(IssueTrait.key == key, _holds(IssueTrait.value, pattern))


def _holds(value: InstrumentedAttribute[str], pattern: Pattern) -> Condition:
    """Of what is to be not set, any value."""
    return true() if pattern.is_unset else _fits(value, pattern)


def _any_tag(pattern: Pattern) -> Condition:
    of_issue = IssueTag.issue_id == Issue.id
    if pattern.is_unset:
        return ~exists().where(of_issue)
    return exists().where(of_issue, _fits(IssueTag.value, pattern))


def _fits(
    what: ColumnElement[str] | InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
    pattern: Pattern,
) -> Condition:
    if pattern.is_exact:
        return what == pattern.parts[0]
    return what.ilike(pattern.like(), escape="\\")


def folded(text: str) -> str:
    """As texts are kept: in the small letters of every script."""
    return text.casefold()


def words(term: Words, *, is_sqlite: bool) -> Condition:
    text = folded(term.text)
    if not text:
        return false()
    here = (
        func.instr(IssueText.text, text) > 0 if is_sqlite else IssueText.text.contains(text, autoescape=True)
    )
    read = select(IssueText.issue_id).where(here)
    if len(text) < RUN:  # too short for the indexes, so all texts are read, once
        return among(read)
    if not is_sqlite:
        return within(read)
    return walking(_with_text(text), exists().where(IssueText.issue_id == Issue.id, here))


def walking(ids: Select[int], holds: Condition) -> Condition:
    """Issues are walked in their order; where many have it, each is asked, else looked for among the few."""
    some = ids.limit(MANY)
    many = select(func.count()).select_from(some.subquery()).scalar_subquery() == MANY
    return case((many, holds), else_=among(some))


def among(ids: Select[int]) -> Condition:
    """The same issues as `within`. That the id is reckoned with keeps a database from beginning with them."""
    return (Issue.id + 0).in_(ids)


def _with_text(text: str) -> Select[int]:
    """By SQLite's index of words: one phrase, whatever it holds."""
    phrase = '"' + text.replace('"', '""') + '"'
    matches = WORDS.c.issue_words.op("MATCH", return_type=Boolean())(literal(phrase))
    return select(WORDS.c.rowid).where(matches)
