"""The mail thread of an issue: its frozen subject, and its root, which is renewed once it is long or old."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.models import Issue
from app.services.mails import mail_subjects

# Before mail programs cap or clip it (`experience.md` 1.3).
LONGEST = 80
IDLE_DAYS = 90


def join(session: Session, issue: Issue, *, now: datetime, event_id: str | None = None) -> int:
    """The epoch of the issue's thread for a mail of now; the first mail freezes the subject.

    `event_id` names the event that the mail is about, if one is.
    """
    idle = issue.mailed_at is not None and (now - issue.mailed_at).days >= IDLE_DAYS
    if issue.mail_count >= LONGEST or idle:
        issue.mail_epoch, issue.mail_count = issue.mail_epoch + 1, 0
    issue.mail_count += 1
    issue.mailed_at = now
    if issue.mail_subject is None:
        issue.mail_subject = mail_subjects.of_thread(session, issue, event_id)
    return issue.mail_epoch
