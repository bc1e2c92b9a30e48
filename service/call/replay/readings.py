"""From recorded facts back to the inputs they were decided on: the likeliest first. Pure.

Each kind of fact is written for few reasons, so the first fact that is not about our own words tells
which input it was. What of the input stands in no fact is inferred where something speaks for it, and
supposed where nothing does; no reading looks at what the present code would decide.
"""

from collections.abc import Callable, Iterator
from typing import Any, get_args

from service.call import events as e, inputs as i
from service.call.decisions.operation import NOT_APPROVED, OVERDUE
from service.call.person_inputs import PersonBegan, PersonMissed
from service.call.replay.acts import read_answer, read_model_call
from service.call.replay.attaching import read_attached
from service.call.replay.reading import Reading, Write
from service.call.state import Operation

_UNDER_SEAL = frozenset(get_args(e.PrivateFact))
_Reader = Callable[[Write, Any], Iterator[Reading]]


def readings(write: Write) -> Iterator[Reading]:
    """Yield what the facts at the beginning of `write` may come from; nothing when nobody can say.

    What happened under seal stands in no fact.
    """
    if write.call.privacy.is_private or any(type(one) in _UNDER_SEAL for one in write.facts):
        return
    fact = write.beside(write.first)
    read = _READERS.get(type(fact))
    if read is None or (write.first and not _takes_ours(write, fact)):
        yield from _of_our_words(write)
    else:
        yield from read(write, fact)


def _takes_ours(write: Write, fact: e.Known | None) -> bool:
    """Whether what is told of our own words before `fact` was written together with it.

    An utterance or a key cuts every prompt that is not done with. So where one is heard to its end and
    not cut, that was written before, and on its own.
    """
    match fact:
        case e.CallerSpoke():
            is_cutting = bool(fact.text) and not (fact.partial or fact.backchannel)
            if write.cuts:
                return is_cutting and write.reason == "barge_in"
            return not (is_cutting and _ends(write))
        case e.DigitPressed() | e.DigitsEntered():
            return write.reason == "key" if write.cuts else not _ends(write)
        case e.TakenOver():
            return not write.cuts or write.reason == "taken_over"
        case e.EndingPlanned() | e.EarlierCarried():
            return write.reason == "replaced" and not write.played
        case _:
            return isinstance(fact, e.StreamDetached) and not write.cuts


def _ends(write: Write) -> bool:
    """Whether a prompt is heard to its end, while nothing but the farewell may go on uncut."""
    heard = {one.prompt: one.clauses for one in write.heard}
    return not write.call.ending and any(
        heard.get(prompt.prompt, -1) >= len(prompt.clauses) for prompt in write.call.prompts
    )


def _of_our_words(write: Write) -> Iterator[Reading]:
    """How far prompts got, and that they were cut, with no more said about why."""
    cut = write.beside(write.played)
    if write.reason == "barge_in":
        yield Reading(i.BargedIn(write.heard), write.told(), write.first)
    elif write.played:
        yield Reading(i.Progress(write.heard), write.told())
    elif isinstance(cut, e.SpeechCut) and cut.reason == "lost":
        yield Reading(i.ModelLost(cut.prompt), frozenset((0,)))
    elif isinstance(cut, e.SpeechCut) and cut.reason == "missed":
        yield Reading(PersonMissed(cut.prompt), frozenset((0,)))


def _detached(write: Write, fact: e.StreamDetached) -> Iterator[Reading]:
    gone = i.Detached(fact.stream_sid, fact.reason, fact.last_media_ms, write.heard)
    yield Reading(gone, write.told(write.first))


def _caller_spoke(write: Write, fact: e.CallerSpoke) -> Iterator[Reading]:
    told = write.told(write.first)
    if write.has_model and not fact.partial and not write.first:
        transcribed = i.Transcribed(fact.text, fact.duration_ms, fact.before)
        yield Reading(transcribed, told)
    said = i.Utterance(
        fact.text, fact.confidence_milli, fact.duration_ms, fact.partial, write.heard
    )
    yield Reading(said, told)


