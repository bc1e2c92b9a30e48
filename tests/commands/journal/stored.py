"""A store with a call in it."""

import asyncio
from pathlib import Path

from service.call import events as e
from service.journal.stores import connect
from service.journal.values import Appended
from tests.call.story import Story

CALL_SID = "CA00000000000000000000000000000001"


def stored(path: Path, story: Story) -> str:
    """Put a story's records into a store of its own, and return its URL."""
    url = f"sqlite:///{path}"

    async def write() -> None:
        journal = connect(url, ttl_ms=1_800_000)
        await journal.start()
        opening = [e.encode(story.journal[0][0])]
        at_ms = story.journal[0][1].at_ms
        await journal.open(CALL_SID, opening, now_ms=at_ms)
        epoch = 0
        for number, (fact, place) in enumerate(story.journal[1:]):
            now_ms, is_outside = place.at_ms, not place.epoch
            if place.epoch > epoch:
                await journal.claim(CALL_SID, [], owner="s1", until_ms=now_ms, now_ms=now_ms)
                epoch += 1
            written = await journal.append(
                CALL_SID,
                (e.encode(fact),),
                epoch=None if is_outside else epoch,
                after=None if is_outside else place.position - 1,
                key=f"k{number}",
                now_ms=now_ms,
            )
            assert isinstance(written, Appended)
        await journal.close()

    asyncio.run(write())
    return url
