"""A sealed store, as the settings of a test name it, with calls in it."""

import asyncio
from base64 import b64encode

from service.call import events as e
from service.config import load
from service.parts import sealed_store
from service.trust.sealkeys import SealKey

NOW_MS = 1_790_000_000_000
NUMBER = "+447700900123"


def text(key: SealKey) -> str:
    return f"{key.kid}:{b64encode(key.secret).decode()}"


def kept(*calls: tuple[str, str], held_ms: int = 0) -> None:
    """Put calls, each with its caller's number, into the store."""

    async def write() -> None:
        journal = sealed_store(load())
        await journal.start()
        for call_sid, number in calls:
            fact = e.CallOpened(call_sid=call_sid, from_number=number)
            await journal.open(call_sid, [e.encode(fact)], now_ms=NOW_MS)
            if held_ms:
                await journal.claim(call_sid, [], owner="s", until_ms=held_ms, now_ms=NOW_MS)
        await journal.close()

    asyncio.run(write())


def left() -> list[str]:
    """Return the calls that the store has."""

    async def read() -> list[str]:
        journal = sealed_store(load())
        await journal.start()
        calls = [one.call_sid for one in await journal.open_calls()]
        await journal.close()
        return calls

    return asyncio.run(read())