def _digit_pressed(write: Write, fact: e.DigitPressed) -> Iterator[Reading]:
    after = write.beside(write.first + 1)
    is_whole = isinstance(after, e.DigitsEntered) and after.ended_by == "hash"
    size = write.first + 1 + is_whole
    yield Reading(i.Key(fact.digit, write.heard), write.told(write.first), size)


def _digits_entered(write: Write, fact: e.DigitsEntered) -> Iterator[Reading]:
    if fact.ended_by == "pause":
        yield Reading(i.Woke())
        return
    after = write.beside(write.first + 1)
    if isinstance(after, e.DigitPressed):
        yield Reading(i.Key(after.digit, write.heard), write.told(write.first + 1))


def _agent_spoke(write: Write, fact: e.AgentSpoke) -> Iterator[Reading]:
    if fact.voice == "model":
        yield _model_spoke(write, fact, 0)
    elif fact.voice == "person":
        held = write.call.taken_over
        yield Reading(PersonBegan(fact.prompt, held.seat if held else ""), frozenset((0,)))
    elif fact.who == "human":
        yield Reading(i.Settle())
    elif fact.turn:
        yield from read_answer(write)
    elif isinstance(write.beside(1), e.EndingPlanned):
        yield Reading(i.Woke(), size=2)
    else:
        yield Reading(i.ModelAway(" ".join(fact.clauses)), frozenset((0,)))


def _greeted(write: Write, _fact: e.Greeted) -> Iterator[Reading]:
    after = write.beside(1)
    if isinstance(after, e.AgentSpoke) and after.voice == "model":
        yield _model_spoke(write, after, 1)
    else:
        yield from read_answer(write)


def _model_spoke(write: Write, fact: e.AgentSpoke, place: int) -> Reading:
    after = write.beside(place + 1)
    is_answer = isinstance(after, e.TurnAnswered) and after.turn == fact.turn
    began = i.ModelSpoke(fact.prompt, " ".join(fact.clauses))
    return Reading(began, frozenset((place,)), place + 1 + is_answer)


def _answered(write: Write, fact: e.Known) -> Iterator[Reading]:
    place = write.first + 1 if isinstance(fact, e.TurnAnswered) else write.first
    called = read_model_call(write, place)
    if called is not None:
        yield called
    yield from read_answer(write)


def _operation_requested(write: Write, fact: e.OperationRequested) -> Iterator[Reading]:
    if not fact.turn:
        yield Reading(i.Settle())
    else:
        yield from _answered(write, fact)


def _ending_planned(write: Write, fact: e.EndingPlanned) -> Iterator[Reading]:
    is_asked_for = any(one.kind in ("hangup", "transfer") for one in write.call.requests)
    if is_asked_for or write.cuts:
        yield Reading(i.Settle(), size=write.first + 1)
    else:
        yield from _answered(write, fact)


def _operation_ended(write: Write, fact: e.OperationEnded) -> Iterator[Reading]:
    one = _operation(write, fact.operation)
    if fact.detail in (OVERDUE, NOT_APPROVED):
        yield Reading(i.Woke())
    if one is None:
        return
    told = frozenset((0,))
    if fact.status == "succeeded":
        done = i.OperationDone(one.operation, one.attempts, "succeeded", fact.result, fact.detail)
        yield Reading(done, told)
    elif fact.status == "failed":
        # What was tried again before, and said the same now, would be tried again.
        may_retry = bool(one.attempts > 1 and one.detail and one.detail == fact.detail)
        for retries in (may_retry, not may_retry):
            done = i.OperationDone(
                one.operation, one.attempts, "failed", fact.result, fact.detail, may_retry=retries
            )
            yield Reading(done, told, is_supposed=retries is not may_retry)
    else:
        done = i.OperationDone(one.operation, one.attempts, "unanswered", detail=fact.detail)
        yield Reading(done, told)


def _operation_delayed(write: Write, fact: e.OperationDelayed) -> Iterator[Reading]:
    """When the pause is another than ours, the tool itself may have asked for it."""
    pause_ms = fact.retry_ms - write.at_ms
    for after_ms in (0, pause_ms):
        done = i.OperationDone(
            fact.operation,
            fact.attempt,
            "failed",
            detail=fact.detail,
            may_retry=True,
            retry_after_ms=after_ms,
        )
        yield Reading(done, frozenset((0,)), is_supposed=bool(after_ms))


