"""The phone in a real browser: one conversation through reloads, dead networks and dead servers."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from service.parts import Own
from service.testing.house import House
from tests.browser import caller, place
from tests.browser.place import AGENT

# Safari's way: sound begins only inside a touch or a key, whatever was granted before.
# Chromium counts the test's own looks at the page as touches, so this browser counts clicks itself.
STRICT_BROWSER = """let clickedMs = -Infinity;
addEventListener("click", (event) => event.isTrusted && (clickedMs = performance.now()), true);
window.AudioContext = class extends AudioContext {
  get state() { return this.touched ? super.state : "suspended"; }
  async resume() {
    if (performance.now() - clickedMs > 5_000) return new Promise(() => {});
    this.touched = true;
    await super.resume();
    return this.onstatechange?.();
  }
};"""
OFFLINE_MS = 5_000  # the time of an outage that the issue names


@pytest.fixture(scope="module")
def microphone_ulaw() -> tuple[str, ...]:
    """A caller who listens: speech would cut the agent's story."""
    return ("silence.ulaw",)


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"phone": "open"}


@pytest.fixture
def own() -> Own:
    quick = place.quick()
    return Own(agent=caller.Reader(), speech=quick.speech, endpointer=quick.endpointer)


def greetings(page: Page, house: House, call_sid: str) -> int:
    return len(caller.facts(page, house.url, call_sid, "greeted"))


def test_a_call_is_answered_takes_keys_and_is_hung_up(page: Page, house: House) -> None:
    call_sid = caller.ring(page, house.url, Your_name="Ana", Company="Müller & Söhne")
    page.get_by_role("button", name="5", exact=True).click()
    page.keyboard.press("#")
    page.get_by_role("button", name="Mute").click()
    expect(page.get_by_text("You (muted)")).to_be_visible()
    expect(page.get_by_text("5#")).to_be_visible()
    page.get_by_role("button", name="Hang up").click()
    caller.await_state(page, "ended")
    expect(page.get_by_role("button", name="Call again")).to_be_visible()
    assert caller.kept(page) == {}
    call = caller.call_of(page, house.url, call_sid)
    assert call["phase"] == "ended"
    assert call["parameters"]["company"] == "Müller & Söhne"
    pressed = caller.facts(page, house.url, call_sid, "digit_pressed")
    assert [fact["digit"] for fact in pressed] == ["5", "#"]


def test_a_reload_in_the_agents_sentence_goes_on_without_a_second_greeting(
    page: Page, house: House
) -> None:
    call_sid = caller.ring(page, house.url)
    page.reload()
    caller.await_state(page, "live")
    caller.await_sound(page)
    assert caller.kept(page)["call_sid"] == call_sid
    call = caller.call_of(page, house.url, call_sid)
    assert [stream["epoch"] for stream in call["streams"]] == [1, 2]
    assert greetings(page, house, call_sid) == 1


def test_keys_wait_while_the_network_is_gone_and_then_arrive_in_order(
    page: Page, context: BrowserContext, house: House
) -> None:
    call_sid = caller.ring(page, house.url)
    context.set_offline(True)
    caller.await_state(page, "reconnecting")
    expect(page.get_by_role("status")).to_contain_text("offline")
    page.keyboard.type("42#")
    page.wait_for_timeout(OFFLINE_MS)
    context.set_offline(False)
    caller.await_state(page, "live")
    pressed = caller.await_facts(page, house.url, call_sid, "digit_pressed", 3)
    assert [fact["digit"] for fact in pressed] == ["4", "2", "#"]
    assert len(caller.call_of(page, house.url, call_sid)["streams"]) == 2
    assert greetings(page, house, call_sid) == 1


def test_a_killed_server_is_no_end(page: Page, house: House) -> None:
    call_sid = caller.ring(page, house.url)
    house.kill()
    caller.await_sound(page, streams=2)
    caller.await_state(page, "live")
    assert greetings(page, house, call_sid) == 1
    assert len(caller.call_of(page, house.url, call_sid)["streams"]) == 2


def test_a_second_tab_starts_afresh_and_takes_nothing(page: Page, house: House) -> None:
    call_sid = caller.ring(page, house.url)
    with (
        page.expect_popup() as opened
    ):  # It gets a copy of this tab's storage, as a duplicate does.
        page.evaluate("void window.open(location.href)")
    second = opened.value
    expect(second.get_by_role("button", name="Call", exact=True)).to_be_visible()
    assert caller.kept(second) == {}
    caller.await_state(page, "live")
    assert caller.kept(page)["call_sid"] == call_sid
    assert len(caller.call_of(page, house.url, call_sid)["streams"]) == 1


