"""Signing in and out, and what a cookie can't do for another site's page (S-5)."""

from typing import Any

import pytest

from service.web.door.login import ADDRESSES_MAX, WRONG_MAX, WRONG_WINDOW_MS, Wrong
from tests.web.front import PUBLIC_URL, Front

OURS = {"origin": PUBLIC_URL, "x-stayline": "1"}


async def signed_in(front: Front) -> None:
    answer = await front.web.post("/api/session", json={"token": "act"}, headers=OURS)
    assert answer.status_code == 204, answer.text


@pytest.mark.asyncio
async def test_a_token_is_changed_for_a_cookie_that_no_script_reads(front: Front) -> None:
    answer = await front.web.post("/api/session", json={"token": " act "})
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("stayline=1.")
    for part in ("HttpOnly", "SameSite=strict", "Path=/;", "Secure", "Max-Age=43200"):
        assert part in cookie
    told = (await front.web.get("/api/session")).json()
    assert (told["role"], told["tenant"], told["name"]) == ("agent", "default", "Agent")
    assert told["expires_at"].endswith("Z")
    assert (await front.web.get("/api/calls")).json() == {"calls": []}


@pytest.mark.asyncio
@pytest.mark.parametrize("changes", [{"public_url": "http://127.0.0.1:8000"}])
async def test_without_tls_the_cookie_is_not_marked_secure(
    front: Front, changes: dict[str, Any]
) -> None:
    assert changes
    answer = await front.web.post("/api/session", json={"token": "act"})
    assert "Secure" not in answer.headers["set-cookie"]


@pytest.mark.asyncio
async def test_who_comes_with_a_bearer_token_is_told_the_same(front: Front) -> None:
    told = (await front.api("GET", "/api/session", bearer="see")).json()
    assert told == {
        "role": "viewer",
        "tenant": "default",
        "name": "Viewer",
        "named": False,
        "expires_at": None,
    }
    assert (await front.api("DELETE", "/api/session", bearer="see")).status_code == 204


@pytest.mark.asyncio
async def test_signing_out_ends_the_badge_here_also_for_who_kept_it(front: Front) -> None:
    await signed_in(front)
    kept = front.web.cookies["stayline"]
    answer = await front.web.request("DELETE", "/api/session", headers=OURS)
    assert answer.status_code == 204
    assert "stayline" not in front.web.cookies
    again = await front.web.get("/api/session", headers={"cookie": f"stayline={kept}"})
    assert again.status_code == 401


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("{", 400), ("[]", 422), ("{}", 422), ('{"token":7}', 422), ('{"token":" "}', 422),
        ('{"token":"\\ud800"}', 422), ('{"token":"\u00e4"}', 401), ("[" * 4_000, 400), ("x" * 5_000, 413),
    ],
)  # fmt: skip
async def test_a_body_that_is_no_token_is_refused_in_one_sentence(
    front: Front, content: str, status: int
) -> None:
    answer = await front.web.post("/api/session", content=content)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert "set-cookie" not in answer.headers


@pytest.mark.asyncio
async def test_a_page_of_another_site_can_sign_nobody_in(front: Front) -> None:
    answer = await front.web.post(
        "/api/session", json={"token": "act"}, headers={"origin": "https://elsewhere.example"}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.asyncio
async def test_ten_wrong_tokens_a_minute_are_enough(front: Front) -> None:
    for _ in range(WRONG_MAX):
        assert (await front.web.post("/api/session", json={"token": "no"})).status_code == 401
    answer = await front.web.post("/api/session", json={"token": "act"})
    assert answer.status_code == 429
    assert "try again in" in answer.json()["detail"]
    assert b'stayline_refused_total{door="login"} 11.0' in front.parts.meter.text()


def test_the_tenth_wrong_token_of_a_minute_is_the_last() -> None:
    wrong = Wrong()
    for second in range(WRONG_MAX):
        assert wrong.waits_ms("1.2.3.4", second * 1000) == 0
        wrong.add("1.2.3.4", second * 1000)
    assert wrong.waits_ms("1.2.3.4", 10_000) == WRONG_WINDOW_MS - 10_000
    assert wrong.waits_ms("1.2.3.5", 10_000) == 0
    assert wrong.waits_ms("1.2.3.4", WRONG_WINDOW_MS) == 0
    wrong.add("1.2.3.4", WRONG_WINDOW_MS)
    assert wrong.waits_ms("1.2.3.4", WRONG_WINDOW_MS) == 1_000


def test_only_so_many_addresses_are_remembered() -> None:
    wrong = Wrong()
    for _ in range(WRONG_MAX):
        wrong.add("first", 0)
    for number in range(ADDRESSES_MAX):
        wrong.add(str(number), 0)
    assert wrong.waits_ms("first", 0) == 0
    assert len(wrong._tries) == ADDRESSES_MAX
