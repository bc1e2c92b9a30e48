"""The real application in a process of its own, which notes the moments that nobody outside can see.

async with Served(AGENT="tests.bench.talk:Storyteller") as served:
    phone = await served.exchange.call()
    ...
    served.notes(), await served.facts(phone)

Run as a program it is `stayline serve`, with an endpointer and a speech pool that write a line of JSON
into the file NOTES for each thing they do. Times are microseconds since the epoch.
"""

import asyncio
import os
import signal
import sys
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
import msgspec
import uvicorn
from typing_extensions import override

from service import config as settings
from service.app import create_app
from service.clock import Clock
from service.parts import Own
from service.protocol.messages import MESSAGE_BYTES_MAX
from service.simulator.exchange.exchange import Exchange
from service.simulator.phone import Phone
from service.speech.ear.endpoint import Endpointer
from service.speech.ear.heard import Speech, SpeechEnded
from service.speech.ear.vad import voice_activity
from service.speech.pool import WITHIN_MS, SpeechPool
from service.speech.recognizer import recognizer
from service.speech.synthesizer import synthesizer
from service.speech.transcript import Transcript
from service.wire.websocket import Wire
from tests.bench._accounts import ACCOUNT
from tests.conftest import free_port

BEARER = "a bearer token for benchmarks"
READY_S_MAX = 40.0

Json = dict[str, Any]


class Note(msgspec.Struct, omit_defaults=True):
    """One moment. `what`: stirred, ended (an utterance of `audio`), understood, rendered."""

    what: str
    at_us: int
    ear: int = 0
    call: str = ""
    audio: int = 0
    patience_ms: int = 0
    since_us: int = 0
    text: str = ""
    was_cached: bool = False


class _Notebook:
    """A file that notes are written to."""

    def __init__(self, path: str) -> None:
        self._file = Path(path).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - for the process's life
        self.clock = Clock()
        self.ears = 0

    def write(self, note: Note) -> None:
        self._file.write(msgspec.json.encode(note).decode() + "\n")


class _NotingEndpointer(Endpointer):
    """Notes when it first stirs and when an utterance is over."""

    def __init__(self, notebook: _Notebook) -> None:
        super().__init__(voice_activity())
        notebook.ears += 1
        self._ear = notebook.ears
        self._notebook = notebook

    @override
    def feed(self, ulaw: bytes) -> tuple[Speech, ...]:
        was_quiet = not (self.is_stirring or self.is_speaking)
        found = super().feed(ulaw)
        at_us = self._notebook.clock.now_us()
        if was_quiet and (self.is_stirring or self.is_speaking):
            self._notebook.write(Note("stirred", at_us, self._ear))
        for event in found:
            if isinstance(event, SpeechEnded):
                note = Note("ended", at_us, self._ear)
                note.audio, note.patience_ms = hash(event.audio), self.patience_ms
                self._notebook.write(note)
        return found


class _NotingPool(SpeechPool):
    """Notes what it renders and understands, and how long that took."""

    def __init__(self, notebook: _Notebook) -> None:
        super().__init__(synthesizer(), recognizer())
        self._notebook = notebook

    @override
    async def render(self, text: str, *, call: str = "", within_ms: int = WITHIN_MS) -> bytes:
        since_us, hits = self._notebook.clock.now_us(), self._cache.hits
        audio = await super().render(text, call=call, within_ms=within_ms)
        note = Note("rendered", self._notebook.clock.now_us(), call=call, since_us=since_us)
        note.text, note.was_cached = text, self._cache.hits > hits
        self._notebook.write(note)
        return audio

    @override
    async def transcribe(
        self, ulaw: bytes, within_ms: int = WITHIN_MS, *, call: str = "", is_guess: bool = False
    ) -> Transcript:
        since_us = self._notebook.clock.now_us()
        found = await super().transcribe(ulaw, within_ms, call=call, is_guess=is_guess)
        note = Note("understood", self._notebook.clock.now_us(), call=call, since_us=since_us)
        note.text, note.audio = found.text, hash(ulaw)
        self._notebook.write(note)
        return found


class Served:
    """The application on loopback, and an exchange whose calls it answers."""

    def __init__(self, **environment: str) -> None:
        self.exchange = Exchange(ACCOUNT)
        self._environment = environment
        self._folder = tempfile.TemporaryDirectory()
        self._url = ""
        self._running: asyncio.subprocess.Process | None = None

    @property
    def _path(self) -> Path:
        return Path(self._folder.name)

    async def __aenter__(self) -> Self:
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        await self.exchange.__aenter__()
        self.exchange.route(self._url)
        environment = {
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "PUBLIC_URL": self._url,
            "TWILIO_ACCOUNT_SID": ACCOUNT.account_sid,
            "TWILIO_AUTH_TOKEN": ACCOUNT.auth_token,
            "TWILIO_API_URL": self.exchange.api_url,
            "STORE_URL": f"sqlite:///{self._path / 'calls.db'}",
            "API_TOKENS": f"{BEARER}:admin",
            "NOTES": str(self._path / "notes"),
            **self._environment,
        }
        with (self._path / "log").open("ab") as log:
            self._running = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.bench._served",
                env={**os.environ, **environment}, stdout=log, stderr=log,
            )  # fmt: skip
        async with asyncio.timeout(READY_S_MAX), self._http() as http:
            while True:
                assert self._running.returncode is None, (self._path / "log").read_text()
                with suppress(httpx2.HTTPError):
                    if (await http.get("/readyz")).status_code == 200:
                        return self
                await asyncio.sleep(0.05)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.exchange.__aexit__(kind, error, trace)
        if self._running is not None and self._running.returncode is None:
            self._running.send_signal(signal.SIGTERM)
            await self._running.wait()
        self._folder.cleanup()

    def notes(self, *whats: str) -> list[Note]:
        """Return what was noted so far, oldest first."""
        lines = (self._path / "notes").read_bytes().splitlines()
        found = [msgspec.json.decode(line, type=Note) for line in lines]
        return [note for note in found if note.what in whats]

    async def facts(self, phone: Phone) -> list[Json]:
        """Return the call's records, each with `at_ms`."""
        async with self._http() as http:
            answer = await http.get(f"/api/calls/{phone.call_sid}/events")
        assert answer.status_code == 200, answer.text
        facts: list[Json] = answer.json()["events"]
        return [fact | {"at_ms": _milliseconds(fact["at"])} for fact in facts]

    def _http(self) -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {BEARER}"}
        return httpx2.AsyncClient(base_url=self._url, headers=headers)


def _milliseconds(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).timestamp() * 1_000)


def main() -> None:
    """Serve until told to stop."""
    config = settings.load()
    notebook = _Notebook(os.environ["NOTES"])
    own = Own(speech=_NotingPool(notebook), endpointer=lambda: _NotingEndpointer(notebook))
    voice_activity()  # an endpointer of one's own is not warmed up by the application
    uvicorn.run(
        create_app(config, own=own),
        host=config.host,
        port=config.port,
        ws=Wire,
        ws_max_size=MESSAGE_BYTES_MAX,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
    )


if __name__ == "__main__":
    main()
