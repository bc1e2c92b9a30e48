import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from service.desk import TicketDesk
from service.errors import ConfigError
from service.tools import toolbox as toolboxes
from service.tools.terms import Outcome, Terms, ToolArguments
from service.tools.toolbox import DESK_FILE, Toolbox
from tests.conftest import wait_until
from tests.desks import serving
from tests.tools.shop import answer, shop

TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
NOTE = {"ticket_id": "TKT-1234", "text": "It still beeps."}


@asynccontextmanager
async def opened(path: Path, variables: dict[str, str]) -> AsyncIterator[Toolbox]:
    toolbox = Toolbox.load(path, variables)
    try:
        yield toolbox
    finally:
        await toolbox.close()


@asynccontextmanager
async def at_desk(desk: TicketDesk) -> AsyncIterator[Toolbox]:
    async with serving(desk) as url, opened(DESK_FILE, {"DESK_URL": url}) as toolbox:
        yield toolbox


def written(folder: Path, *tools: dict[str, Any]) -> Path:
    path = folder / "tools.json"
    path.write_text(json.dumps([{"description": "D.", "parameters": TEXT} | one for one in tools]))
    return path


async def ask(
    toolbox: Toolbox,
    name: str,
    arguments: dict[str, Any],
    *,
    key: str = "CA1:t1.1",
    within_ms: int = 5000,
) -> Outcome:
    return await toolbox.call(name, arguments, key=key, within_ms=within_ms, call_sid="CA1")


@pytest.mark.asyncio
async def test_an_empty_toolbox_has_nothing() -> None:
    for toolbox in (Toolbox.none(), Toolbox.load("")):
        assert toolbox.names() == ()
        assert toolbox.described() == ()
        assert toolbox.summary_tool == ""
        await toolbox.close()


@pytest.mark.asyncio
async def test_the_desk_s_tools_are_known_with_their_terms() -> None:
    async with opened(DESK_FILE, {"DESK_URL": "http://127.0.0.1:1"}) as toolbox:
        assert toolbox.names() == (
            "ticket_lookup", "ticket_note", "callback_request", "call_summary",
        )  # fmt: skip
        assert toolbox.terms("ticket_lookup") == Terms(
            is_idempotent=True, attempts_max=3, timeout_ms=4000
        )
        assert toolbox.terms("ticket_note") == Terms(
            is_idempotent=False, attempts_max=1, timeout_ms=4000
        )
        assert toolbox.summary_tool == "call_summary"
        with pytest.raises(KeyError):
            toolbox.terms("ticket_erase")


@pytest.mark.asyncio
async def test_a_model_is_told_of_every_tool_but_the_service_s_own() -> None:
    async with opened(DESK_FILE, {"DESK_URL": "http://127.0.0.1:1"}) as toolbox:
        described = toolbox.described()
    assert [one.name for one in described] == ["ticket_lookup", "ticket_note", "callback_request"]
    assert described[0].parameters["required"] == ["ticket_id"]
    assert all(one.description for one in described)


def test_an_approval_is_told_in_milliseconds(tmp_path: Path) -> None:
    path = written(
        tmp_path, {"name": "a", "function": "tests.tools.functions:echo", "approval_s": 30}
    )
    assert Toolbox.load(str(path)).terms("a") == Terms(
        is_idempotent=False, attempts_max=1, timeout_ms=5000, approval_ms=30_000
    )


def test_a_function_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    path = written(tmp_path, {"name": "a", "function": "tests.tools.functions:none"})
    with pytest.raises(ConfigError, match=r"^TOOLS: .*: a: the function") as wrong:
        Toolbox.load(path)
    assert "\n" not in str(wrong.value)


@pytest.mark.asyncio
async def test_a_ticket_is_looked_up_at_the_desk() -> None:
    async with at_desk(TicketDesk()) as toolbox:
        found = await ask(toolbox, "ticket_lookup", {"ticket_id": "TKT-1234"})
        missing = await ask(toolbox, "ticket_lookup", {"ticket_id": "TKT-9"})
    assert found.status == "succeeded"
    assert json.loads(found.result)["status"] == "in progress"
    assert (missing.status, missing.may_retry) == ("failed", False)


@pytest.mark.asyncio
async def test_the_same_key_acts_once_however_often_it_is_asked() -> None:
    desk = TicketDesk()
    async with at_desk(desk) as toolbox:
        first = await ask(toolbox, "ticket_note", NOTE)
        again = await asyncio.gather(*(ask(toolbox, "ticket_note", NOTE) for _ in range(20)))
        await ask(toolbox, "ticket_note", NOTE, key="CA1:t2.1")
    assert {first} == set(again)
    assert desk.executions("CA1:t1.1") == 1
    assert desk.tickets["TKT-1234"].notes == ["It still beeps."] * 2


