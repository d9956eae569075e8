"""How the calls are told of: in what groups and order, and what the parts of their addresses are."""

from typing import NamedTuple


class Group(NamedTuple):
    name: str
    text: str
    # Of `app/api/`, in the order in which their calls are listed.
    modules: tuple[str, ...]


class Part(NamedTuple):
    text: str
    example: str


GROUPS = (
    Group(
        "Organizations", "Whose token it is, and where its person belongs.", ("organizations", "description")
    ),
    Group("Projects", "Projects, and the keys that SDKs send with.", ("projects", "keys")),
    Group(
        "Issues",
        "Issues: found, read, changed, merged and deleted, one by one or many at once.",
        ("issues", "issue_changes", "issue_removal", "tags", "comments", "searches"),
    ),
    Group("Events", "Single error reports, with all that came with them.", ("events",)),
    Group(
        "Feedback and statistics",
        "What people wrote about errors, and how much a project received.",
        ("feedback", "stats"),
    ),
    Group("Releases", "Releases, their commits and deploys.", ("releases", "deploys")),
    Group(
        "Uploads", "Source maps and other files, as sentry-cli sends them.", ("artifacts", "release_files")
    ),
    Group("Monitors", "Jobs that check in, and when they did.", ("monitors",)),
    Group(
        "Alerts",
        "When a project rings: its rules, its issue owners, its maintenance windows.",
        ("rules", "ownership", "pauses"),
    ),
    Group("Integrations", "Where else a project rings: chat, phones, webhooks.", ("integrations",)),
    Group(
        "Notifications", "What a person wants to hear of, and what became of it.", ("preferences", "notices")
    ),
)

PARTS = {
    "org": Part("The organization, by its slug or id.", "acme"),
    "proj": Part("The project, by its slug or id.", "shop"),
    "team": Part("The team, by its slug.", "core"),
    "public": Part("The public half of the key, which is its id.", "6f4c1f0e8a5b4d7c9e2a3b1c0d9e8f70"),
    "issue": Part("The issue, by its id or short id.", "SHOP-1"),
    "short_id": Part("The short id of an issue.", "SHOP-1"),
    "search_id": Part("The id of the saved search.", "2"),
    "tag": Part("The key of the tag.", "browser"),
    "comment_id": Part("The id of the comment.", "31"),
    "event_id": Part("The id of the event, with or without dashes.", "9c1f0d2b7a6e4f5d8c3b2a1908f7e6d5"),
    "attachment_id": Part("The id of the attachment.", "4"),
    "version": Part("The version of the release, percent-encoded.", "shop@1.4.0"),
    "file_id": Part("The id of the file.", "12"),
    "rule": Part("The id of the rule.", "5"),
    "pause": Part("The id of the maintenance window.", "3"),
    "integration": Part("The id of the integration.", "7"),
    "monitor": Part("The monitor, by its slug or id.", "nightly-backup"),
    "user": Part("The id of the person.", "1"),
    "public_id": Part("The id of the notice.", "n_4k2v9q1xw7"),
}
