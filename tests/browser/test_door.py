"""The way into the console, in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from service.testing.house import House
from tests.browser.place import AGENT


def test_a_link_with_a_token_signs_in_and_leaves_the_address_clean(
    page: Page, house: House
) -> None:
    page.goto(f"{house.url}/console#token={AGENT}")
    expect(page.get_by_role("link", name="Stayline").first).to_be_visible()
    expect(page.get_by_label("Your token")).to_have_count(0)
    assert page.evaluate("location.href") == f"{house.url}/console"
    assert page.evaluate("document.cookie") == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_is_kind_about_a_wrong_token_and_takes_the_right_one(
    page: Page, house: House, axe: Callable[[Page], None], scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(house.url + "/console")
    axe(page)
    page.get_by_label("Your token").fill("not-this-one")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This token isn't known here")).to_be_visible()
    axe(page)
    page.get_by_label("Your token").fill(AGENT)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Your token")).to_have_count(0)
