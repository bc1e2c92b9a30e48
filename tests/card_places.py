"""The places in which a card number could stand: one server's store, shelf and log, and all that it shows.

A server stands in front of the store, which is a SQLite file or a real Valkey with its append-only log and a
dump. What it writes is searched for a number, its beginning and its end: as digits, one by one, as words, and as
the whole number that a store may make of digits.
"""

import asyncio
import io
import logging
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal

import httpx2
from redis.asyncio import Redis

from service import logs
from service.app import create_app
from service.errors import StoreUnavailable
from service.journal.journal import Journal
from service.journal.stores import connect
from service.parts import Own
from service.speech.ear.endpoint import Endpointer
from tests.conftest import for_a_moment, wait_until
from tests.session.house import CALL
from tests.session.parts import LoudVoice, NotingCarrier, ScriptedAgent, ScriptedSpeech
from tests.standins.valkey import Valkey
from tests.web.front import Front, served, settings

Kind = Literal["sqlite", "redis"]
TELLING = 8  # digits in a row: fewer would be found by chance in times and audio positions
SAID = 4  # words in a row that are digits: nobody else says so many
LONG = 12  # digits in a row, where all numbers are looked for at once
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
CALLER = "+15550001"
TTL_MS = 1_800_000
GROWING = (".aof", "log")  # files that are only added to
BEARER = {"authorization": "Bearer all"}
SHOWN = {
    "call": f"/api/calls/{CALL}",
    "calls": "/api/calls",
    "board": "/api/board",
    "records": f"/api/calls/{CALL}/events",
    "timeline": f"/api/calls/{CALL}/timeline",
    "export": f"/api/calls/{CALL}/export?format=json",
    "transcript": f"/api/calls/{CALL}/export?format=text",
    "person": f"/api/export?number=%2B{CALLER[1:]}",
    "figures": "/api/figures",
    "metrics": "/metrics",
}

_ONE_BY_ONE = re.compile(rb'"([0-9*#])"')


def hits(number: str, content: str | bytes) -> bool:
    """Whether the number, its beginning or its end is there."""
    content = content.encode() if isinstance(content, str) else content
    beginning, end = number[:TELLING].encode(), number[-TELLING:].encode()
    said = " ".join(WORDS[int(digit)] for digit in number[:SAID]).encode()
    needles = (beginning, end, said, int(number).to_bytes(8, "little"))
    keyed = b"".join(_ONE_BY_ONE.findall(content))
    return any(one in content for one in needles) or beginning in keyed or end in keyed


class Wayward:
    """A store that is away when told so."""

    def __init__(self, real: Journal) -> None:
        self._real = real
        self.is_away = False

    def __getattr__(self, name: str) -> Any:
        if name in ("tail", "listen"):
            return getattr(self._real, name)

        async def act(*words: Any, **named: Any) -> Any:
            if self.is_away and name not in ("start", "close"):
                raise StoreUnavailable("away")
            return await getattr(self._real, name)(*words, **named)

        return act


