"""The addresses that mails, API and integrations point to. A test holds them against the routes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Links:
    """Absolute addresses below the instance's public one."""

    base: str

    def issue(self, organization: str, project: str, issue_id: int) -> str:
        return f"{self.base}/{organization}/{project}/issues/{issue_id}/"

    def notice(self, public_id: str) -> str:
        return f"{self.base}/notices/{public_id}/"

    def settings(self) -> str:
        return f"{self.base}/settings/account/notifications/"

    def fine_tune(self, category: str, project: str) -> str:
        return f"{self.settings()}{category}/#p-{project}"

    def unsubscribe(self, token: str) -> str:
        return f"{self.base}/u/{token}"

    def mail_help(self) -> str:
        return f"{self.base}/help/notifications/"