def test_a_call_left_a_minute_ago_is_on_offer(
    page: Page, house: House, axe: Callable[[Page], None]
) -> None:
    call_sid = caller.ring(page, house.url)
    caller.rewind(page, house.url, 60, idle_s=60)
    page.goto(house.url + "/phone")
    expect(page.get_by_role("heading", name="Go on with your call?")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Go on", exact=True).click()
    caller.await_state(page, "live")
    assert caller.kept(page)["call_sid"] == call_sid
    assert greetings(page, house, call_sid) == 1


def test_a_call_on_offer_can_be_left_for_a_new_one(page: Page, house: House) -> None:
    call_sid = caller.ring(page, house.url)
    caller.rewind(page, house.url, 60, idle_s=60)
    page.goto(house.url + "/phone")
    with page.expect_response("**/hangup"):
        page.get_by_role("button", name="Leave it").click()
    expect(page.get_by_role("button", name="Call", exact=True)).to_be_visible()
    assert caller.kept(page) == {}
    assert caller.call_of(page, house.url, call_sid)["phase"] == "ended"


def test_a_call_past_its_window_is_over_and_says_so_kindly(page: Page, house: House) -> None:
    caller.ring(page, house.url)
    caller.rewind(page, house.url, 3_600, idle_s=3_600)
    page.goto(house.url + "/phone")
    expect(page.get_by_role("status")).to_contain_text("You can start a new one")
    assert caller.kept(page) == {}
    page.get_by_role("button", name="Call again").click()
    caller.await_state(page, "live")


def test_a_call_that_ended_meanwhile_is_told_by_the_server(page: Page, house: House) -> None:
    call_sid = caller.ring(page, house.url)
    caller.rewind(page, house.url, 5, idle_s=5)
    answer = page.request.post(
        f"{house.url}/api/calls/{call_sid}/hangup", headers={"Authorization": f"Bearer {AGENT}"}
    )
    assert answer.ok, answer.text()
    page.goto(house.url + "/phone")
    caller.await_state(page, "ended")


def test_when_a_person_at_the_console_hangs_up_the_page_knows(page: Page, house: House) -> None:
    call_sid = caller.ring(page, house.url)
    page.request.post(
        f"{house.url}/api/calls/{call_sid}/hangup", headers={"Authorization": f"Bearer {AGENT}"}
    )
    caller.await_state(page, "ended")
    assert caller.kept(page) == {}


def test_nothing_secret_is_kept(page: Page, house: House) -> None:
    tickets: list[Any] = []
    page.on("response", lambda it: tickets.append(it.json()) if "/api/phone/" in it.url else None)
    caller.ring(page, house.url, Your_name="Ana")
    tab = page.evaluate("JSON.stringify(sessionStorage)")
    visitor = json.loads(page.evaluate("JSON.stringify(localStorage)"))
    assert len(tickets) == 1
    assert tickets[0]["stream_token"] not in tab
    assert set(caller.kept(page)) == {
        "call_sid", "recovery", "attempt", "parameters", "windows",
        "alive_at", "live_at", "left_at", "acted_at",
    }  # fmt: skip
    assert json.loads(visitor["stayline:visitor"]) == {"client_name": "Ana"}


def test_a_blocked_microphone_is_told_before_any_call_is_opened(page: Page, house: House) -> None:
    page.add_init_script(
        "MediaDevices.prototype.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };"
    )
    asked: list[str] = []
    page.on("request", lambda it: asked.append(it.url) if "/api/phone/" in it.url else None)
    page.goto(house.url + "/phone")
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("microphone is blocked")
    assert asked == []


def test_a_browser_that_wants_a_touch_gets_one_clear_button(page: Page, house: House) -> None:
    page.add_init_script(STRICT_BROWSER)
    call_sid = caller.ring(page, house.url)
    page.reload()
    page.get_by_role("button", name="Tap to go on").click()
    caller.await_sound(page)
    caller.await_state(page, "live")
    assert caller.kept(page)["call_sid"] == call_sid
    assert greetings(page, house, call_sid) == 1


def test_a_network_that_stays_away_ends_the_waiting_in_kind_words(
    page: Page, context: BrowserContext, house: House
) -> None:
    page.clock.install()
    caller.ring(page, house.url)
    context.set_offline(True)
    caller.await_state(page, "reconnecting")
    page.clock.fast_forward("15:00")
    caller.await_state(page, "expired")
    expect(page.get_by_role("status")).to_contain_text("You can start a new one")


def test_the_recovery_token_is_kept_warm_while_the_call_lives(page: Page, house: House) -> None:
    page.clock.install()
    caller.ring(page, house.url)
    with page.expect_response("**/keep") as answered:
        page.clock.fast_forward(46_000)
    assert answered.value.json()["recovery"] == caller.kept(page)["recovery"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_fit_for_everybody_at_the_width_of_a_pocket(
    page: Page, house: House, axe: Callable[[Page], None], scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(house.url + "/phone")
    axe(page)
    caller.ring(page, house.url)
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_role("button", name="Hang up").click()
    caller.await_state(page, "ended")
    axe(page)
