"""A real Chromium before a real server.

REQUIRE_BROWSER=1 makes a missing Chromium a failure; without it these tests are skipped.

    def test_it(page, house, sign_in, axe):
        sign_in(page)
        page.goto(house.url + "/console")
        axe(page)
"""

import os
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from service.parts import Own
from service.testing.house import House
from service.testing.plugin import stayline, stayline_settings
from tests.browser import chromium, place

__all__ = ["stayline", "stayline_settings"]

PAGE_MS_MAX = 10_000
FIXTURES = Path(__file__).parents[2] / "fixtures" / "audio"
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def microphone_ulaw() -> tuple[str, ...]:
    """What is said into the microphone, over and over: names of fixtures. Define it anew to say more."""
    return ("silence.ulaw", "caller_sarah_name.ulaw", "silence.ulaw")


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory, microphone_ulaw: tuple[str, ...]) -> Path:
    import audioop  # noqa: PLC0415 - a package of its own from Python 3.13 on

    path = tmp_path_factory.mktemp("microphone") / "said.wav"
    with wave.open(str(path), "wb") as said:
        said.setparams((1, 2, 8_000, 0, "NONE", ""))
        for name in microphone_ulaw:
            said.writeframes(audioop.ulaw2lin((FIXTURES / name).read_bytes(), 2))
    return path


# Of a module and no longer: while Playwright runs, its loop is this thread's, and no other test's can be.
@pytest.fixture(scope="module")
def browser(microphone: Path) -> Iterator[Browser]:
    path = chromium.found()
    if not path:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("no Chromium found: install it, or name it in CHROMIUM")
        pytest.skip("no Chromium here")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=path, headless=True, args=chromium.arguments(microphone)
        )
        yield opened
        opened.close()


@pytest.fixture
def own() -> Own | None:
    """What a test wants in the place of the quick speech; it overrides this by a fixture of this name."""
    return None


@pytest.fixture
def settings() -> dict[str, Any]:
    """The settings that a test wants otherwise, by their names in small letters."""
    return {}


@pytest.fixture
def house(tmp_path: Path, settings: dict[str, Any], own: Own | None) -> Iterator[House]:
    """The running service; `house.kill()` and `house.restart()` start the next server at its address."""
    opened = place.house(tmp_path, settings, own)
    try:
        opened.open()
        yield opened
    finally:
        opened.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(permissions=["microphone"])
    opened.set_default_timeout(PAGE_MS_MAX)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page, on which no error of a script and no breach of the policy may happen."""
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on(
        "console",
        lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None,
    )
    yield opened
    assert not wrong, wrong


@pytest.fixture
def sign_in(house: House) -> Callable[..., None]:
    """`sign_in(page, token)`: wear a badge; an agent's when no token is given."""

    def wear(page: Page, token: str = place.AGENT) -> None:
        answer = page.request.post(
            house.url + "/api/session", data={"token": token}, headers={"X-Stayline": "1"}
        )
        assert answer.status == 204, answer.text()

    return wear


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """`axe(page)`: nothing serious or critical is found on the page as it stands."""

    def check(page: Page) -> None:
        found = Axe().run(page)
        told = [
            f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']][:3]}"
            for one in found.response["violations"]
            if one["impact"] in SERIOUS
        ]
        assert not told, "\n".join(told)

    return check
