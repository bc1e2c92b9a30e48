"""What we understand of callers: words, and answers in the form, clean and in noise.

    python -m tests.bench.dialogue [ROUNDS]

The real endpointer, recogniser, ear, session and intake agent in one process; only the carrier and our
own voice are stand-ins. Audio is fed as fast as it is understood: after each 20 ms frame the recogniser
is waited for, so the outcome depends on no machine's speed.

1. Each recording once in each noise, with three seconds of the noise before it: words wrong, in percent,
   of what the ear tells. "T K T", "TKT" and "tkt" are the same words, and so are numbers in words and
   figures. A `!` marks what would fill its field wrongly, or would be no yes or no.
2. Each caller is taken in ROUNDS times in each noise, the noise shifted each time. A caller who is read
   back a wrong answer says no, and then says the answer again. `first` counts the answers that were
   right when they were first read back, `final` those at the end; a problem is right when at most one
   word in five is wrong. `turns`: what the caller said until the end, median and worst; five suffice.
"""

import asyncio
import re
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from typing_extensions import override

from service.agent.intake import answers
from service.agent.intake.form import is_same_ticket, question
from service.agent.intake.intake import Intake
from service.agent.intake.readback import READ_BACK, WHICH_FIELD
from service.audio import FRAME_SAMPLES, samples
from service.call import events as e
from service.call.decisions.resume import STILL_RIGHT
from service.call.inputs import Input, Utterance
from service.call.state import Call
from service.journal.stores import connect
from service.session.conversation.ear import Ear
from service.speech.ear.endpoint import Endpointer
from service.speech.ear.heard import Speech as Event, SpeechEnded
from service.speech.ear.vad import voice_activity
from service.speech.recognizer import recognizer
from service.speech.transcript import Transcript
from service.switchboard.switchboard import Switchboard
from tests.bench.turns import (
    AROUND,
    SPEECH_DB,
    Condition,
    Sound,
    at_speech_level,
    noises,
    sound,
    span,
    ulaw,
)
from tests.conftest import wait_until
from tests.session.house import CALL, Caller, House
from tests.speech.recordings import Recording, of_kind, words, words_wrong

ROUNDS = 4
TAIL = samples(16_000)  # an utterance that noise holds open is cut after 15 s
TURNS_MAX = 14  # a caller who said so much has lost patience
SHIFT = (
    7_919  # samples of noise between one utterance and the next, prime so that no two begin alike
)
WORD_MS = 20  # of our own voice, which nobody listens to here
CONDITIONS = (
    Condition("clean", 0),
    *(Condition(noise, below) for noise in ("pink", "babble", "car") for below in (20, 10)),
)
FIELDS = ("name", "company", "ticket_id", "problem")
FILES = {"name": "name", "company": "company", "ticket_id": "ticket", "problem": "problem"}
KEYS = {field: str(place) for place, field in enumerate(FIELDS, 1)}
YES_OR_NO = {"yes": True, "yes_right": True, "no": False, "no_wrong": False}
NUMBERS = frozenset({"17", "10"})  # these are said as one word
DIGITS = dict(
    zip(
        "0123456789",
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
        strict=True,
    )
)
TRUTH = {
    "sarah": {"name": "Sarah Johnson", "company": "Blue River Bakery", "ticket_id": "TKT-1234"},
    "david": {"name": "David Miller", "company": "Blue River Bakery", "ticket_id": "TKT-4821"},
}


