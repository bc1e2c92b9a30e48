"""The phone's module in a page of another origin: let in where PHONE_ORIGINS names it, and nowhere else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from service.parts import Own
from service.testing.house import House
from tests.browser import caller, place

CALL = """async ([server, origin]) => {
  const { openSession } = await import(`${server}/static/stayline.js`);
  const session = openSession({ server, parameters: { company: "Shop" } });
  const told = [];
  session.addEventListener("error", ({ detail }) => told.push(detail.words));
  await new Promise((resolve) => session.addEventListener("state", ({ detail }) => {
    told.push(detail.reason);
    if (["live", "refused"].includes(detail.state)) resolve();
  }));
  const { state, callSid } = session;
  if (state === "live") await session.hangUp();
  return { state, callSid, told, ended: session.state };
}"""


@pytest.fixture(scope="module")
def microphone_ulaw() -> tuple[str, ...]:
    return ("silence.ulaw",)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[House]:
    """A site of its own: a page of another origin that has nothing of ours."""
    folder = tmp_path / "shop"
    folder.mkdir()
    opened = place.house(folder, {"phone": "off"})
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def settings(shop: House) -> dict[str, Any]:
    return {"phone": "open", "phone_origins": (shop.url,)}


@pytest.fixture
def own() -> Own:
    quick = place.quick()
    return Own(agent=caller.Reader(), speech=quick.speech, endpointer=quick.endpointer)


def test_a_page_that_is_named_calls(page: Page, house: House, shop: House) -> None:
    page.goto(shop.url + "/healthz")
    told = page.evaluate(CALL, [house.url, shop.url])
    assert (told["state"], told["ended"]) == ("live", "ended"), told
    assert caller.call_of(page, house.url, told["callSid"])["phase"] == "ended"


def test_a_page_that_is_not_named_is_refused(page: Page, shop: House, house: House) -> None:
    page.goto(house.url + "/healthz")
    assert page.evaluate(CALL, [shop.url, house.url])["state"] == "refused"
