"""Where each case of `notifications.md` 15 about rules, recipients, owners and digests is held, by number."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

CASES = {
    51: "stories/test_new_error.py::test_every_member_of_the_project_gets_one_mail",
    52: "stories/test_new_error.py::test_the_same_error_again_tells_nobody",
    53: "services/test_alerting.py::test_every_event_rings_once_an_interval",
    54: "services/test_alerting.py::test_the_interval_is_each_issues_own",
    55: "services/test_rule_firing.py::test_more_than_three_is_the_fourth",
    56: "services/test_rule_firing.py::test_the_third_person_rings_and_nobody_in_particular_never",
    57: "services/test_rule_firing.py::test_what_is_new_was_never_seen_often",
    58: "services/test_rule_firing.py::test_none_of_means_not_any_of",
    59: "services/test_alerting.py::test_a_rule_of_an_environment_rings_for_the_first_event_there",
    60: "domain/test_alerting.py::test_whether_a_rule_fires",  # "no environment"
    61: "domain/test_alerting.py::test_filters",  # "a tag that is not there does not equal"
    62: "services/test_rule_firing.py::test_filters_look_at_the_event",
    63: "domain/test_alerting.py::test_filters",  # "one of two exceptions equals, so it fails"
    64: "domain/test_alerting.py::test_whether_a_rule_fires",  # "level at most"
    65: "services/test_rule_firing.py::test_issues_of_an_age",
    66: "services/test_rule_firing.py::test_the_latest_release_and_none_before_it",
    67: "stories/test_recipients.py::test_two_rules_that_both_name_somebody_are_one_mail_naming_both",
    68: "services/test_rule_firing.py::test_an_ignored_issue_rings_nothing",
    69: "stories/test_recipients.py::test_a_rule_that_somebody_muted_rings_for_the_others",
    70: "services/test_rule_firing.py::test_a_rule_that_is_muted_for_everyone_is_not_evaluated_until_its_end",
    71: "stories/test_rule_pages.py"
    "::test_the_mail_of_a_rule_goes_out_though_its_webhook_fails_and_history_shows_that",
    72: "services/test_ruling.py::test_a_copy_to_a_project_without_the_environment_holds_for_all_and_says_so",
    73: "domain/test_rule_content.py::test_what_is_wrong_is_named_with_its_place",  # "no action"
    74: "services/test_rule_firing.py::test_the_same_events_twice_ring_once",
    75: "services/test_rule_firing.py::test_once_until_it_is_resolved",
    76: "stories/test_maintenance.py::test_a_firing_is_recorded_and_one_digest_comes_after_the_window",
    77: "stories/test_recipients.py::test_a_line_that_names_one_person_tells_them_alone",
    78: "stories/test_recipients.py::test_all_matching_lines_count_and_nobody_gets_two",
    79: "stories/test_recipients.py::test_where_nobody_owns_it_a_project_may_tell_nobody",
    80: "stories/test_recipients.py::test_owners_who_want_nothing_are_no_reason_to_tell_others",
    81: "stories/test_recipients.py::test_a_choice_for_the_project_goes_before_that_of_the_account",
    82: "stories/test_recipients.py::test_a_member_who_switched_alerts_off_is_not_told",
    83: "stories/test_recipients.py::test_who_left_an_issue_hears_of_others",
    84: "stories/test_recipients.py::test_a_project_may_go_to_another_address_until_that_is_gone",
    85: "stories/test_new_error.py::test_an_unverified_address_gets_nothing",
    86: "stories/test_recipients.py::test_a_team_that_lost_the_project_tells_nobody_and_breaks_the_rule",
    87: "services/test_auto_assigning.py::test_the_longest_pattern_decides_and_nobody_loses_the_issue_later",
    88: "domain/test_ownership.py::test_each_type_looks_where_its_name_says",
    89: "services/test_owning.py::test_a_text_that_names_somebody_without_access_is_refused_with_all_of_them",
    90: "domain/test_ownership.py::test_what_is_wrong_has_a_line_a_column_and_the_text_of_the_line",
    91: "domain/test_ownership.py::test_a_glob_matches_whole_paths_whatever_their_case_and_slashes",
    92: "services/test_auto_assigning.py::test_a_manual_unassign_ends_it_for_that_issue",
    93: "stories/test_calm.py::test_93_the_first_alert_comes_at_once_and_alone",
    94: "stories/test_calm.py::test_94_each_alert_that_waits_puts_the_rest_off_by_half_a_minute",
    95: "stories/test_calm.py::test_95_an_alert_every_ten_seconds_cannot_put_it_off_for_ever",
    96: "stories/test_calm.py::test_96_two_alerts_of_one_issue_are_the_usual_mail_for_the_later_event",
    97: "stories/test_calm.py::test_97_of_two_issues_the_one_that_was_resolved_meanwhile_is_left_out",
    98: "stories/test_calm.py::test_98_each_gets_what_is_theirs",
}


@pytest.mark.parametrize(("file", "name"), [each.split("::") for each in CASES.values()], ids=map(str, CASES))
def test_the_case_has_a_test(file, name):
    tree = ast.parse((ROOT / file).read_text())
    assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def test_no_case_is_left_out():
    assert list(CASES) == list(range(51, 99))
