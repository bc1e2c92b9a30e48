"""A person takes over in the console and talks: a real browser, its microphone, and a real call."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from service.testing.phone_call import PhoneCall
from service.testing.stayline import Stayline
from tests.browser.place import AGENT, TOKENS
from tests.browser.test_console import signed
from tests.testing.agents import Echo

Check = Callable[[Page], None]
LOUDNESS = "getComputedStyle(document.querySelector('.talk [data-who=ours] .bar')).getPropertyValue('--level')"
LIVE_MS_MAX = 15_000  # for a machine that is busy with other tests


@pytest.fixture
def stayline_settings() -> dict[str, Any]:
    return {"api_tokens": TOKENS}


@pytest.fixture
def call(stayline: Stayline) -> PhoneCall:
    return stayline.call(agent=Echo).hears("what can I do for you")


@pytest.fixture
def panel(page: Page, call: PhoneCall) -> Locator:
    """Take the call over, and return where its panel for talking will be."""
    signed(page, call, AGENT)
    page.goto(f"{call.house.url}/console/calls/{call.call_sid}")
    page.get_by_role("button", name="Take over").click()
    expect(page.get_by_role("button", name="Talk", exact=True)).to_be_visible()
    return page.locator(".talk")


class Balancer:
    """Leads the first dials to servers that do not hold the call."""

    def __init__(self, page: Page, wrong: int) -> None:
        self.dials = 0
        self._wrong = wrong
        page.route_web_socket(re.compile("/voice"), self._dialled)

    def _dialled(self, socket: WebSocketRoute) -> None:
        self.dials += 1
        if self.dials <= self._wrong:
            socket.close(code=4421, reason="held by another server")
        else:
            socket.connect_to_server()


def test_talk_mute_a_drop_and_hand_back(
    page: Page, call: PhoneCall, panel: Locator, axe: Check
) -> None:
    page.get_by_role("button", name="Talk", exact=True).click()
    expect(panel).to_have_attribute("data-state", "talking", timeout=LIVE_MS_MAX)
    call.until(is_heard, "the caller hears the microphone")
    axe(page)
    page.get_by_role("button", name="Mute", exact=True).click()
    expect(panel.get_by_role("status")).to_have_text("You are muted.")
    page.get_by_role("button", name="Unmute").click()
    call.says("can you hear me")
    page.wait_for_function(f"() => Number({LOUDNESS}) > 0")
    before = voices(call)
    call.drop_stream()
    call.comes_back()
    expect(panel).to_have_attribute("data-state", "talking")
    call.until(lambda it: voices(it) > before, "the caller hears the person again")
    page.get_by_role("button", name="Hand back to the agent").click()
    expect(page.get_by_role("button", name="Take over")).to_be_visible()
    expect(panel).to_have_count(0)
    call.until(lambda it: it.journal("handed_back"), "the agent is back")


@pytest.mark.parametrize("wrong", [2, 8])
def test_a_server_that_does_not_hold_the_call_is_passed_by_eight_times(
    page: Page, panel: Locator, wrong: int
) -> None:
    balancer = Balancer(page, wrong)
    page.get_by_role("button", name="Talk", exact=True).click()
    if wrong == 2:
        expect(panel).to_have_attribute("data-state", "talking", timeout=LIVE_MS_MAX)
    else:
        told = page.get_by_text("The call was not found on any server.")
        expect(told).to_be_visible(timeout=LIVE_MS_MAX)
        expect(panel).to_have_count(0)
    assert balancer.dials == min(wrong + 1, 8)


def voices(call: PhoneCall) -> int:
    """Return how often a person began to speak on a stream."""
    return sum(one.get("voice") == "person" for one in call.journal("agent_spoke"))


def is_heard(call: PhoneCall) -> bool:
    return any(
        one["prompt"].startswith("h") and one["heard_samples"] for one in call.journal("played")
    )