class Disk:
    """All files of some folders; of those that only grow, what was not read before."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._read: dict[Path, int] = {}

    def fresh(self) -> bytes:
        return b"\n".join(map(self._rest, self._files()))

    def whole(self) -> bytes:
        return b"\n".join(path.read_bytes() for path in self._files())

    def _files(self) -> Iterator[Path]:
        found = (path for folder in self._folders for path in folder.rglob("*"))
        return (path for path in found if path.is_file())

    def _rest(self, path: Path) -> bytes:
        if not path.name.endswith(GROWING):
            return path.read_bytes()
        with path.open("rb") as file:
            file.seek(self._read.get(path, 0))
            rest = file.read()
        self._read[path] = self._read.get(path, 0) + len(rest)
        return rest


class Watcher:
    """Whoever follows the call live, by events and by the long poll, until it is gone."""

    def __init__(self, host: str, web: httpx2.AsyncClient) -> None:
        self._url = f"http://{host}/api/calls/{CALL}/events"
        self._web = web
        self.events = ""
        self.polled = ""
        self._tasks = [asyncio.create_task(one) for one in (self._follow(), self._poll())]

    async def saw(self, kind: str) -> None:
        """Wait until both ways told of such a fact."""
        told = f'"{kind}"'
        await wait_until(
            lambda: told in self.events and told in self.polled, description=f"{kind} is shown"
        )

    async def gone(self) -> None:
        """Wait until both ways said that the call is no more."""
        async with asyncio.timeout(10):
            await asyncio.gather(*self._tasks)

    async def _follow(self) -> None:
        while "event: gone" not in self.events:
            ids = re.findall(r"id: (\S+)", self.events)
            headers = {**BEARER, "accept": "text/event-stream", "last-event-id": (ids or [""])[-1]}
            async with self._web.stream("GET", self._url, headers=headers) as answer:
                if answer.status_code == httpx2.codes.NOT_FOUND:
                    return
                async for text in answer.aiter_text():
                    self.events += text

    async def _poll(self) -> None:
        place = "0"
        while True:
            wish = {"after": place, "wait_s": "25"}
            answer = await self._web.get(self._url, headers=BEARER, params=wish)
            if answer.status_code == httpx2.codes.NOT_FOUND:
                return
            if not answer.is_success:  # for the store is away
                await for_a_moment(0.05)
                continue
            self.polled += answer.text
            told = answer.json()
            place = f"{told['incarnation']}:{told['position']}"


class Ground:
    """A server, its store and its log."""

    def __init__(self, kind: Kind, folder: Path, front: Front, host: str, store: Wayward) -> None:
        self.front = front
        self.store = store
        self.host = host
        self._kind = kind
        self._folder = folder
        self._disk = Disk(folder / "store")
        self._web = httpx2.AsyncClient(trust_env=False, verify=False, timeout=30)
        self._log = io.StringIO()

    @property
    def journal(self) -> Journal:
        return self.front.journal

    def watched(self) -> Watcher:
        return Watcher(self.host, self._web)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Have the store away for a block, as if its disk or network were."""
        self.store.is_away = True
        try:
            yield
        finally:
            self.store.is_away = False

    def shelf(self) -> bytes:
        return Disk(self._folder / "behind").whole()

    async def at_rest(self) -> None:
        """Wait until the store has all."""
        await wait_until(
            lambda: not self.front.parts.journal.arrears.calls, description="the store has all"
        )

    async def erase(self) -> None:
        """Erase the call, as soon as the store has all of it."""

        async def is_erased() -> bool:
            try:
                await self.journal.erase(CALL)
            except StoreUnavailable:
                return False
            return True

        await wait_until(is_erased, description="the call is erased")

    async def places(self) -> dict[str, str | bytes]:
        """Return what stands where, and was not returned before."""
        if self._kind == "redis":
            async with Redis(port=int(self.front.parts.config.store_url.rpartition(":")[2])) as one:
                await one.save()
        told: dict[str, str | bytes] = {}
        for name, path in SHOWN.items():
            answer = await self.front.api("GET", path)
            assert answer.is_success, f"{path}: {answer.text}"
            told[name] = answer.text
        told[f"files of {self._kind}"] = self._disk.fresh()
        told["log"] = self._log.getvalue()
        self._log.seek(0)
        self._log.truncate()
        return told

    def left(self, numbers: Sequence[str]) -> int:
        """Return how many of the numbers are in what the store's files have at the end."""
        ends = {end.encode() for number in numbers for end in (number[:LONG], number[-LONG:])}
        rows = re.findall(rb"\d{%d,}" % LONG, self._disk.whole() + self._dump())
        return sum(row[at : at + LONG] in ends for row in rows for at in range(len(row) - LONG + 1))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Have all that is logged in a block written down, from DEBUG on."""
        told = logging.StreamHandler(self._log)
        told.setFormatter(logs.json_lines())
        root, level = logging.getLogger(), logging.getLogger().level
        root.addHandler(told)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.removeHandler(told)
            root.setLevel(level)

    async def close(self) -> None:
        await self._web.aclose()

    def _dump(self) -> bytes:
        """Return what SQLite itself reads in its file."""
        if self._kind == "redis":
            return b""
        with sqlite3.connect(self._folder / "store" / "calls.db") as file:
            tables = file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            rows = [row for (name,) in tables for row in file.execute(f'SELECT * FROM "{name}"')]  # noqa: S608 - its own tables
        file.close()
        return b"\n".join(
            one if isinstance(one, bytes) else str(one).encode() for row in rows for one in row
        )


@asynccontextmanager
async def ground(
    kind: Kind, folder: Path, agent: ScriptedAgent | None = None, **changes: Any
) -> AsyncIterator[Ground]:
    """Start a server on such a store, all of whose files are in `folder`."""
    (folder / "store").mkdir(parents=True)
    with ExitStack() as stores:
        url = f"sqlite:///{folder}/store/calls.db"
        if kind == "redis":
            wish = {"appendonly": "yes", "rdbcompression": "no"}
            url = stores.enter_context(Valkey(folder / "store", **wish)).url
        store = Wayward(connect(url, ttl_ms=TTL_MS))
        app = create_app(
            settings(store_url=url, write_behind=f"{folder}/behind", **changes),
            own=Own(
                agent=agent or ScriptedAgent(),
                speech=ScriptedSpeech(),  # type: ignore[arg-type] # scripted
                endpointer=lambda: Endpointer(LoudVoice()),
                engine=store,
            ),
        )
        front = Front(app, NotingCarrier())
        async with app.router.lifespan_context(app), front.web, served(front) as host:
            opened = Ground(kind, folder, front, host, store)
            with opened.listening():
                yield opened
            await opened.close()


def counted(number: str, places: Mapping[str, str | bytes]) -> Counter[str]:
    """Return the places that tell of the number."""
    return Counter(name for name, content in places.items() if hits(number, content))
