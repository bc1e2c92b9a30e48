"""The Chromium that is on this machine, and how tests start it. Playwright downloads none."""

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chrome", "chromium-browser")
ARGUMENTS = (
    "--no-sandbox",  # tests run as root in a container, and open only their own pages
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)


def found() -> str:
    """Return the path of a Chromium, "" when there is none. The variable CHROMIUM goes first."""
    named = os.environ.get("CHROMIUM", "")
    places = [named] if named else NAMES
    return next((path for name in places if (path := shutil.which(name))), "")


def arguments(microphone: Path | None = None) -> list[str]:
    """Return the command line's words; what is said into the microphone comes from a WAV, over and over."""
    heard = [f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
    return [*ARGUMENTS, *heard]