@pytest.mark.asyncio
async def test_what_was_turned_away_did_not_act() -> None:
    desk = TicketDesk()
    async with at_desk(desk) as toolbox:
        desk.failures = 1
        turned_away = await ask(toolbox, "ticket_note", NOTE)
        taken = await ask(toolbox, "ticket_note", NOTE)
    assert (turned_away.status, turned_away.may_retry) == ("failed", True)
    assert taken.status == "succeeded"
    assert desk.executions("CA1:t1.1") == 1


@pytest.mark.asyncio
async def test_a_lost_answer_is_unanswered_though_it_acted() -> None:
    desk = TicketDesk()
    async with at_desk(desk) as toolbox:
        desk.lost_answers = 2
        note = await ask(toolbox, "ticket_note", NOTE, within_ms=400)
        summary = {"text": "All well.", "ticket_id": "TKT-1234", "caller": "Sarah"}
        lost = await ask(toolbox, "call_summary", summary, key="CA1:sum", within_ms=400)
        told = await ask(toolbox, "call_summary", summary, key="CA1:sum")
    assert (note.status, note.may_retry) == ("unanswered", False)
    assert (lost.status, lost.may_retry) == ("unanswered", True)
    assert told.status == "succeeded"
    assert desk.executions("CA1:t1.1") == desk.executions("CA1:sum") == 1


@pytest.mark.asyncio
async def test_a_tool_has_its_own_timeout_within_what_is_left(tmp_path: Path) -> None:
    async with shop("stall") as ours:
        path = written(tmp_path, {"name": "a", "url": f"{ours.url}/x", "timeout_ms": 100})
        async with opened(path, {}) as toolbox:
            late = await ask(toolbox, "a", {"text": "x"}, within_ms=60_000)
    assert late.status == "unanswered"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("nothing", {}, "There is no tool of this name."),
        ("ticket_lookup", {}, "The arguments must hold ticket_id."),
        ("ticket_lookup", {"ticket_id": "../log"}, "must keep to the rule pattern"),
    ],
)
async def test_wrong_arguments_are_told_before_and_are_never_sent(
    name: str, arguments: dict[str, Any], sentence: str
) -> None:
    async with opened(DESK_FILE, {"DESK_URL": "http://127.0.0.1:1"}) as toolbox:
        with pytest.raises(ToolArguments) as wrong:
            toolbox.check(name, arguments)
        assert sentence in str(wrong.value)
        refused = await ask(toolbox, name, arguments)
    assert (refused.status, refused.may_retry) == ("failed", False)
    assert refused.detail == str(wrong.value)


@pytest.mark.asyncio
async def test_an_argument_that_cannot_stand_in_a_url_is_told_before(tmp_path: Path) -> None:
    path = written(tmp_path, {"name": "a", "url": "http://127.0.0.1:1/{text}"})
    async with opened(path, {}) as toolbox:
        with pytest.raises(ToolArguments, match="dots"):
            toolbox.check("a", {"text": ".."})


@pytest.mark.asyncio
async def test_without_time_nothing_is_begun() -> None:
    desk = TicketDesk()
    async with at_desk(desk) as toolbox:
        assert (await ask(toolbox, "ticket_note", NOTE, within_ms=0)).status == "failed"
    assert desk.done == {}


@pytest.mark.asyncio
async def test_a_closed_toolbox_sends_nothing() -> None:
    desk = TicketDesk()
    async with at_desk(desk) as toolbox:
        await toolbox.close()
        refused = await ask(toolbox, "ticket_note", NOTE)
    assert (refused.status, refused.may_retry) == ("failed", True)
    assert desk.done == {}


@pytest.mark.asyncio
async def test_no_more_than_the_limit_are_at_it_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolboxes, "AT_ONCE_MAX", 2)
    async with shop("stall", "stall", answer(200, b"1")) as ours:
        path = written(tmp_path, {"name": "a", "url": f"{ours.url}/x"})
        async with opened(path, {}) as toolbox:
            text = {"text": "x"}
            running = [asyncio.create_task(ask(toolbox, "a", text)) for _ in range(2)]
            await wait_until(lambda: len(ours.asked) == 2, description="two are at it")
            refused = await ask(toolbox, "a", text, within_ms=80)
            assert (refused.status, refused.may_retry) == ("failed", True)
            assert len(ours.asked) == 2
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            assert (await ask(toolbox, "a", text)).status == "succeeded"


@pytest.mark.asyncio
async def test_functions_and_addresses_share_a_toolbox(tmp_path: Path) -> None:
    async with shop(answer(200, b"1")) as ours:
        path = written(
            tmp_path,
            {"name": "a", "url": f"{ours.url}/x"},
            {"name": "b", "function": "tests.tools.functions:echo"},
        )
        async with opened(path, {}) as toolbox:
            assert (await ask(toolbox, "a", {"text": "x"})).result == "1"
            assert (await ask(toolbox, "b", {"text": "x"})).result == '{"key":"CA1:t1.1"}'
