"""The console in a real browser, beside real calls that are cut."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from service.call.acts import Act, Ask, Say
from service.call.state import Call, Turn
from service.testing.phone_call import PhoneCall
from service.testing.stayline import Stayline
from tests.browser.place import ADMIN, AGENT, TOKENS, VIEWER

Check = Callable[[Page], None]
LONG = " ".join(f"This is sentence number {n} of a long answer." for n in range(1, 30))


class Talker:
    """Greets, and has much to say whenever it is asked."""

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        if turn.reason == "opening":
            yield Ask(f"Hello {call.parameters.get('client_name', '')}, go on.", "wish")
        else:
            yield Say(LONG)


@pytest.fixture
def stayline_settings() -> dict[str, Any]:
    return {"api_tokens": TOKENS}


@pytest.fixture
def call(stayline: Stayline) -> PhoneCall:
    """A call that was greeted."""
    made = stayline.call(
        Talker, client_name="Maria Lopez", company="Acme", ticket_id="T-77", from_="+15550007"
    )
    return made.hears("go on")


@pytest.fixture
def show(page: Page) -> Callable[..., Page]:
    """`show(call)`: the page of a call, or with `path` another one, seen by an agent."""

    def shown(call: PhoneCall, path: str | None = None, token: str = AGENT) -> Page:
        signed(page, call, token)
        page.goto(call.house.url + (f"/console/calls/{call.call_sid}" if path is None else path))
        return page

    return shown


def signed(page: Page, call: PhoneCall, token: str) -> None:
    answer = page.request.post(
        call.house.url + "/api/session", data={"token": token}, headers={"X-Stayline": "1"}
    )
    assert answer.status == 204


def cut(call: PhoneCall) -> None:
    """Cut the agent's long answer off in the middle, and let the stream come back."""
    call.says("tell me all")
    call.hears("sentence number 2")
    call.drop_stream()
    call.comes_back()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 375], ids=["desk", "phone"])
def test_every_view_is_fit_for_everybody(
    call: PhoneCall, show: Callable[..., Page], axe: Check, scheme: str, width: int
) -> None:
    cut(call)
    page = show(call, "/console")
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    expect(page.get_by_role("link", name="Maria Lopez")).to_be_visible()
    page.get_by_text("The last hour").click()
    axe(page)
    page.get_by_role("link", name="Maria Lopez").click()
    expect(page.get_by_role("heading", name="Continuity")).to_be_visible()
    page.get_by_text("As a table").click()
    axe(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    axe(page)
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"the page is {wide} px wider than the screen"


def test_the_wall_shows_a_call_from_its_first_ring_to_its_end(
    stayline: Stayline, call: PhoneCall, show: Callable[..., Page]
) -> None:
    page = show(call, "/console")
    row = page.locator(".call-row", has_text="Maria Lopez")
    expect(row).to_contain_text("Live")
    expect(row).to_contain_text("T-77")
    expect(row).to_contain_text("Hello Maria Lopez, go on.")
    expect(row).to_contain_text("unbroken")
    other = stayline.call(Talker, client_name="Tom Evans").hears("go on")
    expect(page.locator(".call-row")).to_have_count(2)
    cut(call)
    expect(row).to_contain_text("1 drop")
    other.hangs_up()
    expect(page.locator(".call-row")).to_have_count(1)
    page.get_by_role("button", name=re.compile("^Ended")).click()
    expect(page.locator(".call-row")).to_contain_text("Tom Evans")


def test_words_that_were_said_find_a_call(
    stayline: Stayline, call: PhoneCall, show: Callable[..., Page]
) -> None:
    stayline.call(Talker, client_name="Tom Evans").hears("go on")
    page = show(call, "/console")
    expect(page.locator(".call-row")).to_have_count(2)
    page.keyboard.press("/")
    page.keyboard.type("hello maria")
    expect(page.locator(".call-row")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".call-row")).to_have_count(2)