class Understanding:
    """The real recogniser, which can be waited for, and a voice that is over at once."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(2)
        self._recognizer = recognizer()
        self._under_way = 0
        self.texts: list[str] = []

    async def render(self, text: str, *, call: str) -> bytes:
        del call
        return b"\x2a" * samples(WORD_MS * len(text.split()))

    async def transcribe(self, ulaw: bytes, *, call: str, is_guess: bool = False) -> Transcript:
        del call, is_guess
        loop = asyncio.get_running_loop()
        self._under_way += 1
        try:
            found = await loop.run_in_executor(self._threads, self._recognizer.transcribe, ulaw)
        finally:
            self._under_way -= 1
        self.texts.append(found.text)
        return found

    async def caught_up(self) -> None:
        """Return when nothing is being understood, and whoever asked knows the answer."""
        for _ in range(4):  # a task begins, ends, tells, and what it told is heard
            await asyncio.sleep(0)
        while self._under_way:
            await asyncio.sleep(0.001)
            await asyncio.sleep(0)


class CountingEndpointer(Endpointer):
    """Counts the utterances that ended."""

    def __init__(self) -> None:
        super().__init__(voice_activity())
        self.ended = 0

    @override
    def feed(self, ulaw: bytes) -> tuple[Event, ...]:
        found = super().feed(ulaw)
        self.ended += sum(isinstance(event, SpeechEnded) for event in found)
        return found


class Spoken(NamedTuple):
    """A caller in noise: mu-law, and where in it the voice begins and ends."""

    line: bytes
    first: int
    last: int


class Outcome(NamedTuple):
    """How one dialogue went."""

    who: str
    first: dict[str, str]
    final: dict[str, str]
    turns: int
    ending: str
    told: list[str]

    def is_right(self, values: dict[str, str], field: str) -> bool:
        """Return whether a field holds the truth."""
        return is_true(self.who, field, values.get(field, ""))


def is_true(who: str, field: str, value: str) -> bool:
    """Return whether this is what the caller answered."""
    if field == "ticket_id":
        return is_same_ticket(value, TRUTH[who][field])
    if field != "problem":
        return value.casefold() == TRUTH[who][field].casefold()
    says = clip(who, "problem").says
    return wrong_in(says, value) * 5 <= len(words(says))


def wrong_in(says: str, text: str) -> int:
    """Return how many words of a transcript are wrong, whichever way it writes letters and numbers."""
    plain = text.lower().replace("good-bye", "goodbye").replace("mr.", "mister")
    plain = re.sub(r"\b(?=[a-z]*\d)[a-z\d]+\b|\b[b-df-hj-np-tv-xz]{2,4}\b", _one_by_one, plain)
    return words_wrong(says, plain)


def _one_by_one(found: re.Match[str]) -> str:
    signs = found[0]
    return signs if signs in NUMBERS else " ".join(DIGITS.get(sign, sign) for sign in signs)


def is_understood(file: str, text: str) -> bool:
    """Return whether an utterance is read as the answer that it is; True for what is no answer."""
    _, who, what = file.removesuffix(".ulaw").split("_", 2) if file.count("_") > 1 else ("", "", "")
    if what in YES_OR_NO:
        return answers.yes_or_no(text) is YES_OR_NO[what]
    field = next((field for field, named in FILES.items() if named == what), "")
    asked = question(field)
    return asked is None or is_true(who, field, asked.read(text, Call()).value)


def clip(who: str, what: str) -> Recording:
    """Return a caller's recording."""
    (found,) = [one for one in of_kind("rendered") if one.file == f"caller_{who}_{what}.ulaw"]
    return found


def in_noise(
    spoken: Recording, condition: Condition, behind: dict[str, Sound], shift: int
) -> Spoken:
    """Return the caller with the noise around, from three seconds before until long after."""
    near = at_speech_level(sound(spoken.ulaw)) * 10 ** (SPEECH_DB / 20)
    first, last = span(near)
    line = np.pad(near, (AROUND, TAIL))
    if condition.noise in behind:
        noise = np.roll(behind[condition.noise], -shift)
        line += np.resize(noise, len(line)) * 10 ** ((SPEECH_DB - condition.below_db) / 20)
    return Spoken(ulaw(line), first + AROUND, last + AROUND)


def frames(spoken: Spoken) -> Iterable[tuple[int, bytes]]:
    """Return the line frame by frame, each with where it ends."""
    for at in range(0, len(spoken.line), FRAME_SAMPLES):
        yield at + FRAME_SAMPLES, spoken.line[at : at + FRAME_SAMPLES]


async def heard(spoken: Spoken, speech: Understanding) -> str:
    """Return what the ear makes of one utterance alone."""
    told: list[str] = []

    def tell(happened: Input) -> None:
        if isinstance(happened, Utterance):
            told.append(happened.text)

    endpointer = CountingEndpointer()
    ear = Ear(
        CALL, speech, lambda: endpointer, tell, call=Call,
        on_onset=lambda: None, on_false_alarm=lambda: None,
    )  # fmt: skip
    listening = asyncio.create_task(ear.run())
    for end, frame in frames(spoken):
        ear.hear(frame)
        await speech.caught_up()
        if end > spoken.last + samples(100) and endpointer.ended and not endpointer.is_speaking:
            break
    await wait_until(lambda: len(told) >= endpointer.ended, description="everything is told")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    return " ".join(filter(None, told))


