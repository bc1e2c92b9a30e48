"""Pictures of the console and the phone for the README: `python -m tests.browser.pictures [FOLDER]`, about two minutes.

Real calls with the real engines: recorded callers, a drop in the agent's sentence, a server that is
killed in the caller's, and a person who takes over. Needs the extra `speech` and a Chromium.
"""

import sys
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from service.simulator.account import Terms
from service.testing.phone_call import PhoneCall
from service.testing.stayline import Stayline
from tests.browser import chromium, phone_pictures
from tests.browser.place import AGENT, TOKENS

ROOT = Path(__file__).parents[2]
AUDIO = ROOT / "fixtures" / "audio"
FOLDER = ROOT / "fixtures" / "pictures"
DESK, PHONE = (1360, 1_080), (390, 844)
SCHEMES = ("light", "dark")
WITHIN_MS = 30_000  # real engines on a busy machine
SETTLED_MS = 1_200  # a page is fetched, and its transitions are over


def main() -> None:
    """Make the calls, and take the pictures."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = chromium.found()
    if not path:
        sys.exit("no Chromium found: install it, or name it in CHROMIUM")
    with tempfile.TemporaryDirectory() as kept, sync_playwright() as playwright:
        stayline = Stayline(Path(kept), {"api_tokens": TOKENS})
        browser = playwright.chromium.launch(executable_path=path, args=chromium.arguments())
        try:
            take(browser, told(stayline), folder)
        finally:
            browser.close()
            stayline.close()
    phone_pictures.main()


def ring(stayline: Stayline, number: int, name: str, company: str, ticket_id: str) -> PhoneCall:
    """Let somebody call, as slowly as a carrier does."""
    return stayline.call(
        client_name=name,
        company=company,
        ticket_id=ticket_id,
        from_=f"+1555010{number:04}",
        audio=True,
        terms=Terms(),
    )


def told(stayline: Stayline) -> PhoneCall:
    """Make the calls that are seen. Returns the one that was cut twice."""
    call = ring(stayline, 17, "Sarah Johnson", "", "")
    call.until(lambda it: heard_words(it) >= 1, "the greeting is heard", within_ms=WITHIN_MS)
    pause(4_000)
    call.says(AUDIO / "caller_sarah_company.ulaw")
    before = len(call.transcript)
    call.until(lambda it: len(it.transcript) > before + 1, "it answers", within_ms=WITHIN_MS)
    pause(900)
    call.drop_stream()
    ring(stayline, 18, "Mei Tanaka", "Blue Yonder Air", "")
    ended = ring(stayline, 19, "Tom Evans", "Litware", "T-4202")
    call.comes_back(within_ms=WITHIN_MS)
    pause(6_000)
    ended.hangs_up()
    call.presses("4217#")
    call.drop_stream("half-open")
    ring(stayline, 20, "David Okafor", "Contoso Logistics", "T-4188")
    call.comes_back(within_ms=WITHIN_MS)
    pause(6_000)
    call.says(AUDIO / "caller_sarah_problem.ulaw")
    pause(4_000)
    call.says(AUDIO / "caller_sarah_no_wrong.ulaw")
    pause(2_000)
    return call


def heard_words(call: PhoneCall) -> int:
    """How many words of ours the caller has heard."""
    lines = call.transcript
    return sum(len(line["heard"].split()) for line in lines if line["who"] != "caller")


def take(browser: Browser, call: PhoneCall, folder: Path) -> None:
    """Take every picture in light and dark, at a desk and on a phone."""
    for scheme in SCHEMES:
        for device, (width, height) in (("desk", DESK), ("phone", PHONE)):
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page = context.new_page()
            shown(page, call, "/console", ".call-row")
            # Of the list on a phone the whole: its cards are not cut in the middle of a word.
            is_whole = device == "phone"
            page.screenshot(path=folder / f"console_list_{device}_{scheme}.png", full_page=is_whole)
            shown(page, call, f"/console/calls/{call.call_sid}", ".thing")
            page.screenshot(path=folder / f"console_call_{device}_{scheme}.png")
            context.close()


def shown(page: Page, call: PhoneCall, path: str, seen: str) -> None:
    """Show a page of the console, and wait until it stands still."""
    page.request.post(
        f"{call.house.url}/api/session", data={"token": AGENT}, headers={"X-Stayline": "1"}
    )
    page.goto(call.house.url + path)
    expect(page.locator(seen).first).to_be_visible()
    page.wait_for_timeout(SETTLED_MS)


def pause(ms: int) -> None:
    """Let the call go on."""
    threading.Event().wait(ms / 1_000)


if __name__ == "__main__":
    main()
