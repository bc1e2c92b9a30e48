"""The path of a newcomer: docs/setup.md from its first block to a call, each line as it stands there.

What a test can't have is stood in for: Twilio by the simulator, `ngrok` by a tunnel of our own, and the minute of
downloads by an installation that is there. Where the page says "your own", the reader's own is put. Nothing else
is done, so a step that is not written is a step that fails.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.clock import Clock
from service.simulator import webhook
from service.simulator.account import Account
from service.simulator.exchange.exchange import Exchange
from service.simulator.phone import Phone
from tests.conftest import free_port, wait_until
from tests.standins.tunnel import certificate

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
STAYS_OPEN = "# stays open"
ACCOUNT, TOKEN = "AC" + "4" * 32, "3b8f0e6d5a7c41929d1e0f8b7a6c5d43"
NUMBER = "+447700900321"
STARTING_S_MAX = 120  # the engines load, on a machine that has other work
GREETING_MS_MAX = 60_000


def blocks() -> list[str]:
    """Return the shell blocks of the section on a first call."""
    text = (ROOT / "docs" / "setup.md").read_text(encoding="utf-8")
    section = text.partition("## A first call\n")[2].partition("\n## ")[0]
    return BLOCK.findall(section)


class Newcomer:
    """Somebody in a fresh folder who types what they read."""

    def __init__(self, folder: Path, own: dict[str, str], environment: dict[str, str]) -> None:
        self.folder = folder
        self._own = own
        self._environment = environment
        self._open: list[subprocess.Popen[bytes]] = []

    async def types(self, block: str) -> str:
        """Run a block as it stands, with the reader's own values; return what it says."""
        for theirs, ours in self._own.items():
            block = block.replace(theirs, ours)
        words = ["bash", "-euo", "pipefail", "-c", block]
        output = self.folder.parent / f"terminal{len(self._open)}"
        with output.open("wb") as screen:
            shell = subprocess.Popen(  # noqa: ASYNC220, S603 - the blocks of our own page
                words, cwd=self.folder, env=self._environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=screen, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._open.append(shell)
        if STAYS_OPEN not in block:
            await wait_until(
                lambda: shell.poll() is not None,
                description=f"this is done: {block}",
                within_s=STARTING_S_MAX,
            )
            assert shell.returncode == 0, self.screens()
        return output.read_text(errors="replace")

    def screens(self) -> str:
        """Return what stands on all terminals."""
        files = sorted(self.folder.parent.glob("terminal*"))
        return "\n".join(file.read_text(errors="replace") for file in files)

    def leaves(self) -> None:
        """Close all terminals."""
        for shell in reversed(self._open):
            if shell.poll() is None:
                os.killpg(shell.pid, signal.SIGINT)
                try:
                    shell.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(shell.pid, signal.SIGKILL)
                    shell.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh clone, in which the setting up is done already: that is a minute of downloads."""
    clone = tmp_path / "stayline"
    nothing = shutil.ignore_patterns("var")
    for name in ("service", "twiml", ".ci"):
        shutil.copytree(ROOT / name, clone / name, ignore=nothing)
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy2(ROOT / name, clone / name)
    programs = clone / ".venv" / "bin"
    programs.mkdir(parents=True)
    program = programs / "stayline"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m service "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    (clone / ".venv" / "ready").touch()
    return clone


@pytest.fixture
def newcomer(folder: Path, tmp_path: Path, exchange: Exchange, trusted: Path) -> Iterator[Newcomer]:
    """Somebody whose `ngrok` is ours, and whose Twilio is the simulator."""
    port, door = free_port(), free_port()
    programs = tmp_path / "programs"
    programs.mkdir()
    ngrok = programs / "ngrok"
    command = f"cd {ROOT} && exec {sys.executable} -m tests.standins.tunnel {port} {door} {trusted}"
    ngrok.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    ngrok.chmod(0o755)
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    environment = {
        **kept,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PORT": str(port),  # the page says 8000; a test must not take a port that others have
        "TWILIO_API_URL": exchange.api_url,
        "SSL_CERT_FILE": str(trusted),
    }
    url = f"https://localhost:{door}"
    exchange.route(url)
    own = {
        "AC00000000000000000000000000000000": ACCOUNT,
        "your_auth_token": TOKEN,
        "https://calls.example.com": url,
        "+15551234567": NUMBER,
    }
    reader = Newcomer(folder, own, environment)
    yield reader
    reader.leaves()


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The tunnel's certificate, which everybody here trusts."""
    file = tmp_path / "certificate.pem"
    certificate(file, Clock().now_ms())
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    webhook.trust.cache_clear()
    yield file
    webhook.trust.cache_clear()


@pytest_asyncio.fixture
async def exchange(trusted: Path) -> AsyncIterator[Exchange]:
    assert trusted.stat().st_size, "it is there before the exchange reads it"  # noqa: ASYNC240 - a small file
    async with Exchange(Account(ACCOUNT, TOKEN)) as running:
        running.numbers.buy(NUMBER)
        yield running


async def test_the_page_says_what_to_put_ones_own_for() -> None:
    text = (ROOT / "docs" / "setup.md").read_text(encoding="utf-8")
    before = text.partition("```sh")[0]
    for placeholder in (
        "AC" + "0" * 32,
        "your_auth_token",
        "https://calls.example.com",
        "+15551234567",
    ):
        assert f"`{placeholder}`" in before


async def test_a_newcomer_who_does_what_is_written_has_a_call(
    newcomer: Newcomer, exchange: Exchange
) -> None:
    set_up, tunnel, settings, serve, number, read = blocks()
    for block in (set_up, tunnel, settings, serve):
        await newcomer.types(block)
    await wait_until(
        lambda: "Stayline answers at" in newcomer.screens(),
        description="it says that it answers",
        within_s=STARTING_S_MAX,
    )
    said = await newcomer.types(number)
    assert f"{NUMBER} leads here" in said
    assert " wrong" not in said, said
    phone: Phone = await exchange.call(to=NUMBER)
    await phone.until(lambda it: it.agent_turns == 1, "it greets", timeout_ms=GREETING_MS_MAX)
    await phone.caller.drop("reset")
    await phone.until(lambda it: it.streams == 2 and it.is_live, "it goes on")
    await phone.hang_up()
    assert phone.call_sid in await newcomer.types(read)
