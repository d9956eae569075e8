"""Every kind of mail as a spam filter meets it: SpamAssassin, with the rules that it brings along."""

import re
import shutil
import subprocess

import pytest

from app.services.mails.mail_sample_list import SAMPLES
from tests.messages.samples import composed

# Filters stand at the receiver: two servers have had the message in their hands by then.
ON_ITS_WAY = (
    "Received: from relay.tocsin.example.com (relay.tocsin.example.com [93.184.216.34])\r\n"
    "\tby mx.example.org (Postfix) with ESMTPS id 4F2A9C\r\n"
    "\tfor <priya@example.com>; Mon, 23 Nov 2026 08:14:05 +0000 (UTC)\r\n"
    "Received: from worker-1 (worker-1.internal [10.20.0.5])\r\n"
    "\tby relay.tocsin.example.com (Postfix) with ESMTP id 7C11D2;\r\n"
    "\tMon, 23 Nov 2026 08:14:04 +0000 (UTC)\r\n"
)
ENVELOPE = "From alerts@tocsin.example.com Mon Nov 23 08:14:05 2026\n"
STATUS = re.compile(r"^X-Spam-Status: \w+, score=(\S+) .*?tests=(.*?)\s+autolearn", re.DOTALL | re.MULTILINE)
BONUS = {"MAILING_LIST_MULTI": -1.0}


def received(name: str) -> str:
    raw = ON_ITS_WAY + composed(name).raw.decode()
    return ENVELOPE + raw.replace("\r\n", "\n").replace("\nFrom ", "\n>From ") + "\n"


@pytest.fixture(scope="module")
def judged() -> dict[str, tuple[float, str]]:
    """Points and the rules that gave them, by mail; all in one go, for starting takes a second."""
    program = shutil.which("spamassassin")
    if program is None:
        pytest.skip("SpamAssassin is not installed")
    run = subprocess.run(
        [program, "--local", "--mbox", "--nocreate-prefs", "--cf=use_bayes 0", "--cf=report_safe 0"],
        input="".join(map(received, SAMPLES)).encode(),
        capture_output=True,
        check=True,
        timeout=300,
    )
    found = STATUS.findall(run.stdout.decode(errors="replace"))
    assert len(found) == len(SAMPLES)
    return {name: (float(points), rules) for name, (points, rules) in zip(SAMPLES, found, strict=True)}


@pytest.mark.long
@pytest.mark.parametrize("name", SAMPLES)
def test_a_mail_is_no_spam(judged, name):
    points, rules = judged[name]
    points -= sum(bonus for rule, bonus in BONUS.items() if rule in rules)
    assert points < 1, rules


def test_the_filter_is_awake(judged):
    """Rules that find nothing anywhere would prove nothing."""
    assert any(rules for _, rules in judged.values())
