"""The gaps between a call's streams: what stood still, and how the talk went on. Pure.

What was decided when a stream came back is not written down as such: it follows from the state of then,
by the same table (decisions/resume.py), and the facts that came after confirm or correct it.
"""

from dataclasses import dataclass, field, replace

from service.call import events as e
from service.call.decisions import resume as table
from service.call.facts.fact import Cause
from service.call.place import Placed
from service.call.policy import Policy
from service.call.privacy import DROP_LINE, KEY_LINE, PAY_LINE
from service.call.state import Call, Line

GAVE_UP = "gave up what was being said"
PLAIN = {
    "taken_over": "left the floor to the person who has our place",
    "consent": "the caller was still being asked for their consent",
    "collecting": "kept no digit of the number under seal",
    "opening": "the greeting was still to come",
    "ending": "went on with the farewell",
    "playing": "went on with the clause that was cut",
    "answering": "gave the answer that was owed",
    "working": "the tool went on in silence",
    "stale": "asked whether what is known is still right",
    "interrupted": "kept the half utterance and listened",
    "keying": "kept the keys typed so far",
    "silence": "passed over in silence",
}
"""What each row of the table does when it says nothing."""
TOOL_TOLD = "told what the tool had brought"
LINES = {
    table.INTERRUPTED_LINE: "asked for the part that was lost",
    table.SILENCE_LINE: "said that we are still here",
    table.WORKING_LINE: "said that the tool is still working",
    DROP_LINE: "asked for the number under seal again, from its first digit",
    PAY_LINE: "said that the carrier would ask for the number again",
    KEY_LINE: "asked for the number under seal",
    table.LOST_LINE: "said that some of the context was lost",
}
"""What each line that bridges a gap tells the caller."""
LIMIT_REACHED = "too many drops: apologised, and stopped trying"
_PATIENT = Policy(drops_max=1_000_000)  # too many drops leave a fact of their own


@dataclass(frozen=True)
class Playing:
    """The prompt that a drop cut: its text, what of it was heard by then, and the rest."""

    prompt: str
    text: str
    heard: str
    rest: str


@dataclass(frozen=True, kw_only=True)
class Gap:
    """No stream from `from_ms` to `to_ms`; still so while `before_epoch` is None."""

    after_epoch: int
    before_epoch: int | None
    from_ms: int
    to_ms: int
    gap_ms: int
    heard_ms: int = 0
    cause: Cause | None = None
    reason: str = ""
    playing: Playing | None = None
    caller_was_speaking: bool = False
    restored: tuple[str, ...] = ()
    missed_by_caller: str = ""
    silent_prompts: frozenset[str] = field(default_factory=frozenset)  # none of it heard since


def unheard(line: Line) -> str:
    """Return the words of one of our lines that the caller did not hear."""
    return " ".join(line.text.split()[len(line.heard.split()) :])


def gap_now(call: Call, now_ms: int) -> Gap | None:
    """Return the gap that is open, if the call waits for its next stream."""
    return _gap(call, now_ms) if call.phase == "detached" and call.streams else None


class Gaps:
    """All gaps that are over, oldest first."""

    def __init__(self) -> None:
        self.found: list[Gap] = []

    def see(self, before: Call, fact: e.AnyFact, place: Placed) -> None:
        """Take in one fact; `before` is the state that it met."""
        if isinstance(fact, e.StreamAttached):
            if before.streams and before.phase != "ended":
                self.found.append(_closed(before, fact, place))
        elif self.found:
            self.found[-1] = _told(self.found[-1], before, fact, place)


def _gap(before: Call, at_ms: int) -> Gap:
    last = before.streams[-1]
    from_ms = at_ms if last.detached_ms is None else last.detached_ms
    prompt = before.prompts[0] if before.prompts else None
    lines = {line.position: line for line in before.transcript}
    line = lines.get(prompt.position) if prompt else None
    return Gap(
        after_epoch=last.epoch,
        before_epoch=None,
        from_ms=min(from_ms, at_ms),
        to_ms=at_ms,
        gap_ms=max(0, at_ms - from_ms),
        reason=last.reason,
        playing=Playing(prompt.prompt, line.text, line.heard, unheard(line))
        if prompt and line
        else None,
        caller_was_speaking=before.is_caller_speaking or bool(before.half_text),
        silent_prompts=frozenset(one.prompt for one in before.prompts),
    )


def _closed(before: Call, fact: e.StreamAttached, place: Placed) -> Gap:
    gap = _gap(before, place.at_ms)
    back = table.Return(before, fact.gap_ms, place.at_ms, "", _PATIENT, heard_ms=fact.gap_heard_ms)
    plan = table.resume(back)
    restored = LINES.get(plan.line) or PLAIN[plan.row]
    if plan.row == "answering" and before.turn is not None and before.turn.operations:
        restored = TOOL_TOLD
    return replace(
        gap,
        before_epoch=place.epoch,
        from_ms=min(gap.from_ms, place.at_ms - fact.gap_ms),
        gap_ms=fact.gap_ms,
        heard_ms=fact.gap_heard_ms,
        cause=fact.cause,
        reason=gap.reason or "replaced",
        restored=(restored,),
    )


def _told(gap: Gap, before: Call, fact: e.AnyFact, place: Placed) -> Gap:
    """Return what a later fact makes of the last gap."""
    match fact:
        case e.AgentSpoke() if place.at_ms == gap.to_ms:
            said = LINES.get(" ".join(fact.clauses))
            return replace(gap, restored=(said,)) if said else gap
        case e.DropLimitReached() if place.at_ms == gap.to_ms:
            return replace(gap, restored=(LIMIT_REACHED,))
        case e.Played() if fact.heard_samples > _heard_samples(before, fact.prompt):
            return replace(gap, silent_prompts=gap.silent_prompts - {fact.prompt})
        case e.SpeechCut() if fact.prompt in gap.silent_prompts:
            return _given_up(gap, before, fact.prompt)
        case _:
            return gap


def _heard_samples(call: Call, prompt: str) -> int:
    return next((one.heard_samples for one in call.prompts if one.prompt == prompt), 0)


def _given_up(gap: Gap, before: Call, name: str) -> Gap:
    """A prompt was cut before anything more of it was heard."""
    position = next((one.position for one in before.prompts if one.prompt == name), 0)
    lost = [unheard(line) for line in before.transcript if line.position == position]
    missed = " ".join(filter(None, (gap.missed_by_caller, *lost)))
    is_playing = gap.playing is not None and gap.playing.prompt == name
    restored = tuple(one for one in gap.restored if one != PLAIN["playing"])
    return replace(
        gap,
        missed_by_caller=missed,
        silent_prompts=gap.silent_prompts - {name},
        restored=(*restored, GAVE_UP) if is_playing else gap.restored,
    )
