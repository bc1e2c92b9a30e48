import pytest

from tests.web.front import Front
from tests.web.pages import open_call

pytestmark = pytest.mark.asyncio

SHOP = "https://shop.example.com"
CHANGES = [{"phone": "open", "phone_origins": (SHOP,)}]


@pytest.mark.parametrize("changes", CHANGES)
async def test_a_page_of_the_settings_may_call_and_read_the_answer(front: Front) -> None:
    asked = await front.web.request("OPTIONS", "/api/phone/calls", headers={"origin": SHOP})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, SHOP)
    made = await front.web.post("/api/phone/calls", json={}, headers={"origin": SHOP})
    assert (made.status_code, made.headers["access-control-allow-origin"]) == (201, SHOP)
    assert "access-control-allow-credentials" not in made.headers
    late = await front.web.post(
        f"/api/phone/calls/{made.json()['call_sid']}/keep",
        json={"recovery": "none"},
        headers={"origin": SHOP},
    )
    assert (late.status_code, late.headers["access-control-allow-origin"]) == (401, SHOP)


@pytest.mark.parametrize("changes", CHANGES)
async def test_any_other_page_is_refused_and_may_read_nothing(front: Front) -> None:
    for method in ("OPTIONS", "POST"):
        headers = {"origin": "https://evil.example.com"}
        answer = await front.web.request(method, "/api/phone/calls", headers=headers)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    assert await front.journal.open_calls() == ()


@pytest.mark.parametrize("changes", CHANGES)
async def test_a_page_of_our_own_needs_no_permission(front: Front) -> None:
    assert (await open_call(front))["call_sid"]
    asked = await front.web.request("OPTIONS", "/api/phone/calls")
    assert asked.status_code == 204
    assert "access-control-allow-origin" not in asked.headers
