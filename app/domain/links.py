"""The addresses that mails, API and integrations point to. A test holds them against the routes."""

from dataclasses import dataclass
from urllib.parse import quote


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

    def fine_tune_deploys(self, organization: str) -> str:
        """The organization's row among those of deploys."""
        return f"{self.settings()}deploys/?at={organization}#o-{organization}"

    def release(self, organization: str, project: str, version: str) -> str:
        return f"{self.base}/{organization}/{project}/releases/{quote(version, safe='')}/"

    def watch(self, organization: str, project: str, version: str) -> str:
        """Where a person starts and stops watching the release. Opening it does nothing."""
        return f"{self.release(organization, project, version)}#watch"

    def releases(self, organization: str, project: str) -> str:
        return f"{self.base}/{organization}/{project}/releases/"

    def monitor(self, organization: str, project: str, slug: str) -> str:
        return f"{self.base}/{organization}/{project}/monitors/{slug}/"

    def pushes(self, organization: str) -> str:
        """Where an organization's repositories are connected."""
        return f"{self.base}/{organization}/settings/repositories/"

    def workflow_kinds(self) -> str:
        """Where a person switches kinds of workflow changes off."""
        return f"{self.settings()}?show=kinds#kinds"

    def batching(self) -> str:
        """Where a person chooses how often alerts come."""
        return f"{self.settings()}#row-batching-0"

    def delivery(self, organization: str, project: str) -> str:
        """How often a project sends alerts."""
        return f"{self.base}/{organization}/{project}/settings/alerts/delivery/"

    def pauses(self, organization: str, project: str) -> str:
        """Maintenance windows of a project."""
        return f"{self.base}/{organization}/{project}/settings/alerts/pauses/"

    def muted_rules(self) -> str:
        """The alert rules that a person muted."""
        return f"{self.settings()}rules/"

    def quiet_hours(self) -> str:
        return f"{self.settings()}quiet-hours/"

    def history(self) -> str:
        """What a person was sent, and why."""
        return f"{self.settings()}history/"

    def integration(self, organization: str, project: str, destination_id: int) -> str:
        return f"{self.base}/{organization}/{project}/settings/integrations/{destination_id}/"

    def set_owner(self, organization: str, project: str, pattern: str | None) -> str:
        """The issue owners of a project, with a line begun for the pattern. Opening does nothing."""
        place = f"{self.base}/{organization}/{project}/settings/issue-owners/"
        return f"{place}?add={quote(pattern, safe='')}" if pattern else place

    def rules(self, organization: str, project: str) -> str:
        return f"{self.base}/{organization}/{project}/settings/alerts/"

    def rule(self, organization: str, project: str, rule_id: int) -> str:
        return f"{self.base}/{organization}/{project}/settings/alerts/{rule_id}/"

    def mute_rule(self, public_id: str) -> str:
        """Where a person says whether the rule that rang is to be silent for them. Opening does nothing."""
        return f"{self.notice(public_id)}mute-rule/"

    def unsubscribe(self, token: str) -> str:
        return f"{self.base}/u/{token}"

    def mail_help(self) -> str:
        return f"{self.base}/help/notifications/"
