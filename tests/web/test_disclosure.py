"""S-8's other half: what is kept about a person is told, to an admin of the tenant."""

import pytest

from service.web import disclosure
from tests.web.front import Front
from tests.web.test_erasure import NUMBER, rung

pytestmark = pytest.mark.asyncio


async def test_a_persons_calls_are_told_and_nobody_elses(front: Front) -> None:
    await rung(front, "CA1", "CA2")
    await rung(front, "CA3", From="+15550009")
    answer = await front.api("GET", "/api/export", params={"number": NUMBER})
    assert answer.status_code == 200
    told = answer.json()
    assert [one["call"]["call_sid"] for one in told["calls"]] == ["CA1", "CA2"]
    assert told["calls"][0]["events"][0]["kind"] == "call_opened"
    assert told["unreadable"] == 0
    assert "person.json" in answer.headers["content-disposition"]


async def test_only_an_admin_of_the_tenant_is_told(front: Front) -> None:
    await rung(front, "CA1")
    for bearer in ("see", "act"):
        answer = await front.api("GET", "/api/export", params={"number": NUMBER}, bearer=bearer)
        assert answer.status_code == 403
    assert (await front.api("GET", "/api/export")).status_code == 400


async def test_more_calls_than_one_person_has_are_not_told(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disclosure, "CALLS_MAX", 1)
    await rung(front, "CA1", "CA2")
    answer = await front.api("GET", "/api/export", params={"number": NUMBER})
    assert answer.status_code == 413
