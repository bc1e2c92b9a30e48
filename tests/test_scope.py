import asyncio
import logging
from collections.abc import AsyncIterator
from contextvars import ContextVar, copy_context

import pytest
from structlog.contextvars import get_contextvars
from typing_extensions import override

from service import scope
from service.call.acts import Act, Say, UseTool
from service.call.state import Call, Turn
from service.speech.timing import Timed
from service.speech.transcript import Transcript
from service.testing.stayline import Stayline
from service.testing.textspeech import TextRecognizer, TextSynthesizer
from tests.lines import lines

_others = logging.getLogger("somebody.elses")


@pytest.mark.asyncio
async def test_a_task_says_of_which_call_it_is_and_so_does_what_it_begins() -> None:
    found: list[object] = []

    async def begun() -> None:
        found.append(get_contextvars())

    async def work(call_sid: str) -> None:
        scope.of_call(call_sid)
        await asyncio.sleep(0)
        await asyncio.create_task(begun())

    await asyncio.gather(work("CA1"), work("CA2"))
    assert found == [{"call_sid": "CA1"}, {"call_sid": "CA2"}]
    assert get_contextvars() == {}


def test_nobodys_scope_lacks_the_call_and_nothing_else() -> None:
    """Whoever else keeps something in it, as a tracing library does, finds it there."""
    trace = ContextVar("trace", default="")
    trace.set("abc")
    own = copy_context()
    own.run(scope.of_call, "CA1")
    nobody = own.run(scope.of_nobody)
    assert nobody.run(get_contextvars) == {}
    assert nobody[trace] == "abc"
    assert own.run(get_contextvars) == {"call_sid": "CA1"}


class Telling:
    """Tells the log of every turn, by a logger that knows no call."""

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        _others.warning("replies", extra={"meant": call.call_sid})
        name = call.parameters["client_name"]
        if turn.reason == "opening":
            yield Say(f"Hello {name}.")
        elif turn.reason == "operation":
            yield Say(f"It is done {name}.")
        else:
            yield Say(f"One moment {name}.")
            yield UseTool("look_up", {"name": name})


class Notes:
    """What was done with which words, and in the scope of which call."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str, object]] = []

    def note(self, what: str, words: str) -> None:
        self.done.append((what, words, get_contextvars().get("call_sid")))

    def of(self, name: str) -> set[tuple[str, object]]:
        return {(what, call_sid) for what, words, call_sid in self.done if name in words}


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Notes:
    """Engines that note for whom they work."""
    made = Notes()

    class Voice(TextSynthesizer):
        @override
        def render(self, text: str) -> Timed:
            made.note("rendered", text)
            return super().render(text)

    class Ear(TextRecognizer):
        @override
        def transcribe(self, ulaw: bytes) -> Transcript:
            found = super().transcribe(ulaw)
            made.note("understood", found.text)
            return found

    monkeypatch.setattr("service.testing.stayline.TextSynthesizer", Voice)
    monkeypatch.setattr("service.testing.stayline.TextRecognizer", Ear)
    return made


def test_whatever_is_done_for_one_of_two_calls_on_a_server_is_in_its_scope(
    stayline: Stayline, notes: Notes
) -> None:
    @stayline.tool
    def look_up(name: str) -> str:
        notes.note("looked up", name)
        return name

    with lines() as told:
        calls = {name: stayline.call(Telling, client_name=name) for name in ("Ann", "Bob")}
        for name, call in calls.items():
            call.hears(f"Hello {name}").drop_stream()
        for name, call in calls.items():
            call.comes_back().says(f"please look it up for {name}")
        for name, call in calls.items():
            call.hears(f"It is done {name}")
    for name, call in calls.items():
        sid = call.call_sid
        assert notes.of(name) == {("rendered", sid), ("understood", sid), ("looked up", sid)}
    replies = {(one["meant"], one["call_sid"]) for one in told if "meant" in one}
    assert replies == {(one.call_sid, one.call_sid) for one in calls.values()}
