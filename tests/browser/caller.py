"""Somebody who calls from the phone's page, and what the journal says of their call."""

import json
from collections.abc import AsyncIterator
from typing import Any

from playwright.sync_api import Page, expect

from service.call.acts import Act, Say
from service.call.state import Call, Turn
from tests.browser.place import AGENT

LIVE_MS_MAX = 15_000  # for a machine that is busy with other tests
LOOK_MS = 100
LOOKS_MAX = 100  # 10 s
STORY = " ".join(
    f"This is sentence number {number} of a story, that goes on for quite a while."
    for number in range(1, 31)
)


class Reader:
    """Greets with a story that takes a while, and afterwards listens."""

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        del call
        if turn.reason == "opening":
            yield Say(f"Welcome to the story. {STORY}")


def ring(page: Page, url: str, **written: str) -> str:
    """Call, wait until the agent is heard, and return the call's name."""
    call_sid = dial(page, url, **written)
    await_sound(page)
    return call_sid


def dial(page: Page, url: str, **written: str) -> str:
    """Call, wait for the stream alone, and return the call's name: who talks at once may hear nobody."""
    page.goto(url + "/phone")
    for label, value in written.items():
        page.get_by_label(label.replace("_", " ")).fill(value)
    page.get_by_role("button", name="Call", exact=True).click()
    await_state(page, "live")
    return str(kept(page)["call_sid"])


def await_state(page: Page, state: str) -> None:
    """Wait until the phone is in a state."""
    expect(page.locator(f"main[data-state={state}]")).to_be_attached(timeout=LIVE_MS_MAX)


def await_sound(page: Page, streams: int = 1) -> int:
    """Wait until so many streams were heard on this page, and return when, in ms after its load."""
    expect(page.locator("html")).to_have_attribute("data-sounds", str(streams), timeout=LIVE_MS_MAX)
    return int(page.evaluate("document.documentElement.dataset.soundedMs"))


def kept(page: Page) -> dict[str, Any]:
    """Return what this tab keeps of its call, {} when it keeps nothing."""
    text = page.evaluate("sessionStorage.getItem('stayline:call')")
    return dict(json.loads(text)) if text else {}


def rewind(page: Page, url: str, away_s: int, *, idle_s: int) -> None:
    """Go away from the phone, and make it long ago that the page went and that anything was done."""
    page.goto(url + "/healthz")
    change = """([away, idle]) => {
      const kept = JSON.parse(sessionStorage.getItem('stayline:call'));
      const gone = Date.now() - away * 1000, done = Date.now() - idle * 1000;
      Object.assign(kept, {left_at: gone, alive_at: gone, live_at: done, acted_at: done});
      sessionStorage.setItem('stayline:call', JSON.stringify(kept));
    }"""
    page.evaluate(change, [away_s, idle_s])


def call_of(page: Page, url: str, call_sid: str) -> dict[str, Any]:
    """Return the call as the API tells it."""
    return _asked(page, f"{url}/api/calls/{call_sid}")


def facts(page: Page, url: str, call_sid: str, kind: str) -> list[dict[str, Any]]:
    """Return the journal's facts of one kind."""
    told = _asked(page, f"{url}/api/calls/{call_sid}/events")["events"]
    return [one for one in told if one["kind"] == kind]


def await_facts(page: Page, url: str, call_sid: str, kind: str, count: int) -> list[dict[str, Any]]:
    """Return the facts of one kind, once there are so many; what there is after ten seconds at the latest."""
    for _ in range(LOOKS_MAX):
        if len(facts(page, url, call_sid, kind)) >= count:
            break
        page.wait_for_timeout(LOOK_MS)
    return facts(page, url, call_sid, kind)


def _asked(page: Page, address: str) -> dict[str, Any]:
    answer = page.request.get(address, headers={"Authorization": f"Bearer {AGENT}"})
    assert answer.status == 200, answer.text()
    return dict(answer.json())
