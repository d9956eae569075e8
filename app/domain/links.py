"""The addresses that mails, API and integrations point to. A test holds them against the routes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Links:
    """Absolute addresses below the instance's public one."""

    base: str

    def issue(self, organization: str, project: str, issue_id: int) -> str:
        return f"{self.base}/{organization}/{project}/issues/{issue_id}/"

    def issue_actions(self, organization: str, project: str, issue_id: int) -> str:
        """Where the issue's page lets you assign, resolve and ignore. Opening it does nothing."""
        return f"{self.issue(organization, project, issue_id)}#issue-{issue_id}-actions"

    def issues(self, organization: str, project: str) -> str:
        return f"{self.base}/{organization}/{project}/"

    def notice(self, public_id: str) -> str:
        return f"{self.base}/notices/{public_id}/"

    def settings(self) -> str:
        return f"{self.base}/settings/account/notifications/"

    def fine_tune(self, category: str, project: str) -> str:
        """The project's row; `at` finds the page of the list that has it."""
        return f"{self.settings()}{category}/?at={project}#p-{project}"

    def workflow_kinds(self) -> str:
        """Where a person switches kinds of workflow changes off."""
        return f"{self.settings()}#kinds"

    def quiet_hours(self) -> str:
        return f"{self.settings()}quiet-hours/"

    def history(self) -> str:
        """What a person was sent, and why."""
        return f"{self.settings()}history/"

    def unsubscribe(self, token: str) -> str:
        return f"{self.base}/u/{token}"

    def mail_help(self) -> str:
        return f"{self.base}/help/notifications/"