class Dialogue:
    """One caller who is taken in."""

    def __init__(self, who: str, say: Callable[[str, int], Spoken], speech: Understanding) -> None:
        self._who = who
        self._say = say
        self._speech = speech
        self._endpointer = CountingEndpointer()
        self._first: dict[str, str] = {}
        self._told: list[str] = []
        self._corrected: Counter[str] = Counter()
        self._rows = 0

    async def run(self) -> Outcome:
        """Talk until it is over."""
        journal = connect("sqlite://:memory:", ttl_ms=600_000)
        await journal.start()
        house = House(journal)
        means = replace(
            house.means, agent=Intake(), speech=self._speech, endpointer=lambda: self._endpointer
        )
        house.switchboard = Switchboard(means)
        opened = (e.encode(e.CallOpened(call_sid=CALL)),)
        caller = await house.connect(opening=opened, parameters={})
        turns = 0
        await self._settled(house, caller)
        while not caller.call.ending and turns < TURNS_MAX:
            turns += 1
            await self._answer(house, caller, turns)
        call = caller.call
        await house.close()
        await journal.close()
        return Outcome(
            self._who, self._first, values(call), turns, call.ending or "goes on", self._told
        )

    async def _answer(self, house: House, caller: Caller, turn: int) -> None:
        asked = caller.call.asked
        if asked == READ_BACK and not self._first:
            self._first = values(caller.call)
        outcome = Outcome(self._who, {}, values(caller.call), 0, "", [])
        wrong = [field for field in FIELDS if not outcome.is_right(outcome.final, field)]
        is_which = asked == WHICH_FIELD
        if is_which:
            self._corrected.update(wrong[:1])
        if is_which and (wrong[:1] in ([], ["problem"]) or self._keys(wrong[0])):
            await self._presses(house, caller, KEYS[(wrong or ["problem"])[0]])
            return
        if asked == "ticket_id" and self._keys(asked):
            digits = TRUTH[self._who][asked].rpartition("-")[2]
            await self._presses(house, caller, digits)
            return
        if asked in (READ_BACK, STILL_RIGHT):
            what = "no_wrong" if wrong else "yes_right"
        else:
            what = FILES.get(wrong[0] if is_which else asked, "yes_right")
        lines = len(caller.call.transcript)
        await self._speaks(house, caller, self._say(what, turn))
        understood = [one.text for one in caller.call.transcript[lines:] if one.who == "caller"]
        self._told.append(f"{asked}: {' / '.join(understood)}")

    def _keys(self, field: str) -> bool:
        """Whether the caller would rather key it: saying it again was in vain."""
        return field == "ticket_id" and self._corrected[field] > 1

    async def _presses(self, house: House, caller: Caller, keys: str) -> None:
        self._told.append(f"{caller.call.asked}: [{keys}#]")
        self._rows += 1
        caller.presses(f"{keys}#")
        await self._settled(house, caller)

    async def _speaks(self, house: House, caller: Caller, spoken: Spoken) -> None:
        """Say it, and wait for the answer. A false alarm before or after it is answered, too."""
        for end, frame in frames(spoken):
            ended = self._endpointer.ended
            caller.session.heard_audio(caller.epoch, frame, house.clock.now_ms())
            await self._speech.caught_up()
            is_outside = not spoken.first <= end <= spoken.last
            if self._endpointer.ended > ended and is_outside:
                await self._settled(house, caller)
            if caller.call.ending:
                return
            if end > spoken.last + samples(700) and not self._endpointer.is_speaking:
                break
        await self._settled(house, caller)

    async def _settled(self, house: House, caller: Caller) -> None:
        """Wait until all that was said is answered, and all that was answered is heard."""

        async def holds() -> bool:
            await self._speech.caught_up()
            kinds = Counter(await house.kinds())
            is_taken = (
                kinds["CallerSpoke"] >= self._endpointer.ended
                and kinds["DigitsEntered"] >= self._rows
                and caller.call.position == kinds.total()  # folded, too
            )
            call = caller.call
            is_quiet = call.turn is None and not call.prompts and bool(call.asked)
            return is_taken and (is_quiet or bool(call.ending))

        await wait_until(holds, description=f"{self._who} is answered: {caller.call}")


