"""The four moments at which a stream may be lost, each survived in the same process, another, and after a kill.

    words     the caller is in the middle of a sentence
    answer    the agent is in the middle of its own
    tool      a note is being written into the ticket, which must happen once
    silence   nobody says anything

Four phones, one for each, lose their stream at the same moment. Real servers in processes of their own,
real speech both ways, the intake agent, and the ticket desk behind HTTP.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from service.call.decisions.resume import SILENCE_LINE
from service.desk import TicketDesk
from service.simulator.phone import Phone
from service.simulator.timeline import Kind
from service.tools.toolbox import DESK_FILE
from tests.acceptance.test_drops import ours
from tests.acceptance.town import Json, Town, audio, founded
from tests.conftest import wait_until
from tests.desks import serving

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(240)]

PATIENCE_MS = 60_000  # four calls with real speech share a machine with whatever else it does
SLOW_MS = 3_000  # the note is written long before the desk says so; a tool's time is 4 s
NUMBERS = {"words": "+15550001", "answer": "+15550002", "tool": "+15550003", "silence": "+15550004"}
PERSON = {"client_name": "Sarah Johnson", "company": "Blue River Bakery"}
TICKET = "TKT-1234"
NOTED = "Your report is now in your ticket"
NOT_SURE = "I can't be sure that your report was saved"
BACK = "Let me read that back"
FOUND = "I found your ticket"
ONCE_MORE = "say that last part again"
KEYS_MS = 1_000  # then the keys are pressed that set the desk to work; it is at work for SLOW_MS
WORDS_MS = 2_500  # so much of a sentence of seven seconds is said at least
CAUSES = {"same": ("drop",), "another": ("drop", "crash"), "killed": ("crash",)}

Holds = Callable[[Json], bool]


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[tuple[TicketDesk, str]]:
    opened = TicketDesk()
    async with serving(opened) as url:
        yield opened, url


@pytest_asyncio.fixture(params=["sqlite", "redis"])
async def town(
    request: pytest.FixtureRequest, tmp_path: Path, desk: tuple[TicketDesk, str]
) -> AsyncIterator[Town]:
    directory = tmp_path / "directory.json"
    known = dict.fromkeys(NUMBERS.values(), PERSON)
    known[NUMBERS["words"]] = known[NUMBERS["tool"]] = {**PERSON, "ticket_id": TICKET}
    directory.write_text(json.dumps(known))
    settings = {
        "TOOLS": str(DESK_FILE),
        "DESK_URL": desk[1],
        "DIRECTORY": str(directory),
        "TRANSFER_TO": "+15550123",
    }
    async with founded(request.param, tmp_path, **settings) as place:
        yield place


class Four:
    """The four phones, brought to their moments, cut, and heard out."""

    def __init__(self, town: Town, desk: TicketDesk) -> None:
        self.town = town
        self.desk = desk
        self.phones: dict[str, Phone] = {}
        self.before: dict[str, Json] = {}

    async def ring(self) -> None:
        """Let all four be greeted by name."""
        for name, number in NUMBERS.items():
            self.phones[name] = await self.town.exchange.call(from_=number)
        for phone in self.phones.values():
            await phone.until(
                lambda it: it.agent_turns > 0, "the agent greets", timeout_ms=PATIENCE_MS
            )

    async def come_to_it(self) -> None:
        """One speaks, one is spoken to, one is silent, and for one the desk is at work."""
        words, answer, tool, silence = (self.phones[name] for name in NUMBERS)
        answer.caller.say(audio("caller_sarah_ticket"))
        tool.caller.say(audio("caller_sarah_problem"))
        await self._shows(answer, _says(FOUND), "the ticket is told")
        await self._shows(tool, _says(BACK), "the answers are read back")
        await self._shows(silence, _is_all_said, "all is said")
        self.desk.slow_ms = SLOW_MS
        await _comes(
            lambda: answer.agent_speaks and not silence.agent_speaks, "one speaks, one not"
        )
        # The sentence has seven seconds: nothing is waited for in it that can be waited for before.
        begun = words.caller.say(audio("caller_sarah_long"))
        await _comes(lambda: words.now_ms() - begun.start_ms >= KEYS_MS, "some of it is said")
        await tool.caller.press("1#")
        await self._shows(tool, _is_at_work, "the desk is at work")
        await _comes(lambda: words.now_ms() - begun.start_ms >= WORDS_MS, "enough of it is said")
        assert words.now_ms() < begun.end_ms, "the sentence was over too soon"
        assert answer.agent_speaks, "the answer was over too soon"

    async def lose(self, way: str) -> None:
        """Cut all streams at once. The next ones land where the way says."""
        first, other = self.town.servers
        states = await asyncio.gather(*map(self.town.state, self.phones.values()))
        self.before = dict(zip(NUMBERS, states, strict=True))
        self.town.lead_to(first if way == "same" else other)
        if way == "killed":
            await first.kill()
        else:
            await asyncio.gather(*(one.caller.drop("reset") for one in self.phones.values()))
        self.phones["words"].caller.hush()

    async def _returns(self, name: str, soon: str = "") -> tuple[Phone, Json]:
        """Wait for the next stream. It knows the history, the metadata and the stage.

        The talk may have gone on to the stage `soon` by the time that we look.
        """
        phone, was = self.phones[name], self.before[name]
        await phone.until(
            lambda it: it.streams >= 2 and it.is_live,
            "the stream comes back",
            timeout_ms=PATIENCE_MS,
        )
        await self._shows(phone, lambda state: len(state["streams"]) == 2, "the call is taken up")
        state = await self.town.state(phone)
        assert state["stage"] in (was["stage"], soon or was["stage"])
        assert state["parameters"] == was["parameters"]
        assert {name: state["fields"].get(name) for name in was["fields"]} == was["fields"]
        _is_continued(was["transcript"], state["transcript"])
        return phone, state

    async def words(self) -> None:
        """Half a sentence is kept, and the rest asked for."""
        phone, _ = await self._returns("words")
        await self._shows(phone, _says(ONCE_MORE), "the caller is asked to say it again")
        await self._shows(phone, _is_all_said, "all is said")
        halves = [one for one in await self.town.events(phone, "caller_spoke") if one["partial"]]
        assert len(halves) == 1
        assert len(halves[0]["text"].split()) >= 3
        await self._goes_on(phone, "problem", BACK)

    async def answer(self) -> None:
        """The rest of our sentence is said, once."""
        phone, _ = await self._returns("answer")
        await self._shows(phone, _is_all_said, "all is said")
        lines = [line for line in ours(await self.town.state(phone)) if FOUND in line["text"]]
        assert [line["heard"] for line in lines] == [line["text"] for line in lines]
        assert len(lines) == 1

    async def silence(self) -> None:
        """Nothing is said about it, or that we are still here when it took long; the talk goes on."""
        phone, state = await self._returns("silence")
        is_long = state["streams"][1]["gap_ms"] >= 2_000
        if is_long:
            await self._shows(phone, _says(SILENCE_LINE), "we say that we are still here")
        said = ours(await self.town.state(phone))[len(ours(self.before["silence"])) :]
        assert {line["text"] for line in said} == ({SILENCE_LINE} if is_long else set())
        await self._goes_on(phone, "ticket", FOUND)

    async def tool(self, way: str) -> None:
        """The note was written once; the caller is told so, or that nobody knows."""
        is_known = way != "killed"
        ending = "done" if is_known else "transferring"
        phone, _ = await self._returns("tool", soon=ending)
        await phone.until(lambda it: it.is_over, "the call ends", timeout_ms=PATIENCE_MS)
        state = await self.town.state(phone)
        (note,) = (one for one in state["operations"] if one["tool"] == "ticket_note")
        assert (note["status"], note["attempts"]) == ("succeeded" if is_known else "unknown", 1)
        told = [line for line in ours(state) if NOTED in line["text"] or NOT_SURE in line["text"]]
        assert [line["heard"] for line in told] == [line["text"] for line in told]
        assert (NOTED if is_known else NOT_SURE) in told[0]["text"]
        assert len(told) == 1
        assert state["stage"] == ending
        assert self.desk.executions(f"{phone.call_sid}:{note['id']}") == 1

    async def _goes_on(self, phone: Phone, utterance: str, answer: str) -> None:
        phone.caller.say(audio(f"caller_sarah_{utterance}"))
        await self._shows(phone, _says(answer), "the caller is answered")

    async def _shows(self, phone: Phone, holds: Holds, description: str) -> None:
        await self.town.until(phone, holds, description, PATIENCE_MS / 1000)

    async def check(self, way: str) -> None:
        """What holds of all: one greeting, a clean wire, nothing stale, nothing done twice."""
        for name, phone in self.phones.items():
            assert phone.warnings == [], name
            assert phone.timeline.count(Kind.STALE_AUDIO) == 0, phone.story()
            assert len(await self.town.events(phone, "greeted")) == 1, name
            state = await self.town.state(phone)
            assert state["streams"][1]["cause"] in CAUSES[way], name
            assert sum("thank you for calling support" in one["text"] for one in ours(state)) == 1
            looked_up = [one for one in state["operations"] if one["tool"] == "ticket_lookup"]
            assert [one["status"] for one in looked_up] == ["succeeded"], name
        assert {one.executions for one in self.desk.done.values()} == {1}
        assert len(self.desk.tickets[TICKET].notes) == 1


def _is_all_said(state: Json) -> bool:
    return bool(ours(state)) and all(
        line["cut"] or line["heard"] == line["text"] for line in ours(state)
    )


async def _comes(holds: Callable[[], bool], description: str) -> None:
    await wait_until(holds, description=description, within_s=PATIENCE_MS / 1000)


def _is_at_work(state: Json) -> bool:
    return any(one["tool"] == "ticket_note" and one["attempts"] for one in state["operations"])


def _says(words: str) -> Holds:
    return lambda state: any(words in line["text"] for line in ours(state))


def _is_continued(before: list[Json], after: list[Json]) -> None:
    """What stood in the transcript stands there still; only more of it may have been heard."""
    for was, now in zip(before, after, strict=False):
        assert (now["position"], now["who"], now["text"]) == (
            was["position"],
            was["who"],
            was["text"],
        )
        assert now["heard"].startswith(was["heard"])
    assert len(after) >= len(before)


@pytest.mark.parametrize("way", ["same", "another", "killed"])
async def test_whenever_the_stream_is_lost_the_conversation_goes_on(
    town: Town, desk: tuple[TicketDesk, str], way: str
) -> None:
    four = Four(town, desk[0])
    async with asyncio.TaskGroup() as start:
        start.create_task(town.open_server())
        start.create_task(four.ring())
    await four.come_to_it()
    await four.lose(way)
    async with asyncio.TaskGroup() as all_four:
        for heard_out in (four.words(), four.answer(), four.silence(), four.tool(way)):
            all_four.create_task(heard_out)
    await four.check(way)
