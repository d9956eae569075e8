"""Mails in place of an integration that does not work say so wherever they are read."""

from datetime import timedelta

from sqlalchemy import select

from app.models import AlertRule
from tests.support.receiver import answer


def test_in_a_summary_each_says_in_place_of_what_it_comes(
    cast, make, hook, report, run_jobs, receiver, mailbox, session
):
    cast.shop.digest_minimum, cast.shop.digest_maximum = 5, 30
    for rule in session.scalars(select(AlertRule)):
        rule.is_active = False
    make.rule_to(hook)
    receiver.usual = answer(410)
    for number in range(3):
        report(f"Error{number}: cart")
        run_jobs()
    run_jobs.sweep(after=timedelta(hours=1))
    texts = [mail.text for mail in mailbox(to=cast.alice)]
    [summary] = [text for text in texts if "Error1: cart" in text and "Error2: cart" in text]
    assert summary.count("By mail in place of “Ops hook”, which does not work.") == 2
