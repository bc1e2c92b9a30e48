"""The models' own conversations survive drops, killed servers, interruptions and tools at work.

Real servers with AGENT=chat and AGENT=realtime, real sockets, a caller with recorded speech; only the
models are stand-ins. What is asserted is what the phone heard, sample by sample, what the journal
holds, and what the models were sent.
"""

import asyncio
import http
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from service.audio import milliseconds, samples
from service.desk import TicketDesk
from service.simulator.phone import Phone
from service.simulator.timeline import Kind
from service.speech.synthesizer import synthesizer
from service.speech.timing import word_ends, words_before
from service.tools.toolbox import DESK_FILE
from tests import desks
from tests.acceptance.test_drops import all_heard, back, kept_the_promise, ours, quiet
from tests.acceptance.town import Json, Town, audio
from tests.conftest import for_a_moment, wait_until
from tests.standins import chat_completions as chat, realtime

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]

LOADED_MS = 30_000  # a machine that runs other tests beside
PIECE_MS = 500  # between two pieces of a slow answer
HELLO = "Hello, this is the help desk."
ASKING = "What is your name?"
NAME = "My name is Sarah Johnson."
SECOND = "I found your ticket, and a technician is on her way to you right now."
NOTE = {"ticket_id": "TKT-1234", "text": "The printer smokes."}
LONG = " ".join(f"word{number:02d}" for number in range(24))
"""Nearly eight seconds of the stand-in's voice."""


# What the phone heard.


def heard_on(phone: Phone, stream: int) -> bytes:
    """Return every sample that the caller heard on one stream, without the silence between."""
    line = phone.lines[stream - 1]
    return b"".join(ulaw for _, ulaw in line.leg.heard(line.ended_ms or phone.now_ms()))


async def heard_for(phone: Phone, count: int, what: str) -> None:
    """Wait until the caller has heard so many samples on the newest stream."""
    await phone.until(
        lambda it: len(heard_on(it, it.streams)) >= count, f"{what} is heard", timeout_ms=LOADED_MS
    )


def rendered(text: str) -> bytes:
    return synthesizer().render(text)


async def clauses(town: Town, phone: Phone) -> Iterator[str]:
    """Return all clauses that were ever meant for the caller, in their order."""
    spoke = await town.events(phone, "agent_spoke")
    return (clause for one in spoke for clause in one["clauses"])


def is_one_begun(heard: bytes, meant: list[bytes]) -> bool:
    return bool(meant) and heard.startswith(meant[0][: len(heard)])


async def each_clause_was_heard_once(town: Town, phone: Phone) -> None:
    """Each was heard whole and once; of the one that a drop cut, the beginning was heard before."""
    meant = [rendered(clause) for clause in await clauses(town, phone)]
    following = 0
    for stream in range(1, phone.streams + 1):
        heard = heard_on(phone, stream)
        if following and heard and not is_one_begun(heard, meant[following:]):
            following -= 1  # It was over at the phone, and we could not know yet.
        while heard and following < len(meant) and heard.startswith(meant[following]):
            heard = heard[len(meant[following]) :]
            following += 1
        is_cut = following < len(meant) and meant[following].startswith(heard)
        assert not heard or is_cut, f"{len(heard)} strange samples on stream {stream}"
    assert following == len(meant), f"{following} of {len(meant)} clauses\n{phone.story()}"


# Chat: a server of OpenAI's chat completions.


