"""How the talk feels at the other end of the wire: falling silent, answering, the first sound.

    python -m tests.bench.talk [BARGES [TALKS]]

The real application in a process of its own, the real engines, real time; the caller is the simulator
on loopback. AT_ONCE calls run at a time. Moments of the caller's speech are those at which the frame
that holds them is due to be sent; moments of ours, those at which the simulator received it.

1. BARGES times a caller begins to speak over a story: first voiced sample to `clear`, in two parts.
2. TALKS callers are taken in: last voiced sample to the first sound of the answer, by what was said.
   `patience` is what the endpointer waited for by rule, the floor of all; `ended` is when it was over,
   `words` the wait for the recogniser then, `agent` until the answer is written, `voice` until its
   first sound has come.
3. A sentence is known to its first sound, in both kinds of calls: `write` until it is in the journal
   and the voice is asked, `render` until the first clause is there, `wire` until it has come.
"""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

from service.audio import milliseconds
from service.call.acts import Act, Say
from service.call.state import Call, Turn
from service.simulator.caller import Utterance
from service.simulator.phone import Phone
from service.simulator.streams.line import FRAME_MS
from service.simulator.timeline import Kind
from service.speech.engine import engines
from tests.bench._served import Json, Note, Served
from tests.bench.turns import sound, span
from tests.speech.recordings import Recording, of_kind

BARGES, TALKS = 48, 16
AT_ONCE = 2
BARGES_A_CALL = 8
LATEST_MS = 2_000  # a `clear` that comes later was not for this
SOUND_MS_MAX = 5_000  # a first sound that comes later belongs to something else
EARLY_MS = 400  # an utterance that ended so long before the caller did was cut in two
GOAL_CLEAR_MS, GOAL_SOUND_MS = 150, 300
SUBJECTS = ("printer", "router", "scanner", "calendar", "keyboard", "telephone", "server")
STORY = (
    "We have written a long report about it, with a date and a name for everything that was done.",
    "First the cable was changed, and then the other cable, and after lunch the first one again.",
    "A colleague looked at the settings from home, and found nothing that should not be there.",
    "In the evening it was switched off for an hour, which often helps, and this time it did not.",
)


class Storyteller:
    """Says something long in every turn; in every second one it begins as it never began before."""

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        """Tell a story."""
        chance = random.Random(f"{call.call_sid}{turn.number}")
        times = chance.randrange(2, 90) if turn.number % 2 else 12
        subject = chance.choice(SUBJECTS) if turn.number % 2 else "machine"
        day = chance.randrange(2, 29) if turn.number % 2 else 3
        opening = f"Your {subject} was checked {times} times since the {day}th of this month."
        yield Say(" ".join((opening, *STORY)))


class Barge(NamedTuple):
    """How soon one caller was given the floor; -1 stands for never."""

    file: str
    clear_ms: int
    stir_ms: int


class Answer(NamedTuple):
    """How soon one caller was answered, and in which parts."""

    kind: str
    total_ms: int
    patience_ms: int
    ended_ms: int
    words_ms: int
    agent_ms: int
    voice_ms: int


class Sound(NamedTuple):
    """How soon a sentence that was written was heard."""

    was_cached: bool
    total_ms: int
    write_ms: int
    render_ms: int
    wire_ms: int


