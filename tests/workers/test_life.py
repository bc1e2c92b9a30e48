from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from starlette.applications import Starlette

from service.call import events as e, inputs as i, snapshot
from service.clock import Clock
from service.errors import SpeechError, StoreUnavailable
from service.journal.journal import Journal
from service.journal.stores import connect
from service.journal.values import Missing
from service.wire.rounds import PERIODS_MS
from service.workers import life as module
from tests.conftest import for_a_moment, wait_until
from tests.session.parts import NotingCarrier, ScriptedAgent, ScriptedSpeech
from tests.web.front import CALL, Front, built, ring, served, stream


def small(**changes: object) -> Starlette:
    return built(NotingCarrier(), ScriptedAgent(), ScriptedSpeech(), **changes)


@pytest.mark.asyncio
async def test_it_starts_serves_and_stops_and_leaves_nothing_running(tmp_path: Path) -> None:
    app = small(store_url=f"sqlite:///{tmp_path}/var/calls.db")
    async with app.router.lifespan_context(app):
        front = Front(app, NotingCarrier())
        assert (await front.web.get("/readyz")).json()["parts"]["store"]["durability"] == "local"
        await front.hook("/twiml/voice", ring())
        await front.web.aclose()
    again = small(store_url=f"sqlite:///{tmp_path}/var/calls.db")
    async with again.router.lifespan_context(again):
        kept = await again.state.parts.journal.open_calls()
        assert [headline.call_sid for headline in kept] == [CALL]


@pytest.mark.asyncio
async def test_no_caller_waits_for_what_snapshots_are_marked_by() -> None:
    snapshot.mark.cache_clear()
    app = small()
    async with app.router.lifespan_context(app):
        assert snapshot.mark.cache_info().currsize == 1


@pytest.mark.asyncio
async def test_calls_past_their_time_are_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SWEEP_S", 0.02)
    url = f"sqlite:///{tmp_path}/calls.db"
    old = connect(url, ttl_ms=60_000)
    await old.start()
    opened = e.encode(e.CallOpened(call_sid=CALL))
    await old.open(CALL, (opened,), now_ms=Clock().now_ms() - 120_000)
    await old.close()
    app = small(store_url=url)
    async with app.router.lifespan_context(app):
        journal: Journal = app.state.parts.journal

        async def is_swept() -> bool:
            return await journal.open_calls() == ()

        await wait_until(is_swept, description="the old call is gone")


@pytest.mark.asyncio
async def test_a_sweep_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SWEEP_S", 0.005)
    app = small()
    parts = app.state.parts
    tries = 0

    async def fail(*, now_ms: int) -> int:
        nonlocal tries
        tries += 1
        raise StoreUnavailable(f"no disk at {now_ms}")

    monkeypatch.setattr(parts.journal, "sweep", fail)
    async with app.router.lifespan_context(app):
        await wait_until(lambda: tries > 2, description="it is tried again")
    assert b"stayline_store_errors_total" in parts.meter.text()


@pytest.mark.asyncio
async def test_nothing_is_rehearsed_while_somebody_is_on_the_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "QUIET_S", 0.005)
    speech, on_the_line = ScriptedSpeech(), [CALL]
    app = built(NotingCarrier(), ScriptedAgent(), speech)
    monkeypatch.setattr(type(app.state.parts.switchboard), "__len__", lambda _: len(on_the_line))
    async with app.router.lifespan_context(app):
        await for_a_moment(0.05)
        assert speech.said == ["Hello."]
        on_the_line.clear()
        await wait_until(lambda: len(speech.said) > 1, description="it is rehearsed")


@pytest.mark.asyncio
@pytest.mark.parametrize("trouble", [SpeechError("too slow"), None])
async def test_engines_that_can_not_be_warmed_up_keep_nobody_from_calling(
    trouble: SpeechError | None,
) -> None:
    speech = ScriptedSpeech()
    speech.trouble = trouble
    app = built(NotingCarrier(), ScriptedAgent(), speech)
    async with app.router.lifespan_context(app):
        front = Front(app, NotingCarrier())
        assert (await front.web.get("/readyz")).status_code == 200
        await front.web.aclose()
    assert speech.is_closed


@pytest.mark.asyncio
async def test_a_store_that_can_not_be_opened_keeps_nobody_from_calling(tmp_path: Path) -> None:
    (tmp_path / "calls.db").mkdir()
    app = small(store_url=f"sqlite:///{tmp_path}/calls.db", write_behind=f"{tmp_path}/behind")
    async with app.router.lifespan_context(app):
        front = Front(app, NotingCarrier())
        ready = await front.web.get("/readyz")
        assert (ready.status_code, ready.json()["parts"]["store"]["status"]) == (200, "degraded")
        await front.hook("/twiml/voice", ring())
        reading = await app.state.parts.journal.read(CALL)
        assert isinstance(e.decode(reading.records[0].body), e.CallOpened)
        await front.web.aclose()


@pytest.mark.asyncio
async def test_what_waits_for_calls_is_told_as_it_stands_when_asked_for() -> None:
    app = small()
    async with app.router.lifespan_context(app):
        front, value = Front(app, NotingCarrier()), app.state.parts.meter.value
        assert value("stayline_inbox_waiting") == value("stayline_inbox_waiting_max") == 0
        async with served(front) as host, stream(host) as one:
            await one.start(await front.token())
            await one.hear("media")
            session = app.state.parts.switchboard.find(CALL)
            before = value("stayline_inbox_waiting")
            for key in "123":
                session.post(i.Key(key))
            assert value("stayline_inbox_waiting") == before + 3
            assert value("stayline_inbox_waiting_max") == before + 3
        assert value("stayline_reading_period_seconds") == 0
        app.state.parts.rounds._level = 1
        assert value("stayline_reading_period_seconds") == PERIODS_MS[1] / 1_000
        await front.web.aclose()


@pytest.mark.asyncio
async def test_a_shutdown_in_the_middle_of_a_call_is_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    app = small(store_url=url)
    async with app.router.lifespan_context(app):
        front = Front(app, NotingCarrier())
        async with AsyncExitStack() as wires:
            async with served(front) as host:
                one = await wires.enter_async_context(stream(host))
                await one.start(await front.token())
                await one.hear("media")
            assert (await one.closed())[0] == 1012
        await front.web.aclose()
    journal = connect(url, ttl_ms=60_000)
    await journal.start()
    reading = await journal.read(CALL)
    await journal.close()
    assert not isinstance(reading, Missing)
    gone = e.decode(reading.records[-1].body)
    assert isinstance(gone, e.StreamDetached)
    assert gone.reason == "shutdown"
