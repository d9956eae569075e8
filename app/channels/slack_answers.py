"""What Slack's answers mean (`integrations.md` 4.8): those of its methods, and those of incoming webhooks."""

from collections.abc import Mapping
from datetime import datetime

from app.channels import meanings
from app.channels.base import Answer, Outcome
from app.channels.http import Reply

_TOKEN = "Slack does not know the bot token any more. Enter the one that the app has now."  # noqa: S105
_INSTALL = "Slack does not let the app in. Install it in the workspace again."
_POLICY = "The workspace does not let the app post there. Ask its admins, or choose another channel."
_HOOK = "The incoming webhook is gone. Make a new one in Slack, and enter its address."
_ARCHIVED = "The channel is archived. Bring it back, or choose another one."
_UNKNOWN = "The channel is not there, or not for the bot to see. Invite the bot, or enter another channel."

BROKEN: Mapping[str, str] = {
    "invalid_auth": _TOKEN,
    "not_authed": _TOKEN,
    "token_revoked": _TOKEN,
    "token_expired": "The bot token ran out. Switch token rotation off in the app, and enter one that lasts.",
    "account_inactive": _INSTALL,
    "org_login_required": _INSTALL,
    "team_access_not_granted": _INSTALL,
    "ekm_access_denied": _POLICY,
    "no_permission": _POLICY,
    "missing_scope": "The bot lacks a scope.",
    "channel_not_found": _UNKNOWN,
    "is_archived": _ARCHIVED,
    "not_in_channel": "The bot is not in the channel. Invite it there: /invite and its name.",
    "restricted_action": _POLICY,
    "restricted_action_read_only_channel": _POLICY,
    "restricted_action_thread_only_channel": _POLICY,
    "restricted_action_non_threadable_channel": _POLICY,
    "restricted_action_thread_locked": _POLICY,
}
BROKEN_HOOK: Mapping[str, str] = {
    "invalid_token": _HOOK,
    "team_disabled": "The workspace is switched off.",
    "no_service": _HOOK,
    "no_service_id": _HOOK,
    "no_active_hooks": _HOOK,
    "no_team": _HOOK,
    "channel_not_found": _HOOK,
    "channel_is_archived": _ARCHIVED,
    "action_prohibited": _POLICY,
    "posting_to_general_channel_denied": _POLICY,
}
BAD_MESSAGE = frozenset(
    {
        "msg_too_long",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_attachments",
        "invalid_payload",
        "no_text",
        "too_many_attachments",
    }
)
LATER = frozenset(
    {
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "rollup_error",
    }
)
LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
# The message that was to be changed cannot be, or is not there: a new one is posted.
NOT_THERE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"})
GONE = "gone"


def of_method(reply: Reply, *, now: datetime) -> Answer:
    """An error has status 200 too: the body says whether it worked."""
    if reply.status != 200:
        return meanings.usual(reply, now=now)
    data = reply.data
    # It repeats the message that it took: too long an answer ends somewhere, but has begun so.
    if data.get("ok") is True or reply.body.startswith('{"ok":true,'):
        return Answer(Outcome.DELIVERED, "ok")
    error = str(data.get("error") or "")
    if error in NOT_THERE:
        return Answer(Outcome.BAD_MESSAGE, GONE, f"{error}: a new message is posted.")
    if error == "missing_scope":
        return Answer(Outcome.BROKEN, error, advice=_scope(str(data.get("needed") or "")))
    return _by_name(error, BROKEN, reply, now)


def of_hook(reply: Reply, *, now: datetime) -> Answer:
    """A word of text: `ok`, or what is wrong."""
    word = reply.body.strip()[:80]
    if reply.status == 200 and word == "ok":
        return Answer(Outcome.DELIVERED, "ok")
    return _by_name(word, BROKEN_HOOK, reply, now)


def _by_name(error: str, broken: Mapping[str, str], reply: Reply, now: datetime) -> Answer:
    if error in broken:
        return Answer(Outcome.BROKEN, error, advice=f"{broken[error]} ({error})")
    if error in BAD_MESSAGE:
        return Answer(Outcome.BAD_MESSAGE, error)
    if error in LATER:
        return Answer(Outcome.RETRY, error)
    if error in LIMITED:
        wait = meanings.retry_after(reply.headers, now=now)
        return Answer(Outcome.RETRY_AT if wait else Outcome.RETRY, error, retry_after=wait)
    if reply.status == 200:
        return Answer(
            Outcome.DOUBTFUL, error[:40] or "unclear", advice=f"Slack answered {error or 'nothing'}."
        )
    return meanings.usual(reply, now=now)


def _scope(needed: str) -> str:
    name = f" {needed}" if needed.replace(":", "").replace(".", "").replace(",", "").isalnum() else ""
    return f"The bot lacks the scope{name}. Add it to the app, and install the app again. (missing_scope)"
