"""What callers really heard, word by word, against what was claimed, cut, and said again.

The service's speech carries its words in its samples, so what came out of the carrier's buffer tells which
words sounded whole, when, and on which stream.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from service.audio import milliseconds
from service.call import events as e
from service.simulator.streams.line import Line
from service.testing import textspeech
from tests.simulation.brain import GREETING
from tests.simulation.witness import Told, Witness

BLIND_MS_MAX = (
    200  # until a server sees that a stream is gone: it can't know what sounded in that time
)
CUT_MS_MAX = 500  # from a cut being written to the carrier's buffer being empty
AHEAD_MS = 2_000  # of our words lie with the carrier, and sound though nobody sends any more
CLEAR_MS_MAX = 100  # from a `clear` being sent to its arrival, while words go on to sound
AGAIN_WORDS_MAX = (
    58  # said again after one hold: two seconds sent ahead, of which no echo came, and 300 ms
)
AGAIN_CLAUSES_MAX = 5  # said again after a stall: so many of ours lie in the two seconds sent ahead
OWN = ("Sentence ", *GREETING.split(". "))  # how clauses begin that are said once in a call


class Heard(msgspec.Struct, frozen=True):
    """A word that sounded whole: when it was over, by the run's time, and on which stream."""

    at_ms: int
    stream: int
    word: textspeech.Word


def clause_sum(text: str) -> int:
    """Return what the words of a clause call their clause."""
    return textspeech._sum(" ".join(text.split()).encode())


def heard_words(lines: Sequence[Line], now_ms: int, origin_ms: int) -> list[Heard]:
    """Return every word that the caller heard, stream by stream."""
    return [one for line in lines for one in _on_line(line, now_ms, origin_ms)]


def _on_line(line: Line, now_ms: int, origin_ms: int) -> Iterator[Heard]:
    pieces = line.leg.heard(line.ended_ms or now_ms)
    ends, whole = [], 0
    for begin_ms, ulaw in pieces:
        whole += len(ulaw)
        ends.append((whole, begin_ms + milliseconds(len(ulaw))))
    place = 0
    for found in textspeech._PACKET.finditer(b"".join(ulaw for _, ulaw in pieces)):
        while ends[place][0] < found.end():
            place += 1
        at_ms = ends[place][1] - milliseconds(ends[place][0] - found.end())
        word = textspeech._read(found[1])
        if word is not None:
            yield Heard(at_ms - origin_ms, line.number, word)


