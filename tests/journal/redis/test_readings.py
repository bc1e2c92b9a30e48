from random import Random

import pytest

from service.journal.redis.address import address_of
from service.journal.redis.journal import RedisJournal
from service.journal.redis.pump import Pump
from service.journal.redis.readings import Readings
from service.journal.redis.rows import HEADLINE_FIELDS
from service.journal.redis.server import RedisServer
from service.journal.tailing import Bells
from service.journal.values import Gone, Known, Missing, Reading, Snapshot
from tests.journal.backends import Store
from tests.journal.taking import take

CALL = "CA" + "7" * 32
NOW_MS = 1_790_000_000_000


@pytest.mark.asyncio
async def test_a_call_is_read_with_the_fields_that_were_asked_for(redis: Store) -> None:
    journal = await redis.journal()
    assert isinstance(journal, RedisJournal)
    await take(journal, CALL, [b"a", b"b"], owner="one", until_ms=0, now_ms=NOW_MS)
    await journal.snapshot(CALL, epoch=1, position=1, body=b"s")
    pump = Pump(RedisServer(address_of(redis.url)), Random(1))
    pump.start()
    readings = Readings(pump, Bells())
    whole = await readings.read(CALL, after=0)
    assert isinstance(whole, Reading)
    assert (whole.snapshot, len(whole.records)) == (Snapshot(1, b"s"), 2)
    part = await readings.read(CALL, after=0, last=0, fields=HEADLINE_FIELDS)
    assert isinstance(part, Reading)
    assert (part.snapshot, len(part.records), part.head) == (None, 1, 2)
    assert await readings.read("CA-nobody", after=0) == Missing()
    taken = [whole.incarnation.encode(), 0, 2, b"1"]
    for position, since in ((1, 1), (2, 2), (3, 0)):
        known = Known(whole.incarnation, position)
        reading, told_since = await readings.read_claimed(CALL, taken, known=known)
        assert isinstance(reading, Reading)
        assert told_since == since
        assert (reading.snapshot is None) == (since > 0)
    await pump.close()


@pytest.mark.asyncio
async def test_a_name_that_no_call_can_have_is_gone_without_a_look() -> None:
    readings = Readings(Pump(RedisServer(address_of("redis://localhost:1")), Random(1)), Bells())
    assert [one async for one in readings.tail("{x}", incarnation=None, after=0)] == [Gone()]