@asynccontextmanager
async def chatting(
    folder: Path, *script: chat.Answer, servers: int = 1, **settings: str
) -> AsyncIterator[tuple[Town, chat.Server, Phone]]:
    """Open a town whose agent asks the stand-in; the caller has been greeted by its first server."""
    async with chat.serving(chat.Speech(f"{HELLO} {ASKING}"), *script) as model:
        brain = {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": chat.KEY, "CHAT_MODEL": "m"}
        writing = asyncio.create_task(write_slowly(model))
        try:
            async with Town(folder, AGENT="chat", **brain, **settings) as town:
                for _ in range(1, servers):  # Now: who waits after a question is asked again.
                    await town.open_server()
                phone = await town.call()
                await all_heard(town, phone)
                await quiet(phone, 500)
                yield town, model, phone
                assert model.wrongs == []
        finally:
            writing.cancel()


def slow(*pieces: str) -> chat.Speech:
    """An answer that is written piece by piece; see `chatting` for its pace."""
    return chat.Speech(*(part for piece in pieces for part in (piece, chat.HOLD)))


async def write_slowly(model: chat.Server) -> None:
    """Let the model write one more piece of a slow answer every half second."""
    while True:
        await model.is_holding.wait()
        await for_a_moment(PIECE_MS / 1000)
        model.may_go_on.set()


def told(asked: Json, role: str) -> list[str]:
    """Return what the messages of one role say."""
    return [one["content"] for one in asked["messages"] if one["role"] == role and one["content"]]


async def asked_for(model: chat.Server, count: int) -> Json:
    """Wait for a request; return it."""
    await wait_until(lambda: len(model.asked) >= count, description="it is asked", within_s=30)
    return model.asked[count - 1]


async def test_chat_speaks_on_over_a_drop_while_the_model_still_writes(tmp_path: Path) -> None:
    rest = ("brings ", "a ", "new ", "print ", "head. ", "Is ", "there ", "anything ", "else?")
    answer = slow(f"Thank you, Sarah. {SECOND} She ", *rest)
    async with chatting(tmp_path, answer) as (town, model, phone):
        before = len(heard_on(phone, 1))
        phone.caller.say(audio("caller_sarah_name"))
        first, second = len(rendered("Thank you, Sarah.")), len(rendered(SECOND))
        await heard_for(phone, before + first + second // 3, "the second sentence")
        await phone.caller.drop("reset")
        assert len(await town.events(phone, "turn_answered")) == 1
        await back(phone)
        await town.until(phone, lambda it: ends_with(it, "anything else?"), "it is told")
        await all_heard(town, phone)
        await kept_the_promise(town, phone)
        await each_clause_was_heard_once(town, phone)
        assert len(model.asked) == 2
        assert len(await town.events(phone, "turn_answered")) == 2


def ends_with(state: Json, text: str) -> bool:
    return bool(ours(state)) and ours(state)[-1]["text"].endswith(text)


@pytest.mark.parametrize("begins_again", [True, False])
async def test_chat_goes_on_with_a_half_generated_answer_after_its_server_was_killed(
    tmp_path: Path, *, begins_again: bool
) -> None:
    said = f"Thank you, Sarah. {SECOND}"
    rest = "She brings a new print head. Is there anything else?"
    half = slow(f"{said} She ", *["might "] * 60)
    other_half = chat.Speech(f"{said} {rest}" if begins_again else rest)
    async with chatting(tmp_path, half, other_half, servers=2) as (town, model, phone):
        first, other = town.servers
        before = len(heard_on(phone, 1))
        phone.caller.say(audio("caller_sarah_name"))
        await heard_for(phone, before + len(rendered("Thank you, Sarah.")) + 4_000, "the second")
        town.lead_to(other)
        await first.kill()
        await wait_until(model.was_left.is_set, description="half the answer is never sent")
        await back(phone)
        asked = await asked_for(model, 3)
        await town.until(phone, lambda it: ends_with(it, "anything else?"), "it is told")
        await all_heard(town, phone)
        state = await kept_the_promise(town, phone)
        assert state["streams"][1]["cause"] == "crash"
        assert [line["text"] for line in ours(state)] == [
            HELLO, ASKING, "Thank you, Sarah.", SECOND, *rest.replace("d. ", "d.|").split("|"),
        ]  # fmt: skip
        await each_clause_was_heard_once(town, phone)
        assert len(model.asked) == 3
        assert told(asked, "assistant")[-1] == f"Thank you, Sarah.\n{SECOND}"
        assert told(asked, "user")[-1].startswith("[You have already said the beginning")


async def test_chat_is_told_which_words_an_interrupting_caller_did_not_hear(
    tmp_path: Path,
) -> None:
    long = chat.Speech(f"{SECOND} After that she will call you.")
    async with chatting(tmp_path, long, chat.Speech("I am sorry.")) as (town, model, phone):
        before = len(heard_on(phone, 1))
        phone.caller.say(audio("caller_sarah_name"))
        await heard_for(phone, before + samples(1_500), "the answer")
        phone.caller.say(audio("caller_sarah_no_wrong"))
        asked = await asked_for(model, 3)
        await town.until(phone, lambda it: ends_with(it, "I am sorry."), "it is told")
        cleared = phone.timeline.of(Kind.CLEAR)[-1].at_ms
        heard = heard_by(phone, cleared)[before:]
        lines = ours(await town.state(phone))
        cut = next(line for line in lines if line["text"] == SECOND)
        assert cut["cut"]
        assert SECOND.startswith(cut["heard"])
        true = words_before(word_ends(SECOND, rendered(SECOND)), len(heard))
        assert abs(len(cut["heard"].split()) - true) <= 1
        assert told(asked, "assistant")[-1] == cut["heard"]
        missed = SECOND.removeprefix(cut["heard"]).strip()
        note = f'[The caller did not hear the rest of that: "{missed}"]'
        assert note in told(asked, "user")[-1]
        assert "no" in told(asked, "user")[-1].splitlines()[-1].lower()


def heard_by(phone: Phone, at_ms: int) -> bytes:
    """Return what was heard on the newest stream until a moment."""
    return b"".join(ulaw for _, ulaw in phone.lines[-1].leg.heard(at_ms))


async def test_chat_tells_once_what_a_tool_did_that_worked_while_nobody_was_there(
    tmp_path: Path,
) -> None:
    desk = TicketDesk()
    desk.slow_ms = 3_000
    wish = chat.Speech("I write that down.", calls=(chat.Called.of("ticket_note", **NOTE),))
    done = chat.Speech("The note is in your ticket now.")
    async with (
        desks.serving(desk) as url,
        chatting(tmp_path, wish, done, TOOLS=str(DESK_FILE), DESK_URL=url) as (town, model, phone),
    ):
        phone.caller.say(audio("caller_sarah_name"))
        key = f"{phone.call_sid}:t2.1"
        await wait_until(lambda: desk.executions(key) == 1, description="it works", within_s=30)
        await phone.caller.drop("reset")
        await back(phone)
        asked = await asked_for(model, 3)
        await town.until(phone, lambda it: ends_with(it, "in your ticket now."), "it is told")
        await all_heard(town, phone)
        state = await kept_the_promise(town, phone)
        assert [(one["id"], one["status"]) for one in state["operations"]] == [
            ("t2.1", "succeeded")
        ]
        assert (desk.executions(key), desk.done[key].asked) == (1, 1)
        calls = [call for one in asked["messages"] for call in one.get("tool_calls", ())]
        results = [one for one in asked["messages"] if one["role"] == "tool"]
        assert [call["function"]["name"] for call in calls] == ["ticket_note"]
        assert [one["tool_call_id"] for one in results] == [calls[0]["id"]]
        assert '"notes":1' in results[0]["content"].replace(" ", "")
        assert len(model.asked) == 3
        await each_clause_was_heard_once(town, phone)


# Realtime: a model that hears and speaks by itself.


@asynccontextmanager
async def speaking(
    folder: Path, *answers: realtime.Answer, **settings: str
) -> AsyncIterator[tuple[Town, realtime.RealtimeStandIn, Phone]]:
    """Open a town whose agent is the stand-in's voice; the caller has been greeted by it."""
    async with realtime.realtime_stand_in() as model:
        model.answers.extend([realtime.Answer(HELLO), *answers])
        model.said.append(NAME)
        brain = {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": realtime.KEY}
        async with Town(folder, AGENT="realtime", **brain, **settings) as town:
            phone = await town.call()
            await all_heard(town, phone)
            assert heard_on(phone, 1) == realtime.speech(HELLO)
            yield town, model, phone
            wrong = {one["code"] for one in model.errors}
            # An answer that is over may be cancelled: both sides speak at once.
            assert wrong <= {"response_cancel_not_active"}


async def is_answered(phone: Phone, for_ms: int) -> None:
    """Let the caller say their name, and wait until the answer was heard for so long."""
    before = len(heard_on(phone, phone.streams))
    phone.caller.say(audio("caller_sarah_name"))
    await heard_for(phone, before + samples(for_ms), "the model's answer")


async def test_realtime_greets_hears_and_answers_in_its_own_voice(tmp_path: Path) -> None:
    async with speaking(tmp_path, realtime.Answer("Good morning Sarah.")) as (town, model, phone):
        await is_answered(phone, 300)
        await all_heard(town, phone)
        state = await kept_the_promise(town, phone)
        assert [(line["who"], line["heard"]) for line in state["transcript"]] == [
            ("agent", HELLO), ("caller", NAME), ("agent", "Good morning Sarah."),
        ]  # fmt: skip
        assert {one["voice"] for one in await town.events(phone, "agent_spoke")} == {"model"}
        assert [one["text"] for one in await town.events(phone, "caller_spoke")] == [NAME]
        spoken = realtime.speech(HELLO) + realtime.speech("Good morning Sarah.")
        assert heard_on(phone, 1) == spoken
        assert audio("caller_sarah_name") in bytes(model.last.heard)


async def test_realtime_goes_on_over_a_drop_from_the_sample_that_was_heard_last(
    tmp_path: Path,
) -> None:
    async with speaking(tmp_path, realtime.Answer(LONG)) as (town, model, phone):
        await is_answered(phone, 2_500)
        await phone.caller.drop("reset")
        await back(phone)
        await all_heard(town, phone)
        await kept_the_promise(town, phone)
        assert len(model.conversations) == 1
        spoken = realtime.speech(HELLO) + realtime.speech(LONG)
        before, after = heard_on(phone, 1), heard_on(phone, 2)
        assert spoken.startswith(before)
        assert spoken.endswith(after)
        # What was on the way when the line broke is said again; nothing is left out.
        assert 0 <= len(before) + len(after) - len(spoken) <= samples(600)


async def test_realtime_is_told_by_another_server_what_was_heard_when_the_first_was_killed(
    tmp_path: Path,
) -> None:
    answers = (realtime.Answer(LONG), realtime.Answer("and so on"))
    async with speaking(tmp_path, *answers) as (town, model, phone):
        first, other = town.servers[0], await town.open_server()
        greeting = len(heard_on(phone, 1))
        await is_answered(phone, 2_500)
        town.lead_to(other)
        await first.kill()
        await back(phone)
        await town.until(phone, lambda it: ends_with(it, "and so on"), "it goes on")
        await all_but_the_cut_heard(town, phone)
        state = await kept_the_promise(town, phone)
        cut = ours(state)[1]
        true = milliseconds(len(heard_on(phone, 1)) - greeting) // realtime.WORD_MS
        assert cut["cut"]
        assert LONG.startswith(cut["heard"])
        assert true - 3 <= len(cut["heard"].split()) <= true
        assert len(model.conversations) == 2
        assert model.last.texts()[1:4] == [
            ("assistant", HELLO),
            ("user", NAME),
            ("assistant", cut["heard"]),
        ]
        assert cut["heard"] in model.last.asked[0]
        assert heard_on(phone, 2) == realtime.speech("and so on")


async def all_but_the_cut_heard(town: Town, phone: Phone) -> None:
    await town.until(
        phone,
        lambda it: all(line["cut"] or line["heard"] == line["text"] for line in ours(it)),
        "the rest is heard",
    )


@pytest.mark.parametrize("is_growing", [False, True])
async def test_realtime_is_cut_to_what_was_heard_when_the_caller_interrupts(
    tmp_path: Path, *, is_growing: bool
) -> None:
    long = realtime.Answer(LONG, hold_ms=6_000 if is_growing else None)
    async with speaking(tmp_path, long, realtime.Answer("I am sorry.")) as (town, model, phone):
        greeting = len(heard_on(phone, 1))
        await is_answered(phone, 2_000)
        model.said.append("No, that is wrong.")
        clears = phone.timeline.count(Kind.CLEAR)
        phone.caller.say(audio("caller_sarah_no_wrong"))
        await phone.until(lambda it: it.timeline.count(Kind.CLEAR) > clears, "we fall silent")
        await town.until(phone, lambda it: ends_with(it, "I am sorry."), "it answers")
        await all_but_the_cut_heard(town, phone)
        spoken = realtime.speech(HELLO) + realtime.speech(LONG)
        true = len(heard_on(phone, 1)) - len(realtime.speech("I am sorry.")) - greeting
        assert heard_on(phone, 1)[: greeting + true] == spoken[: greeting + true]
        assert heard_on(phone, 1)[greeting + true :] == realtime.speech("I am sorry.")
        cuts = [one.heard_ms for one in model.last.items.values() if one.heard_ms is not None]
        assert len(cuts) == 1
        assert abs(cuts[0] - milliseconds(true)) <= 300
        cut = ours(await town.state(phone))[1]
        assert cut["cut"]
        words = len(cut["heard"].split())
        assert words <= milliseconds(true) // realtime.WORD_MS + 1
        # While the end of a sentence is not there, nobody is taken to speak as fast as the stand-in.
        assert words >= milliseconds(true) // realtime.WORD_MS - (3 if is_growing else 1)
        assert len(model.conversations) == 1


async def test_realtime_is_given_what_a_tool_brought_while_nobody_was_there(
    tmp_path: Path,
) -> None:
    desk = TicketDesk()
    desk.slow_ms = 3_000
    call = ("ticket_note", chat.Called.of("", **NOTE).arguments)
    answers = (realtime.Answer("I note that.", call=call), realtime.Answer("It is noted now."))
    async with (
        desks.serving(desk) as url,
        speaking(tmp_path, *answers, TOOLS=str(DESK_FILE), DESK_URL=url) as (town, model, phone),
    ):
        phone.caller.say(audio("caller_sarah_name"))
        await wait_until(lambda: bool(desk.done), description="it works", within_s=30)
        await phone.caller.drop("reset")
        await back(phone)
        await town.until(phone, lambda it: ends_with(it, "noted now."), "it is told")
        await all_heard(town, phone)
        state = await kept_the_promise(town, phone)
        operation = state["operations"][0]
        assert [one["status"] for one in state["operations"]] == ["succeeded"]
        assert [(key, one.executions, one.asked) for key, one in desk.done.items()] == [
            (f"{phone.call_sid}:{operation['id']}", 1, 1)
        ]
        items = [one.item for one in model.last.items.values()]
        calls = [one["call_id"] for one in items if one["type"] == "function_call"]
        results = [one for one in items if one["type"] == "function_call_output"]
        assert calls == [operation["id"]] == [one["call_id"] for one in results]
        assert '"notes":1' in results[0]["output"].replace(" ", "")
        assert len(model.conversations) == 1


async def test_realtime_asks_for_a_moment_when_the_models_own_line_dies_and_goes_on(
    tmp_path: Path,
) -> None:
    half = realtime.Answer(LONG, hold_ms=2_000)
    async with speaking(tmp_path, half, realtime.Answer("and so on")) as (town, model, phone):
        await is_answered(phone, 1_000)
        model.refusals.extend([http.HTTPStatus.SERVICE_UNAVAILABLE] * 3)
        model.drop()
        await town.until(phone, lambda it: ends_with(it, "and so on"), "it goes on")
        await all_heard(town, phone)
        state = await kept_the_promise(town, phone)
        texts = [line["text"] for line in ours(state)]
        assert texts[0] == HELLO
        assert LONG.startswith(texts[1])
        assert texts[2:] == ["One moment, please.", "and so on"]
        assert phone.streams == 1
        assert len(model.conversations) == 2
        assert ("assistant", texts[1]) in model.last.texts()
        spoken = b"".join(
            [
                realtime.speech(HELLO),
                realtime.speech(LONG)[: samples(2_000)],
                rendered("One moment, please."),
                realtime.speech("and so on"),
            ]
        )
        assert heard_on(phone, 1) == spoken
