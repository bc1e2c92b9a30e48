import asyncio
import logging
from pathlib import Path

import pytest

from service.tools.function_tool import FunctionTool, function
from service.tools.terms import DETAIL_LETTERS_MAX, RESULT_BYTES_MAX, Outcome
from tests.tools import functions

PLACE = "tests.tools.functions"
WORDS = {"text": "my card is 4111"}


async def outcome(name: str, *, is_idempotent: bool = False, within_ms: int = 5000) -> Outcome:
    tool = FunctionTool(function(f"{PLACE}:{name}"), is_idempotent=is_idempotent)
    tool.check(WORDS)
    until = asyncio.get_running_loop().time() + within_ms / 1000
    return await tool.call(WORDS, key="CA1:t1.1", call_sid="CA1", until=until)


@pytest.mark.asyncio
async def test_a_function_gets_arguments_of_its_own_and_the_key() -> None:
    functions.seen.clear()
    assert await outcome("echo") == Outcome("succeeded", '{"key":"CA1:t1.1"}')
    assert functions.seen == [({"text": "my card is 4111"}, "CA1:t1.1")]
    assert "changed" not in WORDS


@pytest.mark.asyncio
async def test_a_function_may_return_nothing() -> None:
    assert await outcome("nothing") == Outcome("succeeded", "null")


@pytest.mark.asyncio
async def test_a_function_that_says_that_it_did_not_act_is_believed() -> None:
    refused = await outcome("closed")
    assert (refused.status, refused.may_retry) == ("failed", False)
    assert refused.detail.startswith("The desk is closed.!")
    assert len(refused.detail) == DETAIL_LETTERS_MAX
    assert await outcome("busy") == Outcome("failed", detail="The desk is busy.", may_retry=True)


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["broken", "timed_out"])
@pytest.mark.parametrize("is_idempotent", [True, False])
async def test_a_function_that_breaks_may_have_acted(
    name: str, caplog: pytest.LogCaptureFixture, *, is_idempotent: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    came = await outcome(name, is_idempotent=is_idempotent)
    assert (came.status, came.may_retry) == ("unanswered", is_idempotent)
    assert "Error at functions.py:" in came.detail
    assert "4111" not in came.detail + caplog.text
    assert "a tool's function failed" in caplog.text


@pytest.mark.asyncio
async def test_a_function_that_takes_too_long_may_have_acted() -> None:
    expected = Outcome("unanswered", detail="It gave no answer in time.")
    assert await outcome("endless", within_ms=30) == expected


@pytest.mark.asyncio
async def test_a_function_can_be_cancelled() -> None:
    running = asyncio.create_task(outcome("endless"))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.asyncio
async def test_what_json_cannot_hold_is_left_out_but_was_done() -> None:
    came = await outcome("unspeakable")
    assert came == Outcome("succeeded", detail="It returned what JSON can't hold.")


@pytest.mark.asyncio
async def test_what_is_too_long_is_cut_but_was_done() -> None:
    came = await outcome("long")
    assert came.status == "succeeded"
    assert RESULT_BYTES_MAX - 8 < len(came.result) <= RESULT_BYTES_MAX
    assert "cut" in came.detail


@pytest.mark.parametrize(
    ("place", "trouble"),
    [
        ("", "named module:name"),
        ("tests.tools.functions", "named module:name"),
        (":echo", "named module:name"),
        ("tests.tools.functions:", "named module:name"),
        ("tests.tools.nowhere:echo", "ModuleNotFoundError"),
        ("..nowhere:echo", "TypeError"),
        (f"{PLACE}:none", "AttributeError"),
        (f"{PLACE}:slow", "not an async function"),
        (f"{PLACE}:seen", "not an async function"),
        (f"{PLACE}:lonely", "must take"),
    ],
)
def test_a_function_that_cannot_be_used_is_one_clear_line(place: str, trouble: str) -> None:
    with pytest.raises(ValueError, match=trouble) as wrong:
        function(place)
    assert "\n" not in str(wrong.value)


def test_a_module_that_breaks_while_it_is_imported_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "breaking_tools.py").write_text("raise RuntimeError('two\\nlines')")
    (tmp_path / "unreadable_tools.py").write_text("def (:")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="RuntimeError: two lines"):
        function("breaking_tools:run")
    with pytest.raises(ValueError, match="SyntaxError"):
        function("unreadable_tools:run")
