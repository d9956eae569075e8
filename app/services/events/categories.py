"""Under which category an item is counted: the words that rate limits and client reports use."""

ERROR, ATTACHMENT, FEEDBACK, MONITOR = "error", "attachment", "feedback", "monitor"

# An event is counted as an error even when it is only a message: to a person the two are the same.
_CATEGORIES = {
    "event": ERROR,
    "attachment": ATTACHMENT,
    "user_report": FEEDBACK,
    "feedback": FEEDBACK,
    "check_in": MONITOR,
    "session": "session",
    "sessions": "session",
    "client_report": "internal",
    "transaction": "transaction",
    "span": "span",
    "profile": "profile",
    "profile_chunk": "profile",
    "log": "log_item",
    "trace_metric": "metric_bucket",
    "statsd": "metric_bucket",
    "metric_buckets": "metric_bucket",
    "metric_meta": "metric_bucket",
    "replay_event": "replay",
    "replay_recording": "replay",
    "replay_video": "replay",
    "nel": "security",
    "raw_security": "security",
    "security": "security",
}


def category_of(item_type: str) -> str:
    return _CATEGORIES.get(item_type, "unknown")