def test_the_list_is_walked_through_by_keys_which_can_be_switched_off(
    stayline: Stayline, call: PhoneCall, show: Callable[..., Page]
) -> None:
    stayline.call(Talker, client_name="Tom Evans").hears("go on")
    page = show(call, "/console")
    expect(page.locator(".call-row")).to_have_count(2)
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    expect(page.get_by_role("link", name="Tom Evans")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Tom Evans")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".call-row")).to_have_count(2)
    page.keyboard.press("?")
    page.get_by_label("Single keys do something").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_cut_shows_as_a_gap_with_its_cause_while_one_looks_on(
    call: PhoneCall, show: Callable[..., Page]
) -> None:
    page = show(call)
    expect(page.locator('.thing[data-kind="stream"]')).to_have_count(1)
    cut(call)
    expect(page.locator('.thing[data-kind="stream"]')).to_have_count(2)
    gap = page.locator('.thing[data-kind="gap"]')
    expect(gap).to_have_attribute("aria-label", re.compile("Gap of .* s, dropped"))
    log = page.get_by_role("log")
    expect(log).to_contain_text("Went on with the clause that was cut.")
    expect(page.locator('p[role="alert"]')).to_contain_text("The stream is back")
    gap.focus()
    expect(page.locator(".told")).to_contain_text("dropped")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".thing:focus")).to_have_count(1)
    expect(gap).not_to_be_focused()


def test_what_the_caller_did_not_hear_is_struck_and_named(
    call: PhoneCall, show: Callable[..., Page]
) -> None:
    page = show(call)
    call.says("tell me all")
    call.hears("sentence number 1")
    call.says("stop I have heard enough of that")
    expect(page.locator(".log del").first).to_contain_text("sentence number 29")
    expect(page.get_by_role("log")).to_contain_text("not heard")


def test_the_past_is_shown_as_it_was_and_can_be_linked_to(
    call: PhoneCall, show: Callable[..., Page], context: BrowserContext
) -> None:
    cut(call)
    page = show(call)
    expect(page.get_by_role("log")).to_contain_text("tell me all")
    page.get_by_role("log").get_by_role("button", name=re.compile("Go to")).first.click()
    expect(page.locator(".scrubber")).to_contain_text("As of")
    expect(page.get_by_role("log")).not_to_contain_text("tell me all")
    address = page.evaluate("location.href")
    assert re.search(r"#p=[0-9]+$", address)
    other = context.new_page()
    other.goto(address)
    expect(other.locator(".scrubber")).to_contain_text("As of")
    expect(other.get_by_role("log")).not_to_contain_text("tell me all")
    page.get_by_role("button", name="Back to live").click()
    expect(page.get_by_role("log")).to_contain_text("tell me all")


def test_records_come_without_gap_or_duplicate_over_a_restart_of_the_server(
    call: PhoneCall, show: Callable[..., Page]
) -> None:
    page = show(call)
    expect(page.locator(".link-mark")).to_contain_text("live")
    call.kill_server()
    call.comes_back()
    call.says("tell me all")
    call.hears("sentence number 3")
    expect(page.get_by_role("log")).to_contain_text("tell me all")
    expect(page.locator(".link-mark")).to_contain_text("live")
    told = page.evaluate("({...document.documentElement.dataset})")
    assert (told["gaps"], told["duplicates"], told["resets"]) == ("0", "0", "0")
    assert int(told["records"]) > 0


def test_where_streams_are_blocked_the_page_asks_instead(
    call: PhoneCall, show: Callable[..., Page]
) -> None:
    page = show(call, "/console")

    def blocked(route: Any) -> None:
        is_stream = "text/event-stream" in route.request.headers.get("accept", "")
        route.abort() if is_stream else route.continue_()

    page.route("**/api/**", blocked)
    page.goto(f"{call.house.url}/console/calls/{call.call_sid}")
    expect(page.locator('.link-mark[data-way="poll"][data-link="live"]')).to_be_visible()
    call.says("tell me all")
    expect(page.get_by_role("log")).to_contain_text("tell me all")
    assert page.evaluate("document.documentElement.dataset.gaps") == "0"


