"""Pictures of the phone in the browser: `python -m tests.browser.phone_pictures [FOLDER]`, ten seconds.

A real server and a real Chromium, one live call for each picture; `pictures` takes these, too.
"""

import sys
import tempfile
import wave
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from service.parts import Own
from tests.browser import caller, chromium, place

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "fixtures" / "pictures"
DEVICES = {"desk": (1_360, 1_000), "phone": (375, 812)}
SCHEMES = ("light", "dark")
SPOKEN_MS = 1_500  # the agent is heard, and its level shows


def main() -> None:
    """Take the pictures."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = chromium.found()
    if not path:
        sys.exit("no Chromium found: install it, or name it in CHROMIUM")
    with tempfile.TemporaryDirectory() as kept, sync_playwright() as playwright:
        microphone = Path(kept) / "microphone.wav"
        with wave.open(str(microphone), "wb") as spoken:
            spoken.setparams((1, 2, 8_000, 0, "NONE", ""))
            spoken.writeframes(bytes(16_000))  # who speaks over the agent silences it
        quick = place.quick()
        own = Own(agent=caller.Reader(), speech=quick.speech, endpointer=quick.endpointer)
        house = place.house(Path(kept), {"phone": "open"}, own)
        house.open()
        browser = playwright.chromium.launch(
            executable_path=path, args=chromium.arguments(microphone)
        )
        try:
            take(browser, house.url, folder)
        finally:
            browser.close()
            house.close()


def take(browser: Browser, url: str, folder: Path) -> None:
    """Take a live call in light and dark, at a desk and on a phone."""
    for scheme in SCHEMES:
        for device, (width, height) in DEVICES.items():
            context = browser.new_context(
                viewport={"width": width, "height": height},
                permissions=["microphone"],
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page = context.new_page()
            caller.ring(page, url)
            page.wait_for_timeout(SPOKEN_MS)
            page.screenshot(path=folder / f"phone_{device}_{scheme}.png")
            page.get_by_role("button", name="Hang up").click()
            context.close()


if __name__ == "__main__":
    main()