def _operation(write: Write, name: str) -> Operation | None:
    return next((one for one in write.call.operations if one.operation == name), None)


def _call_ended(write: Write, fact: e.CallEnded) -> Iterator[Reading]:
    """The carrier's answer to an ending of ours; else its word that the call is over."""
    told = frozenset((0,))
    if write.call.is_ending_started or write.call.is_drop_limited:
        is_transferred = write.call.ending == "transfer" and fact.reason == "transferred"
        yield Reading(i.EndingDone(is_gone=not is_transferred, detail=fact.reason), told)
    if not write.call.is_ending_started:
        yield Reading(i.CarrierSays(is_over=True, outcome=fact.reason), told)


def _taken_over(write: Write, _fact: e.TakenOver) -> Iterator[Reading]:
    yield Reading(i.Settle(write.heard), write.told(), write.first + 1)


def _handed_back(_write: Write, fact: e.HandedBack) -> Iterator[Reading]:
    yield Reading(i.Woke() if fact.reason == "unseen" else i.Settle())


def _earlier_carried(write: Write, fact: e.EarlierCarried) -> Iterator[Reading]:
    yield Reading(i.EarlierFound(fact), frozenset((write.first,)))


def _follows(*happened: i.Input) -> _Reader:
    """For a fact that follows from the state and the time; where there are several inputs all may be."""
    return lambda _write, _fact: map(Reading, happened)


def _holds(make: Callable[[Any], i.Input]) -> _Reader:
    """For a fact that holds all that its input said."""
    return lambda _write, fact: iter((Reading(make(fact), frozenset((0,))),))


_READERS: dict[type, _Reader] = {
    e.StreamAttached: read_attached,
    e.StreamDetached: _detached,
    e.CallerBegan: _holds(lambda _fact: i.SpeechBegan()),
    e.CallerPartlyHeard: _holds(lambda fact: i.PartlyHeard(fact.text)),
    e.CallerSpoke: _caller_spoke,
    e.CallerSilent: _follows(i.Woke()),
    e.DigitPressed: _digit_pressed,
    e.DigitsEntered: _digits_entered,
    e.Greeted: _greeted,
    e.AgentSpoke: _agent_spoke,
    e.AgentContinued: _holds(
        lambda fact: i.ModelContinued(fact.prompt, " ".join(fact.clauses), fact.is_last)
    ),
    e.FieldFilled: _answered,
    e.FieldConfirmed: _answered,
    e.FieldCleared: _answered,
    e.StageChanged: _answered,
    e.DigitsRequested: _answered,
    e.OperationRequested: _operation_requested,
    e.EarlierTaken: _answered,
    e.EarlierDeclined: _answered,
    e.EndingPlanned: _ending_planned,
    e.TurnAnswered: _answered,
    e.OperationDispatched: _follows(i.Settle(), i.Woke()),
    e.OperationDelayed: _operation_delayed,
    e.OperationEnded: _operation_ended,
    e.RestartPlanned: _follows(i.Settle()),
    e.RestartMissed: _follows(i.Woke()),
    e.DigitsSent: _holds(lambda fact: i.DigitsDone(fact.request, fact.outcome, fact.detail)),
    e.MovePlanned: _holds(lambda _fact: i.Move()),
    e.EndingStarted: _follows(i.Settle()),
    e.EndingRefused: _holds(lambda fact: i.EndingImpossible(fact.detail)),
    e.CallEnded: _call_ended,
    e.PulledBack: _holds(lambda fact: i.CarrierSays(is_over=False, outcome=fact.outcome)),
    e.EarlierCarried: _earlier_carried,
    e.LevelsMeasured: _holds(lambda fact: i.Measured(fact.at_ms, fact.caller, fact.ours)),
    e.TakenOver: _taken_over,
    e.HandedBack: _handed_back,
    e.ResumeTokenKept: _holds(lambda fact: i.TokenGiven(fact.token)),
}
