"""When who spoke: the two lanes of speech in a call's timeline. Pure.

A line of ours is written before it is heard, and more than one at once. So its beginning is counted
back from how far it was heard at some moment, and of one that is not heard yet it is a guess.
"""

from dataclasses import dataclass

from service.audio import milliseconds
from service.call import events as e
from service.call.folds.speaking import GENERATED_SAMPLES_PER_LETTER
from service.call.place import Placed
from service.call.state import Call, Line


@dataclass(frozen=True)
class Speech:
    """One stretch of speech, with the text as it is known and what of it was heard."""

    position: int
    who: str
    from_ms: int
    to_ms: int
    text: str
    heard: str
    cut: bool


@dataclass
class _Span:
    """What is known of a line's time: written, first and last heard, given up."""

    at_ms: int
    from_ms: int | None = None
    to_ms: int | None = None
    cut_ms: int | None = None


class Lanes:
    """The speech of both sides."""

    def __init__(self) -> None:
        self._spans: dict[int, _Span] = {}
        self._positions: dict[str, int] = {}  # of prompts, by name
        self._began: Placed | None = None

    def see(self, fact: e.AnyFact, place: Placed) -> None:
        """Take in one fact."""
        match fact:
            case e.AgentSpoke():
                self._spans[place.position] = _Span(place.at_ms)
                self._positions[fact.prompt] = place.position
            case e.Played() if fact.heard_samples and fact.prompt in self._positions:
                self._heard(self._spans[self._positions[fact.prompt]], fact, place)
            case e.SpeechCut() if fact.prompt in self._positions:
                self._spans[self._positions[fact.prompt]].cut_ms = place.at_ms
            case e.CallerBegan():
                self._began = self._began or place
            case e.CallerSpoke():
                from_ms = place.at_ms - fact.duration_ms
                if self._began is not None:
                    from_ms = min(self._began.at_ms, place.at_ms)
                self._spans[place.position] = _Span(from_ms, from_ms, place.at_ms)
                self._began = None
            case e.StreamAttached():
                self._began = None
            case _:
                pass

    def shown(self, call: Call) -> list[Speech]:
        """Return all speech in the order of the transcript, last the caller's that goes on."""
        found: list[Speech] = []
        ours_ms = 0  # until when our lane is taken
        for line in call.transcript:
            span = self._spans.get(line.position)
            if span is None:
                continue  # keys make lines, too
            if line.who == "caller":
                from_ms, to_ms = span.at_ms, span.to_ms or span.at_ms
            else:
                from_ms, to_ms = _ours(line, span, ours_ms)
                ours_ms = to_ms
            found.append(
                Speech(line.position, line.who, from_ms, to_ms, line.text, line.heard, line.cut)
            )
        if self._began is not None:
            at = self._began
            until_ms = max(at.at_ms, call.updated_ms)
            found.append(
                Speech(at.position, "caller", at.at_ms, until_ms, call.partial_text, "", cut=False)
            )
        return found

    def _heard(self, span: _Span, fact: e.Played, place: Placed) -> None:
        if span.from_ms is None:
            span.from_ms = max(span.at_ms, place.at_ms - milliseconds(fact.heard_samples))
        span.to_ms = place.at_ms


def _ours(line: Line, span: _Span, taken_ms: int) -> tuple[int, int]:
    """Return from when to when one of our lines is heard, or will be."""
    from_ms = span.from_ms
    if from_ms is None:
        from_ms = max(span.at_ms, taken_ms)
    if span.cut_ms is not None:
        return from_ms, max(from_ms, span.to_ms or span.cut_ms)
    left = len(line.text) - len(line.heard)
    left_ms = milliseconds(max(0, left) * GENERATED_SAMPLES_PER_LETTER)
    return from_ms, max(from_ms, span.to_ms or from_ms) + left_ms
