"""What callers heard, word by word, held against what the journal says was to be said.

    script: every word of every prompt, in the order of the journal
    heard:  |----------- stream 1 --------|            |--- stream 2 ------ …
             goes on, word by word; over   back to the clause that was cut, or on;
             what was given up it may pass never over what nobody gave up

A caller who cuts us off gives up what is left; not when we had said all and fallen silent.

Of the last second before a stream went the service may not know that it was heard, so it may say that
again; of a stream that was harmed without a word to it, all since the harm.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from service.chaos.callers.crowd import LightPhone
from service.chaos.callers.strand import Heard
from service.chaos.judging.judge import FOUND_MAX, Journals, Json, has_branch
from service.testing.textspeech import Word, written


class Slot(msgspec.Struct, frozen=True):
    """A word that is to be said: which prompt's, where its clause begins in the script, written when."""

    word: Word
    prompt: str
    begin: int
    written_ms: int = 0


class Faults(msgspec.Struct):
    """What was wrong, by kind; `apart` counts the calls that another branch's words were said in."""

    skipped: list[str] = msgspec.field(default_factory=list)
    again: list[str] = msgspec.field(default_factory=list)
    unplaced: list[str] = msgspec.field(default_factory=list)
    overclaimed: list[str] = msgspec.field(default_factory=list)
    words: int = 0
    apart: int = 0


def faults(phones: Sequence[LightPhone], journals: Journals) -> Faults:
    """Return all that was heard other than it was to be said."""
    found = Faults()
    for phone in phones:
        journal = journals.get(phone.call_sid, [])
        heard = [strand.heard(phone.now_ms()) for strand in phone.span.strands]
        found.words += sum(map(len, heard))
        found.overclaimed += _overclaimed(phone.call_sid, journal, heard)
        if has_branch(journal):
            # What was said by who had lost the call stands in no script.
            found.apart += 1
            continue
        walk = Walk(phone.call_sid, journal, found, quiet_ms=phone.quiet_ms)
        for strand, words in zip(phone.span.strands, heard, strict=True):
            walk.stream(words, strand.known_ms(phone.now_ms()), strand.leg.stream_sid)
        walk.end()
    for kind in (found.skipped, found.again, found.unplaced, found.overclaimed):
        del kind[FOUND_MAX:]
    return found


class Walk:
    """The way of one call's caller through the script."""

    def __init__(
        self, call_sid: str, journal: Sequence[Json], found: Faults, *, quiet_ms: int = 0
    ) -> None:
        self._sid = call_sid
        self._found = found
        self._script = script(journal)
        # Where in the journal a prompt was given up, and where a stream came. What is still given up when
        # we had fallen silent was not being said any more.
        self._given_up = _places(
            [one for one in journal if not quiet_ms or _ms(one["at"]) < quiet_ms],
            "speech_cut",
            "prompt",
        )
        self._came = _places(journal, "stream_attached", "stream_sid")
        self._since = 0
        self._at = 0  # the word that is next
        self._known = 0  # the words before were heard, and the service must know
        self._streams = 0

    def stream(self, heard: Sequence[Heard], known_ms: int, stream_sid: str = "") -> None:
        """Go through what was heard on the next stream, of which the service knows up to a moment."""
        self._streams += 1
        self._since = self._came.get(stream_sid, 0)
        for number, (at_ms, word) in enumerate(heard):
            place = self._place(word, at_ms, is_first=number == 0)
            if place is None:
                continue
            self._at = place + 1
            if at_ms <= known_ms:
                self._known = max(self._known, self._at)

    def end(self) -> None:
        """Say what was never said."""
        self._pass_to(len(self._script))

    def _place(self, word: Word, at_ms: int, *, is_first: bool) -> int | None:
        """Return where in the script a word stands; notes what is wrong with that."""
        # Nothing is said before it is written.
        end = bisect_right(self._script, at_ms, key=lambda slot: slot.written_ms)
        if self._at < end and self._script[self._at].word == word:
            return self._at
        back = self._seek(word, range(self._at - 1, -1, -1))
        if is_first and back is not None and back >= self._floor and self._may_go_on(back):
            return back
        on = self._seek(word, range(self._at, end))
        if on is not None:
            self._pass_to(on)
            return on
        kind = self._found.again if is_first and back is not None else self._found.unplaced
        kind.append(f"{self._told(word)}, next was {self._next()}")
        return back

    @property
    def _floor(self) -> int:
        """Where a new stream may begin at the earliest: with the clause not known to be heard whole."""
        if not self._known:
            return 0
        last = self._script[self._known - 1]
        return self._known if last.word.index + 1 == last.word.of else last.begin

    def _may_go_on(self, back: int) -> bool:
        """Whether this prompt was still to be said when the stream came."""
        prompt = self._script[back].prompt
        return self._given_up.get(prompt, self._since) >= self._since

    def _pass_to(self, place: int) -> None:
        over = [one for one in self._script[self._at : place] if one.prompt not in self._given_up]
        if over:
            missed = " ".join(one.word.text for one in over)
            self._found.skipped.append(
                f"{self._sid}: stream {self._streams}: {missed!r} of {over[0].prompt} was never heard"
            )

    def _seek(self, word: Word, places: range) -> int | None:
        return next((at for at in places if self._script[at].word == word), None)

    def _told(self, word: Word) -> str:
        return f"{self._sid}: stream {self._streams}: {word.text!r}, {word.index + 1} of {word.of}"

    def _next(self) -> str:
        return repr(self._script[self._at].word.text) if self._at < len(self._script) else "nothing"


def _places(journal: Sequence[Json], kind: str, name: str) -> dict[str, int]:
    return {one[name]: one["position"] for one in journal if one["kind"] == kind}


def script(journal: Sequence[Json]) -> list[Slot]:
    """Return every word that was to be said, in order."""
    found: list[Slot] = []
    at_ms = 0
    for record in journal:
        if record["kind"] == "agent_spoke":
            at_ms = max(at_ms, _ms(record["at"]))
            for clause in record["clauses"]:
                begin = len(found)
                found += [Slot(word, record["prompt"], begin, at_ms) for word in written(clause)]
    return found


def _ms(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp() * 1_000)


def _overclaimed(
    call_sid: str, journal: Sequence[Json], heard: Sequence[Sequence[Heard]]
) -> Iterator[str]:
    """Give the clauses that count as heard to their end and whose end never sounded."""
    sounded = {word for words in heard for _, word in words}
    clauses = {one["prompt"]: one["clauses"] for one in journal if one["kind"] == "agent_spoke"}
    claimed = {
        (one["prompt"], number)
        for one in journal
        if one["kind"] == "played" and one["prompt"] in clauses
        for number in range(min(one["clauses"], len(clauses[one["prompt"]])))
    }
    for prompt, number in sorted(claimed):
        last = written(clauses[prompt][number])[-1:]
        if not sounded.issuperset(last):
            yield f"{call_sid}: {clauses[prompt][number]!r} of {prompt} counts as heard"