def test_a_line_and_a_note_reach_the_call(call: PhoneCall, show: Callable[..., Page]) -> None:
    page = show(call)
    page.get_by_label("Have a line said to the caller").fill("Maria, this is the team.")
    page.get_by_role("button", name="Say").click()
    call.hears("this is the team")
    expect(page.locator('.line[data-who="human"]')).to_contain_text("this is the team")
    page.get_by_label("A note for the team").fill("Call back before noon")
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".note")).to_contain_text("Call back before noon")


def test_hanging_up_is_asked_twice(call: PhoneCall, show: Callable[..., Page]) -> None:
    page = show(call)
    page.get_by_role("button", name="Hang up").click()
    page.get_by_role("button", name="No, go on").click()
    assert not call.is_over
    page.get_by_role("button", name="Hang up").click()
    page.get_by_role("button", name="Yes, hang up").click()
    call.ends()
    expect(page.get_by_role("heading", name="The call is over")).to_be_visible()


def test_a_viewer_sees_all_and_is_offered_nothing_that_changes_a_call(
    call: PhoneCall, show: Callable[..., Page]
) -> None:
    page = show(call, token=VIEWER)
    expect(page.get_by_role("log")).to_contain_text("Hello Maria Lopez")
    expect(page.get_by_role("button", name="Hang up")).to_have_count(0)
    expect(page.get_by_text("You may watch.")).to_be_visible()


def test_a_call_that_is_not_there_is_told_kindly(
    call: PhoneCall, show: Callable[..., Page], axe: Check
) -> None:
    page = show(call, f"/console/calls/CA{'0' * 32}", token=ADMIN)
    expect(page.get_by_role("heading", name="There is no such call.")).to_be_visible()
    axe(page)


def test_a_person_takes_the_call_says_something_and_hands_it_back(
    call: PhoneCall, show: Callable[..., Page], context: BrowserContext, axe: Check
) -> None:
    page = show(call)
    page.get_by_label("Your name, as others see it").fill("Ana")
    page.get_by_role("button", name="Take over").click()
    expect(page.get_by_text("You have this call")).to_be_visible()
    page.get_by_label("Say to the caller").fill("Hello Maria, this is Ana.")
    page.keyboard.press("Enter")
    call.hears("this is Ana")
    axe(page)
    other = context.new_page()
    other.goto(call.house.url + "/console")
    expect(other.locator(".call-row")).to_contain_text("with Ana")
    other.goto(page.url)
    expect(other.get_by_role("button", name="Take it from Ana")).to_be_visible()
    expect(other.get_by_label("Have a line said")).to_be_disabled()
    page.get_by_role("button", name="Hand back to the agent").click()
    expect(page.get_by_role("button", name="Take over")).to_be_visible()
    expect(other.get_by_role("button", name="Take over")).to_be_visible()


def test_of_two_people_the_second_takes_it_from_whom_they_see(
    call: PhoneCall, show: Callable[..., Page], context: BrowserContext
) -> None:
    page, other = show(call), context.new_page()
    other.goto(page.url)
    page.get_by_role("button", name="Take over").click()
    other.get_by_role("button", name=re.compile("^Take it from")).click()
    expect(other.get_by_text("You have this call")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Take it from"))).to_be_visible()


def test_a_call_goes_on_being_ours_after_a_reload_of_the_page(
    call: PhoneCall, show: Callable[..., Page]
) -> None:
    page = show(call)
    page.get_by_role("button", name="Take over").click()
    expect(page.get_by_text("You have this call")).to_be_visible()
    page.reload()
    expect(page.get_by_text("You have this call")).to_be_visible()