class Hearing:
    """One call: what was told of it in the journal, and what its caller heard."""

    def __init__(
        self,
        call_sid: str,
        told: Sequence[Told],
        heard: Sequence[Heard],
        *,
        ends_ms: Mapping[int, int],
        was_still: bool,
        clears_ms: Mapping[int, Sequence[int]] = MappingProxyType({}),
        numbers: Mapping[str, Sequence[int]] = MappingProxyType({}),
        stalled: frozenset[int] = frozenset(),
        misdated: frozenset[int] = frozenset(),
    ) -> None:
        """Take when its streams ended, and whether a server stood still, which heard no echo meanwhile.

        `clears_ms` is when the carrier was told to drop what it has, stream by stream, and `numbers` are
        those of streams by their names; on the `stalled` ones no echo came for a while, or none could be
        written down before a server died. The `misdated` came with tokens for new calls that had just
        been issued, by their servers' clocks.
        """
        self._sid = call_sid
        self._clears_ms = clears_ms
        self._numbers = numbers
        self._stalled = stalled
        self._misdated = misdated
        self._ends_ms = ends_ms
        self._was_still = was_still
        self._told = told
        self._heard = heard
        self._clauses = {
            one.fact.prompt: one.fact.clauses for one in told if isinstance(one.fact, e.AgentSpoke)
        }
        self._is_orphaned = any(isinstance(one.fact, e.BranchOrphaned) for one in told)

    def judge(self, witness: Witness) -> None:
        """Compare the two."""
        rules = (
            (3, self._overclaimed()),
            (3, self._greeted_anew()),
            (4, self._repeated()),
            (4, self._doubled()),
            (4, self._stale()),
        )
        for rule, broken in rules:
            why = next(broken, "")
            witness.check(rule, not why, f"{self._sid}: {why}")

    def _overclaimed(self) -> Iterator[str]:
        """No clause counts as heard to its end whose end never sounds.

        Of the words of a clause that a stream died under, the clock may claim those up to the next mark
        that was to come back.
        """
        sounded = {(one.word.clause, one.word.index) for one in self._heard}
        whole, parts = set(), set()
        for fact in (told.fact for told in self._told):
            if isinstance(fact, e.Played) and fact.prompt in self._clauses:
                clauses = self._clauses[fact.prompt]
                whole |= (
                    {(clauses[fact.clauses - 1], len(clauses[fact.clauses - 1].split()) - 1)}
                    if fact.clauses
                    else set()
                )
                if fact.part_words > 0 and fact.clauses < len(clauses):
                    parts.add((clauses[fact.clauses], fact.part_words - 1))
        missed = [text for text, index in sorted(whole) if (clause_sum(text), index) not in sounded]
        if missed:
            yield f"{missed} count as heard to their end"
        unheard = [
            text for text, index in sorted(parts) if (clause_sum(text), index) not in sounded
        ]
        if len(unheard) > len(self._ends_ms):
            yield f"words of {unheard} count as heard, with {len(self._ends_ms)} streams ended"

    def _greeted_anew(self) -> Iterator[str]:
        """A branch that is lost greeted nobody on a stream after one on which they heard the greeting whole.

        Unless it was misdated: cut off from the store, a server has but the token to tell a new call by.
        """
        first = clause_sum(f"{OWN[1]}.")
        words = [one for one in self._heard if one.word.clause == first]
        whole = {one.stream for one in words if one.word.index == one.word.of - 1}
        again = {one.stream for one in words if not one.word.index}
        apart = _streams_apart(self._told, self._numbers)
        greeted = {number for number, fact in apart if isinstance(fact, e.Greeted)}
        for number in (greeted & again) - self._misdated:
            if any(before < number for before in whole):
                yield f"is greeted anew on stream {number}"

    def _repeated(self) -> Iterator[str]:
        """At most one clause that was heard to its end is said again on a new stream."""
        if self._is_orphaned or self._was_still:
            return  # What was said unseen by who took the call is not known there.
        own = self._own()
        whole: set[int] = set()
        for stream in sorted({one.stream for one in self._heard}):
            words = [one.word for one in self._heard if one.stream == stream]
            again = {word.clause for word in words if word.index == 0} & whole & own
            if len(again) > (AGAIN_CLAUSES_MAX if self._stalled & set(range(stream)) else 1):
                yield f"stream {stream} says {len(again)} clauses again"
            whole |= {word.clause for word in words if word.index == word.of - 1}

    def _own(self) -> set[int]:
        """What the words of clauses that are said once in a call call their clause."""
        texts = (text for clauses in self._clauses.values() for text in clauses)
        return {clause_sum(text) for text in texts if text.startswith(OWN)}

    def _doubled(self) -> Iterator[str]:
        """On one stream a word sounds again only after a hold took it back, and few words for each hold."""
        own = self._own()
        before: dict[tuple[int, int, int], int] = {}
        again: Counter[tuple[int, int]] = Counter()
        for one in self._heard:
            place = (one.stream, one.word.clause, one.word.index)
            if one.word.clause in own and place in before:
                since_ms = before[place] - CLEAR_MS_MAX
                clears = [
                    ms for ms in self._clears_ms.get(one.stream, ()) if since_ms <= ms <= one.at_ms
                ]
                if not clears:
                    yield f"{one.word.text!r} sounds at {before[place]} and at {one.at_ms} on stream {one.stream}"
                else:
                    again[one.stream, clears[-1]] += 1
            before[place] = one.at_ms
        for (stream, at_ms), count in again.items():
            if count > AGAIN_WORDS_MAX:
                yield f"{count} words again on stream {stream} after {at_ms}"

    def _stale(self) -> Iterator[str]:
        """What was cut sounds no more, unless a server whose branch is lost said the same, or went on with it."""
        cut: dict[int, int] = {}
        apart = {clause_sum(text) for told in self._told for text in _said_apart(told)}
        texts = {text for clauses in self._clauses.values() for text in clauses}
        sums_of = Counter(clause_sum(text) for text in texts)
        # Sums are short: two texts may have one.
        alike = {one for one, count in sums_of.items() if count > 1}
        for told in self._told:
            if isinstance(told.fact, e.SpeechCut):
                clauses = self._clauses.get(told.fact.prompt, ())
                sums = {clause_sum(one) for one in clauses if one.startswith(OWN)}
                cut |= dict.fromkeys(sums - apart - alike, told.at_ms)
        unseen = {number for number, _ in _streams_apart(self._told, self._numbers)}
        # A server may stand still after it wrote of the cut: what the carrier has is said to its end.
        late_ms = CUT_MS_MAX + (AHEAD_MS if self._was_still else 0)
        for one in self._heard:
            if one.word.clause not in cut or one.stream in unseen:
                continue
            if one.at_ms > cut[one.word.clause] + late_ms:
                yield f"{one.word.text!r} sounds at {one.at_ms}, cut at {cut[one.word.clause]}"
                return


