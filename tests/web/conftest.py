"""What the tests of pages share."""

import pytest

from app.models import Verdict


@pytest.fixture
def decided(session):
    """Makes a verdict: `decided(notice, bob, "alerts_off", scope="account")`."""

    def make_verdict(notice, user, code, *, outcome="skip", reasons=(), **params):
        verdict = Verdict(
            notice_id=notice.id,
            subject="user",
            subject_id=user.id,
            channel="email",
            outcome=outcome,
            code=code,
            params=params,
            reasons=list(reasons),
        )
        session.add(verdict)
        session.flush()
        return verdict

    return make_verdict
