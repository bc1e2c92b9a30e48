"""One server for a whole file of hostile peers, and a live call that none of them may harm."""

import asyncio
import itertools
import json
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from service.call import events as e
from service.journal.values import Reading
from service.session.session import Session
from tests.conftest import wait_until
from tests.hostile.raw import TEXT, RawSocket, frame
from tests.web.front import ACCOUNT, CALL, Front, Stream, fronted, ring, served, stream

NEWS = ("webhook_fallback",)  # an error that the carrier tells us of, and so on its own
_numbers = itertools.count(1_000)


@pytest.fixture(autouse=True)
def _nothing_outlives_the_test() -> None:
    """The loop is the file's, and its server outlives every test."""


class Witness:
    """The server, and a caller who is on the line all the while."""

    def __init__(self, front: Front, host: str, line: Stream) -> None:
        self.front = front
        self.host = host
        self.line = line
        self._seen = 0
        self._pressed = 0

    @property
    def session(self) -> Session:
        """The session of the caller on the line."""
        found = self.front.parts.switchboard.find(CALL)
        assert found is not None, "the call beside is gone"
        return found

    async def is_well(self) -> None:
        """Have the caller press a key, and see that it was noted on the first stream of the call."""
        self._pressed += 1
        await self.line.send("dtmf", dtmf={"digit": "#"})
        await wait_until(self._noted, description="the key of the call beside is noted")
        assert self.session.call.phase == "live"
        assert [one.reason for one in self.session.call.streams] == [""]

    async def _noted(self) -> bool:
        reading = await self.front.journal.read(CALL, after=self._seen)
        assert isinstance(reading, Reading)
        facts = [e.decode(record.body) for record in reading.records]
        self._seen = reading.head
        self._pressed -= sum(isinstance(fact, e.DigitPressed) for fact in facts)
        return self._pressed == 0

    async def start(self, raw: RawSocket) -> str:
        """Have a raw socket become the stream of a call of its own, greeted; return the CallSid."""
        call_sid = f"CA{next(_numbers):032d}"
        token = await self.front.token(CallSid=call_sid)
        await raw.send(frame(TEXT, start(call_sid, token)))
        while (await raw.frame())[0] != TEXT:
            pass
        return call_sid

    async def over(self, call_sid: str) -> None:
        """See that a call is there although its stream is gone, and end it."""
        session = self.front.parts.switchboard.find(call_sid)
        assert session is not None
        await wait_until(lambda: session.call.phase == "detached", description="it is detached")
        assert session.call.ended_ms is None
        answer = await self.front.hook(
            "/callbacks/call", ring(CallSid=call_sid, CallStatus="completed")
        )
        assert answer.status_code == 204


def start(call_sid: str, token: str) -> bytes:
    """Return the start message of a stream that belongs to a call."""
    body = {"callSid": call_sid, "streamSid": f"MZ{call_sid}", "accountSid": ACCOUNT}
    return json.dumps(
        {"event": "start", "start": {**body, "customParameters": {"token": token}}}
    ).encode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def witness() -> AsyncIterator[Witness]:
    async with fronted(media_idle_s=0) as front, served(front) as host:
        token = await front.token()
        async with stream(host) as line:
            await line.start(token)
            listening = asyncio.create_task(line.closed())
            yield Witness(front, host, line)
            assert not listening.done(), "the call beside was cut off"
        await listening


@pytest.fixture(autouse=True)
def _no_traceback(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever came in, no line of the log is an error, and none carries a traceback."""
    caplog.set_level(logging.INFO)
    yield
    for record in caplog.get_records("call"):
        assert record.exc_info is None, record.getMessage()
        is_news = getattr(record, "action", "") in NEWS
        assert record.levelno < logging.ERROR or is_news, record.getMessage()
