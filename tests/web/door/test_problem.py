from typing import Any

import pytest

from tests.web.front import Front

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("POST", "/healthz", 405),
        ("GET", "/twiml/voice", 405),
        ("PUT", "/api/calls", 405),
        ("GET", "/media", 404),
        ("GET", "/api/calls/", 404),
        ("POST", "/twiml/voice/", 404),
        ("GET", "//healthz", 404),
    ],
)
async def test_what_the_router_refuses_is_a_problem_document(
    front: Front, method: str, path: str, status: int
) -> None:
    answer = await front.web.request(method, f"https://calls.example.com{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    if status == 405:
        assert answer.headers["allow"]


async def test_a_fault_of_ours_is_one_sentence_and_no_detail(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_given: Any, **_named: Any) -> None:
        raise KeyError("a secret")

    monkeypatch.setattr(front.journal, "open_calls", fail)
    answer = await front.api("GET", "/api/calls")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
