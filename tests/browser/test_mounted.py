"""The console and the phone under a path of somebody else's application, in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from service.parts import Own
from service.testing.house import House
from tests.browser import caller, place
from tests.browser.place import AGENT

PREFIX = "/our calls"  # with a blank, which is written otherwise in an address


@pytest.fixture(scope="module")
def microphone_ulaw() -> tuple[str, ...]:
    """A caller who listens."""
    return ("silence.ulaw",)


@pytest.fixture
def own() -> Own:
    quick = place.quick()
    return Own(agent=caller.Reader(), speech=quick.speech, endpointer=quick.endpointer)


@pytest.fixture
def house(tmp_path: Path, own: Own) -> Iterator[House]:
    settings: dict[str, Any] = {"phone": "open"}
    opened = place.house(tmp_path, settings, own, prefix=PREFIX)
    try:
        opened.open()
        yield opened
    finally:
        opened.close()


@pytest.mark.timeout(90)  # two pages, a call and a voice
def test_phone_and_console_work_under_a_prefix(
    page: Page, context: BrowserContext, house: House
) -> None:
    here = house.url + quote(PREFIX)
    asked: list[str] = []
    context.on("request", lambda one: asked.append(one.url))
    call_sid = caller.ring(page, here, Your_name="Ana")
    console = context.new_page()
    console.goto(f"{here}/#token={AGENT}")
    console.get_by_role("link", name="Ana").click()
    expect(console).to_have_url(f"{here}/console/calls/{call_sid}")
    expect(console.get_by_role("log")).to_contain_text("Welcome to the story")
    console.reload()
    expect(console.get_by_role("log")).to_contain_text("Welcome to the story")
    expect(console.locator('.link-mark[data-link="live"]')).to_be_visible()
    export = console.get_by_role("link", name="JSON").get_attribute("href") or ""
    assert console.request.get(house.url + export).status == 200
    console.get_by_role("button", name="Take over").click()
    console.get_by_role("button", name="Talk", exact=True).click()
    expect(console.locator(".talk")).to_have_attribute("data-state", "talking")
    console.get_by_role("link", name=re.compile("All calls")).click()
    expect(console).to_have_url(f"{here}/console")
    (cookie,) = context.cookies()
    assert cookie.get("path") == quote(PREFIX)
    assert len(asked) > 20
    assert not [one for one in asked if not one.startswith((here, "blob:", "data:"))]
