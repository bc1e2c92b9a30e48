import asyncio
from typing import Any, Literal

import pytest

from service.testing.toolbench import ToolBench
from service.tools.terms import Outcome, ToolArguments, ToolFailed
from tests.conftest import wait_until


def find_ticket(ticket_id: str, lang: Literal["en", "de"] = "en") -> dict[str, str]:
    """Looks a ticket up."""
    return {"ticket": ticket_id, "lang": lang}


async def call(bench: ToolBench, name: str, within_ms: int = 5_000, **arguments: Any) -> Outcome:
    return await bench.call(name, arguments, key="CA1:t1.1", within_ms=within_ms, call_sid="CA1")


def bench_of(function: Any, **terms: Any) -> ToolBench:
    bench = ToolBench()
    bench.add(function, **terms)
    return bench


def test_a_tool_is_described_by_its_function() -> None:
    (told,) = bench_of(find_ticket).described()
    assert (told.name, told.description) == ("find_ticket", "Looks a ticket up.")
    assert told.parameters["required"] == ["ticket_id"]
    assert set(told.parameters["properties"]) == {"ticket_id", "lang"}  # type: ignore[call-overload] # JSON


@pytest.mark.asyncio
async def test_a_use_is_noted_with_its_key() -> None:
    bench = bench_of(find_ticket)
    outcome = await call(bench, "find_ticket", ticket_id="TKT-1")
    assert outcome == Outcome("succeeded", '{"ticket":"TKT-1","lang":"en"}')
    (use,) = bench.uses("find_ticket")
    assert (use.key, use.call_sid, use.arguments) == ("CA1:t1.1", "CA1", {"ticket_id": "TKT-1"})
    assert bench.uses("another") == []


@pytest.mark.asyncio
async def test_wrong_arguments_are_no_use() -> None:
    bench = bench_of(find_ticket)
    assert (await call(bench, "find_ticket", ticket_id=3)).status == "failed"
    assert (await call(bench, "another")).status == "failed"
    assert bench.uses() == []
    with pytest.raises(ToolArguments):
        bench.check("find_ticket", {"ticket_id": "1", "lang": "fr"})


@pytest.mark.asyncio
async def test_a_function_may_be_async_and_may_be_told_the_key() -> None:
    async def note(text: str, key: str) -> str:
        return f"{text} {key}"

    bench = bench_of(note)
    assert "key" not in bench.described()[0].parameters["properties"]  # type: ignore[operator] # JSON
    assert (await call(bench, "note", text="hi")).result == '"hi CA1:t1.1"'


@pytest.mark.asyncio
async def test_a_function_says_whether_it_acted() -> None:
    def refuse() -> None:
        raise ToolFailed("The desk is closed.")

    def crash() -> None:
        raise ValueError("the caller's words")

    assert (await call(bench_of(refuse), "refuse")).detail == "The desk is closed."
    crashed = await call(bench_of(crash), "crash")
    assert crashed.status == "unanswered"
    assert "the caller's words" not in crashed.detail


@pytest.mark.asyncio
async def test_a_held_tool_waits_until_it_is_let_go() -> None:
    bench = bench_of(find_ticket)
    with bench.held("find_ticket"):
        asked = asyncio.create_task(call(bench, "find_ticket", ticket_id="TKT-1"))
        await wait_until(lambda: bool(bench.uses()), description="the tool is used")
        assert not asked.done()
    assert (await asked).status == "succeeded"


@pytest.mark.asyncio
async def test_a_held_tool_has_its_time_all_the_same() -> None:
    bench = bench_of(find_ticket, timeout_ms=20)
    with bench.held("find_ticket"):
        assert (await call(bench, "find_ticket", ticket_id="1")).status == "unanswered"


def test_the_terms_are_those_that_were_given() -> None:
    bench = bench_of(find_ticket, is_idempotent=True, attempts_max=3, timeout_ms=9, approval_ms=4)
    terms = bench.terms("find_ticket")
    assert (terms.is_idempotent, terms.attempts_max, terms.timeout_ms) == (True, 3, 9)
    assert terms.approval_ms == 4
    assert bench.names() == ("find_ticket",)


def test_the_summary_tool_is_the_services_own() -> None:
    def summary(ticket_id: str, text: str, caller: str) -> None:
        del ticket_id, text, caller

    bench = bench_of(summary, is_summary=True)
    assert bench.summary_tool == "summary"
    assert bench.described() == ()


def test_terms_and_functions_that_no_tool_may_have_are_refused() -> None:
    def anything(*arguments: str) -> None:
        del arguments

    with pytest.raises(ValueError, match="idempotent"):
        bench_of(find_ticket, attempts_max=2)
    with pytest.raises(ValueError, match="name its parameters"):
        bench_of(anything)


@pytest.mark.asyncio
async def test_closing_a_server_leaves_the_tools_for_the_next() -> None:
    bench = bench_of(find_ticket)
    await bench.close()
    assert (await call(bench, "find_ticket", ticket_id="1")).status == "succeeded"