def lost_facts(told: Told) -> Sequence[e.AnyFact]:
    """Return what a branch that is lost held, where this fact tells of one."""
    lost = told.fact.lost if isinstance(told.fact, e.BranchOrphaned) else ()
    return [e.decode(one.encode()) for one in lost]


def stream_numbers(lines: Sequence[Line]) -> dict[str, list[int]]:
    """Return the numbers of the streams of each name, in order: one that is dialled again keeps its name."""
    numbers: dict[str, list[int]] = {}
    for one in lines:
        numbers.setdefault(one.leg.stream_sid, []).append(one.number)
    return numbers


def was_greeted_apart(told: Sequence[Told], ahead_ms: Callable[[str], int]) -> bool:
    """Say whether it was known, when the newest stream came, that a branch which is lost had greeted the caller.

    Not by their places: who is cut off from the store writes behind what it could not know. `ahead_ms` says how
    far a server's clock is ahead.
    """
    for one in reversed(told):
        if isinstance(one.fact, e.StreamAttached):
            came_ms = one.record.at_ms - ahead_ms(one.fact.server)
            return any(_greets_apart(before) and before.at_ms <= came_ms for before in told)
    return False


def _greets_apart(told: Told) -> bool:
    """Say whether this tells of a branch that is lost, and in which the caller was greeted."""
    return any(isinstance(fact, e.Greeted) for fact in lost_facts(told))


def _said_apart(told: Told) -> Iterator[str]:
    for fact in lost_facts(told):
        if isinstance(fact, e.AgentSpoke):
            yield from fact.clauses


def _streams_apart(
    told: Sequence[Told], numbers: Mapping[str, Sequence[int]]
) -> Iterator[tuple[int, e.AnyFact]]:
    """Return what branches that were lost held, each fact with the stream on which it came about.

    `numbers` are those of each name: a carrier that dials a stream again gives it no other. Then the branches
    had the first ones, for who has the call in the end has the newest.
    """
    number, seen = 0, Counter[str]()
    for fact in (fact for one in told for fact in lost_facts(one)):
        if isinstance(fact, e.StreamAttached):
            own = numbers.get(fact.stream_sid, ())
            number = own[seen[fact.stream_sid]] if seen[fact.stream_sid] < len(own) else 0
            seen[fact.stream_sid] += 1
        yield number, fact
