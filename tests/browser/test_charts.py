"""The console's charts in a real browser, beside real calls that are cut."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service.call.acts import Act, Ask
from service.call.state import Call, Turn
from service.testing.phone_call import PhoneCall
from service.testing.stayline import Stayline
from service.web.reading import figures
from tests.browser.place import TOKENS, VIEWER

STEP_MS = 1_500  # the board tells the newest point once a second


class Asker:
    """Asks, whatever is said."""

    async def reply(self, _call: Call, _turn: Turn) -> AsyncIterator[Act]:
        yield Ask("Hello, what can I do for you?", "wish")


@pytest.fixture
def stayline_settings(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(figures, "STEP_MS", STEP_MS)
    return {"api_tokens": TOKENS, "resume_window_s": 60}


def greeted(stayline: Stayline) -> PhoneCall:
    return stayline.call(Asker).hears("what can I do")


def test_conversations_that_survived_a_drop_and_those_that_were_lost_are_charted_apart(
    stayline: Stayline, page: Page
) -> None:
    survivor, untouched, lost = (greeted(stayline) for _ in range(3))
    answer = page.request.post(
        survivor.house.url + "/api/session", data={"token": VIEWER}, headers={"X-Stayline": "1"}
    )
    assert answer.status == 204
    page.goto(survivor.house.url + "/console")
    page.get_by_text("The last hour").click()
    chart = page.locator(".chart", has_text="Conversations that met a drop")
    expect(chart).to_contain_text("survived 0 · lost 0")
    survivor.drop_stream()
    survivor.comes_back()
    survivor.hangs_up()
    untouched.hangs_up()
    expect(chart).to_contain_text("survived 1 · lost 0")
    lost.drop_stream()
    lost.hangs_up()
    expect(chart).to_contain_text("survived 1 · lost 1")
    told = page.request.get(survivor.house.url + "/metrics").text()
    for outcome in ("survived", "lost", "untouched"):
        assert f'stayline_conversations_total{{outcome="{outcome}"}} 1.0' in told