class Heard(NamedTuple):
    """All that is known of one call when it is over: its utterances, its records, its notes, its sound."""

    phone: Phone
    said: list[tuple[str, Recording, Utterance]]
    facts: list[Json]
    notes: list[Note]
    begun_ms: list[int]
    ended_ms: list[int]

    def sent_ms(self, utterance: Utterance, sample: int) -> int:
        """Return when the frame with this sample of an utterance is due to be sent."""
        line = self.phone.lines[0]
        at_ms = utterance.start_ms + milliseconds(sample) - line.started_ms
        return line.started_ms + (at_ms // FRAME_MS + 1) * FRAME_MS

    def first_sound_ms(self, from_ms: int) -> int:
        """Return when the first audio from a moment on began to sound; 0 when none did in time."""
        found = next((at for at in self.begun_ms if at >= from_ms), 0)
        return found if found - from_ms <= SOUND_MS_MAX else 0


async def quiet(phone: Phone, after_ms: int, for_ms: int) -> None:
    """Wait until we have spoken since `after_ms`, and fallen silent for so long."""
    await phone.until(
        lambda it: bool(it.ear.stretches) and it.ear.stretches[-1].start_ms > after_ms,
        "we speak",
        timeout_ms=25_000,
    )
    await phone.until(
        lambda it: it.ear.quiet_ms(it.now_ms()) >= for_ms, "we fall silent", timeout_ms=60_000
    )


async def interrupted(served: Served, chance: random.Random, callers: Sequence[Recording]) -> Heard:
    """Speak over the story, again and again."""
    phone = await served.exchange.call()
    said = []
    free_ms = 0
    for spoken in callers:
        wait_ms = chance.randint(300, 4_000)

        def has_listened(it: Phone, since_ms: int = free_ms, wait_ms: int = wait_ms) -> bool:
            begun_ms = max(since_ms, it.ear.stretches[-1].start_ms) if it.ear.stretches else 0
            return it.agent_speaks and it.now_ms() - begun_ms >= wait_ms

        await phone.until(has_listened, "the story goes on", timeout_ms=60_000)
        utterance = phone.caller.say(spoken.ulaw)
        said.append(("", spoken, utterance))
        free_ms = utterance.end_ms + 300
        await phone.until(lambda it, from_ms=free_ms: it.now_ms() > from_ms, "it is said")  # type: ignore[misc]
    await quiet(phone, free_ms - 300, 0)
    return await over(served, phone, said)


async def taken_in(
    served: Served, chance: random.Random, answers: Sequence[tuple[str, Recording]]
) -> Heard:
    """Answer every question of the intake agent."""
    phone = await served.exchange.call()
    said = []
    after_ms = 0
    for kind, spoken in answers:
        await quiet(phone, after_ms, chance.randint(600, 1_000))
        utterance = phone.caller.say(spoken.ulaw)
        said.append((kind, spoken, utterance))
        after_ms = utterance.end_ms
    await phone.until(lambda it: it.ear.stretches[-1].start_ms > after_ms, "the last answer")
    return await over(served, phone, said)


async def over(served: Served, phone: Phone, said: list[tuple[str, Recording, Utterance]]) -> Heard:
    """Hang up, and collect what is known."""
    now_ms = phone.now_ms()
    pieces = [piece for line in phone.lines for piece in line.leg.heard(now_ms)]
    await phone.hang_up()
    begun = [at for at, _ in pieces]
    ended = [at + milliseconds(len(ulaw)) for at, ulaw in pieces]
    notes = served.notes("stirred", "ended", "understood", "rendered")
    audio = {note.audio for note in notes if note.call == phone.call_sid and note.audio}
    ears = {note.ear for note in notes if note.what == "ended" and note.audio in audio}
    ours = [note for note in notes if note.call == phone.call_sid or note.ear in ears]
    return Heard(phone, said, await served.facts(phone), ours, begun, ended)


def barges(heard: Heard) -> Iterable[Barge]:
    """Find the `clear` for each utterance."""
    clears = [event.at_ms for event in heard.phone.timeline.of(Kind.CLEAR)]
    stirs = [note.at_us // 1_000 for note in heard.notes if note.what == "stirred"]
    for _, spoken, utterance in heard.said:
        onset_ms = heard.sent_ms(utterance, span(sound(spoken.ulaw))[0])
        window = range(onset_ms - FRAME_MS, onset_ms + LATEST_MS)
        clear_ms = next((at - onset_ms for at in clears if at in window), -1)
        stir_ms = next((at - onset_ms for at in stirs if at in window), -1)
        yield Barge(spoken.file, clear_ms, stir_ms)


def answers(heard: Heard) -> Iterable[Answer]:
    """Find the answer to each utterance. One that was cut in two has none."""
    ends = [note for note in heard.notes if note.what == "ended"]
    for kind, spoken, utterance in heard.said:
        end_ms = heard.sent_ms(utterance, span(sound(spoken.ulaw))[1])
        sound_ms = heard.first_sound_ms(end_ms - EARLY_MS)
        before = [note for note in ends if note.at_us < sound_ms * 1_000]
        if not before or before[-1].at_us < (end_ms - EARLY_MS) * 1_000:
            continue
        ended_ms = before[-1].at_us // 1_000
        words_ms = latest(heard.facts, "caller_spoke", sound_ms)
        known_ms = next(
            (at for at in moments(heard.facts, "agent_spoke") if at >= words_ms), sound_ms
        )
        yield Answer(
            kind,
            sound_ms - end_ms,
            before[-1].patience_ms,
            ended_ms - end_ms,
            words_ms - ended_ms,
            known_ms - words_ms,
            sound_ms - known_ms,
        )


def sounds(heard: Heard) -> Iterable[Sound]:
    """Find the first sound of each sentence that was written while nothing sounded."""
    for fact in heard.facts:
        if fact["kind"] != "agent_spoke":
            continue
        known_ms, first = fact["at_ms"], fact["clauses"][0]
        sounding = any(
            begun <= known_ms < ended
            for begun, ended in zip(heard.begun_ms, heard.ended_ms, strict=True)
        )
        rendered = [
            note
            for note in heard.notes
            if note.what == "rendered" and note.text == first and note.at_us >= known_ms * 1_000
        ]
        sound_ms = heard.first_sound_ms(known_ms)
        if rendered and sound_ms and not sounding:
            since_ms, done_ms = rendered[0].since_us // 1_000, rendered[0].at_us // 1_000
            yield Sound(
                rendered[0].was_cached,
                sound_ms - known_ms,
                since_ms - known_ms,
                done_ms - since_ms,
                sound_ms - done_ms,
            )


def moments(facts: list[Json], kind: str) -> list[int]:
    """Return when facts of a kind were written."""
    return [fact["at_ms"] for fact in facts if fact["kind"] == kind]


def latest(facts: list[Json], kind: str, before_ms: int) -> int:
    """Return when the last fact of a kind was written before a moment."""
    return max((at for at in moments(facts, kind) if at <= before_ms), default=0)


async def several(calls: Iterable[Callable[[], Awaitable[Heard]]]) -> list[Heard]:
    """Make calls, AT_ONCE at a time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(call: Callable[[], Awaitable[Heard]]) -> Heard:
        async with gate:
            return await call()

    return list(await asyncio.gather(*map(one, calls)))


async def told_stories(count: int) -> list[Heard]:
    """Have the story interrupted `count` times."""
    chance = random.Random(3)
    everybody = of_kind("human", "rendered")
    callers = [one for _ in range(count) for one in chance.sample(everybody, len(everybody))][
        :count
    ]
    calls = [callers[at : at + BARGES_A_CALL] for at in range(0, count, BARGES_A_CALL)]
    async with Served(AGENT="tests.bench.talk:Storyteller") as served:
        return await several(
            lambda lot=lot: interrupted(served, chance, lot)  # type: ignore[misc]
            for lot in calls
        )


async def taken_in_all(count: int) -> list[Heard]:
    """Have `count` callers taken in."""
    chance = random.Random(5)
    by_file = {one.file: one for one in of_kind("rendered")}
    rows = []
    for n in range(count):
        who = ("sarah", "david")[n % 2]
        told = ("problem", "long")[n // 2 % 2]
        last = ("yes", "yes_right", "no", "no_wrong")[n // 2 % 4]
        kinds = ("name", "company", "ticket", "free", "yes/no")
        files = ("name", "company", "ticket", told, last)
        rows.append(
            [
                (kind, by_file[f"caller_{who}_{file}.ulaw"])
                for kind, file in zip(kinds, files, strict=True)
            ]
        )
    async with Served() as served:
        return await several(
            lambda row=row: taken_in(served, chance, row)  # type: ignore[misc]
            for row in rows
        )


def spread(values: Iterable[int]) -> str:
    """Return p50, p95 and the worst."""
    ordered = sorted(values)
    if not ordered:
        return f"{'-':>6}{'-':>6}{'-':>6}"
    p95 = ordered[min(len(ordered) * 95 // 100, len(ordered) - 1)]
    return f"{ordered[len(ordered) // 2]:6}{p95:6}{ordered[-1]:6}"


def barge_table(found: list[Barge]) -> list[str]:
    """Return the first table."""
    met = [one for one in found if one.clear_ms != -1]
    whole = [one for one in met if one.stir_ms != -1]
    slow = sorted(met, key=lambda one: -one.clear_ms)[:3]
    return [
        f"{'speaking over us, ms':34}{'p50':>6}{'p95':>6}{'max':>6}",
        (
            f"{f'first voice to clear ({len(met)} of {len(found)})':34}{spread(one.clear_ms for one in met)}"
            f"  goal p95 {GOAL_CLEAR_MS}"
        ),
        f"{'  until the ear stirs':34}{spread(one.stir_ms for one in whole)}",
        f"{'  from then to clear':34}{spread(one.clear_ms - one.stir_ms for one in whole)}",
        "slowest: " + ", ".join(f"{one.file} {one.clear_ms}" for one in slow),
        *(f"never: {one.file}" for one in found if one.clear_ms == -1),
    ]


def answer_table(found: list[Answer], asked: int) -> list[str]:
    """Return the second table."""
    heads = ("in all", "patience", "ended", "words", "agent", "voice")
    lines = [
        f"{'answering, ms: p50 p95 max':26}" + "".join(f"{head:>18}" for head in heads),
    ]
    kinds = list(dict.fromkeys(one.kind for one in found))
    for kind in (*kinds, "all"):
        some = [one for one in found if kind in (one.kind, "all")]
        columns = zip(*(one[1:] for one in some), strict=True)
        lines.append(f"{f'{kind} ({len(some)})':26}" + "".join(map(spread, columns)))
    lines.append(f"cut in two, or not answered in time: {asked - len(found)} of {asked}")
    return lines


def sound_table(name: str, found: list[Sound]) -> list[str]:
    """Return a part of the third table."""
    lines = []
    for was_cached, how in ((False, "rendered"), (True, "from the cache")):
        some = [one[1:] for one in found if one.was_cached is was_cached]
        columns = [[row[at] for row in some] for at in range(4)]
        lines.append(f"{f'{name}, {how} ({len(some)})':34}" + "".join(map(spread, columns)))
    return lines


async def run(count: int, talks: int) -> None:
    """Print the tables."""
    installed = engines()
    loads = [os.getloadavg()[0]]
    stories = await told_stories(count)
    loads.append(os.getloadavg()[0])
    intakes = await taken_in_all(talks)
    loads.append(os.getloadavg()[0])
    out = [
        (
            f"{installed.synthesizer}, {installed.recognizer}, {installed.voice};"
            f" {AT_ONCE} calls at once on {os.cpu_count()} cores;"
            f" load {', '.join(f'{load:.1f}' for load in loads)}"
        ),
        "",
        *barge_table([one for heard in stories for one in barges(heard)]),
        "",
        *answer_table(
            [one for heard in intakes for one in answers(heard)],
            sum(len(heard.said) for heard in intakes),
        ),
        "",
        f"{'first sound, ms: p50 p95 max':34}"
        + "".join(f"{head:>18}" for head in ("in all", "write", "render", "wire"))
        + f"  goal {GOAL_SOUND_MS}",
        *sound_table("a story", [one for heard in stories for one in sounds(heard)]),
        *sound_table("the intake", [one for heard in intakes for one in sounds(heard)]),
    ]
    sys.stdout.write("\n".join(out) + "\n")


def main() -> None:
    """Run."""
    counts = [int(word) for word in sys.argv[1:3]]
    asyncio.run(run(*counts, *(BARGES, TALKS)[len(counts) :]))


if __name__ == "__main__":
    main()