def values(call: Call) -> dict[str, str]:
    """Return the form."""
    return {name: field.value for name, field in call.fields.items()}


async def words_table(behind: dict[str, Sound], speech: Understanding) -> None:
    """Print the first table."""
    titles = [condition.title() for condition in CONDITIONS]
    write(f"{'words wrong, %':26}{'words':>6}" + "".join(f"{title:>14}" for title in titles))
    sums: dict[str, list[int]] = {}
    for spoken in of_kind("human", "rendered"):
        wrong, marks = [], []
        for condition in CONDITIONS:
            line = in_noise(spoken, condition, behind, 911 * sum(spoken.file.encode()))
            text = await heard(line, speech)
            wrong.append(wrong_in(spoken.says, text))
            marks.append(" " if is_understood(spoken.file, text) else "!")
        count = len(words(spoken.says))
        write(f"{spoken.file.removesuffix('.ulaw'):26}{count:6}" + percents(wrong, count, marks))
        row = sums.setdefault(spoken.speaker, [0] * (len(wrong) + 1))
        for at, value in enumerate((count, *wrong)):
            row[at] += value
    for speaker, (count, *wrong) in sums.items():
        write(f"{speaker[:25]:26}{count:6}" + percents(wrong, count))


def percents(wrong: Sequence[int], count: int, marks: Sequence[str] = "") -> str:
    """Return shares of the words, each with its mark."""
    cells = zip(wrong, marks or " " * len(wrong), strict=True)
    return "".join(f"{100 * one / count:13.1f}{mark}" for one, mark in cells)


async def dialogues(
    rounds: int, condition: Condition, behind: dict[str, Sound], speech: Understanding
) -> list[Outcome]:
    """Take both callers in, so many times each."""
    found = []
    for who in TRUTH:
        for round_ in range(rounds):

            def say(what: str, turn: int, who: str = who, round_: int = round_) -> Spoken:
                shift = SHIFT * (turn + TURNS_MAX * round_ + 101 * len(what))
                return in_noise(clip(who, what), condition, behind, shift)

            found.append(await Dialogue(who, say, speech).run())
    return found


def dialogue_rows(condition: Condition, found: list[Outcome]) -> Iterable[str]:
    """Return the lines of one condition."""
    for who in TRUTH:
        some = [one for one in found if one.who == who]
        cells = [
            f"{sum(one.is_right(one.first, field) for one in some)}/"
            f"{sum(one.is_right(one.final, field) for one in some)}"
            for field in FIELDS
        ]
        turns = [one.turns for one in some]
        done = sum(one.ending == "hangup" for one in some)
        yield (
            f"{condition.title():14}{who:8}{len(some):5}{done:6}"
            + "".join(f"{cell:>11}" for cell in cells)
            + f"{statistics.median(turns):8.0f}{max(turns):4}"
        )


def mistakes(condition: Condition, found: list[Outcome]) -> Iterable[str]:
    """Return what was wrong when it was first read back, and what stayed so."""
    for one in found:
        for field in FIELDS:
            if not one.is_right(one.first, field):
                end = (
                    ""
                    if one.is_right(one.final, field)
                    else f", at the end {one.final.get(field)!r}"
                )
                yield f"{condition.title()}, {one.who}: {field} was {one.first.get(field)!r}{end}"
        if one.ending != "hangup":
            yield f"{condition.title()}, {one.who}: {one.ending}: " + " | ".join(one.told)


def write(text: str) -> None:
    """Write a line at once: it takes minutes until the last one."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def run(rounds: int) -> None:
    """Print the tables."""
    behind, speech = noises(), Understanding()
    await words_table(behind, speech)
    heads = "".join(f"{field:>11}" for field in FIELDS)
    write(f"\n{'first/final right':14} {'':5}{'calls':>5}{'done':>6}{heads}{'turns':>12}")
    wrong: list[str] = []
    for condition in CONDITIONS:
        found = await dialogues(rounds, condition, behind, speech)
        for row in dialogue_rows(condition, found):
            write(row)
        wrong += mistakes(condition, found)
    write("\n" + "\n".join(wrong))


def main() -> None:
    """Run."""
    asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))


if __name__ == "__main__":
    main()
