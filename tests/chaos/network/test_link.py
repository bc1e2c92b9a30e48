"""Every harm, as both ends see it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from service.chaos.callers.chance import chance
from service.chaos.network.lane import CALM, Weather
from service.chaos.network.link import Link
from service.chaos.network.proxy import Proxy
from service.clock import Clock
from tests.chaos.pair import Far, far_end
from tests.conftest import for_a_moment, wait_until

pytestmark = pytest.mark.asyncio

HOLD_S = 0.1


class Near:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def end(self) -> str:
        try:
            async with asyncio.timeout(5):
                while await self.reader.read(4_096):
                    pass
        except ConnectionError:
            return "reset"
        return "fin"


@asynccontextmanager
async def linked(weather: Weather = CALM) -> AsyncIterator[tuple[Near, Link, Far]]:
    async with far_end() as far:
        proxy = Proxy(
            lambda: ("127.0.0.1", far.port),
            chance=chance(1),
            clock=Clock(),
            weather=lambda: weather,
        )
        await proxy.start()
        near = Near(*await asyncio.open_connection(*proxy.place))
        near.writer.write(b"hello")
        await wait_until(lambda: far.got == b"hello", description="the link carries")
        link = proxy.link(near.writer.get_extra_info("sockname"))
        assert link is not None
        try:
            yield near, link, far
        finally:
            near.writer.close()
            await proxy.close()


async def ended(far: Far, how: str) -> None:
    await wait_until(lambda: far.end == how, description=f"the far end sees {how}")


async def test_both_ways_are_carried_and_ends_are_passed_on() -> None:
    async with linked(Weather(latency_ms=5, slice_bytes=2)) as (near, _, far):
        assert far.writer is not None
        far.writer.write(b"and back")
        assert await near.reader.readexactly(8) == b"and back"
        near.writer.close()
        await ended(far, "fin")


async def test_a_reset_reaches_both_ends() -> None:
    async with linked() as (near, link, far):
        link.reset()
        assert await near.end() == "reset"
        await ended(far, "reset")


async def test_a_fin_reaches_both_ends() -> None:
    async with linked() as (near, link, far):
        link.fin()
        assert await near.end() == "fin"
        await ended(far, "fin")


async def test_a_cut_in_the_middle_of_a_frame_lets_half_of_it_pass() -> None:
    async with linked() as (near, link, far):
        link.mid_frame()
        near.writer.write(b"12345678")
        assert await near.end() == "reset"
        await wait_until(lambda: bool(far.end), description="the far end sees the end")
        assert bytes(far.got) in (b"hello", b"hello1234")  # the reset may overtake the half


async def test_a_blackhole_tells_nobody_until_it_is_over() -> None:
    async with linked() as (near, link, far):
        link.blackhole(HOLD_S)
        near.writer.write(b"lost")
        await for_a_moment(HOLD_S / 2)
        assert (far.end, bytes(far.got)) == ("", b"hello")
        assert await near.end() == "reset"
        await ended(far, "reset")


async def test_a_half_open_link_is_known_to_the_carrier_alone() -> None:
    async with linked() as (near, link, far):
        link.harm = "half-open"
        link.half_open(HOLD_S)
        assert await near.end() == "reset"
        assert far.end == ""
        assert far.writer is not None
        far.writer.write(b'{"event":"media"}')
        await ended(far, "reset")
        assert len(link.media_after) == 1


async def test_what_is_late_arrives_after_the_carrier_is_gone() -> None:
    async with linked() as (near, link, far):
        link.late(HOLD_S)
        near.writer.write(b" stop")
        await for_a_moment(HOLD_S / 2)
        link.part()
        assert await near.end() == "reset"
        assert far.got == b"hello"
        await wait_until(lambda: far.got == b"hello stop", description="the late bytes come")
        await ended(far, "fin")


async def test_a_slow_close_ends_for_the_carrier_first() -> None:
    async with linked() as (near, link, far):
        link.slow_close(HOLD_S)
        assert await near.end() == "fin"
        assert far.end == ""
        await ended(far, "fin")


async def test_a_stall_is_no_end() -> None:
    async with linked() as (near, link, far):
        link.stall(HOLD_S)
        near.writer.write(b" later")
        await for_a_moment(HOLD_S / 2)
        assert far.got == b"hello"
        await wait_until(lambda: far.got == b"hello later", description="all of it comes")
        assert far.end == ""


async def test_a_reader_that_stops_slows_the_other_end_down() -> None:
    async with linked() as (near, link, far):
        link.far.pause_writing()
        near.writer.write(b" more")
        await for_a_moment(HOLD_S / 2)
        assert far.got == b"hello"
        link.far.resume_writing()
        await wait_until(lambda: far.got == b"hello more", description="it goes on")
