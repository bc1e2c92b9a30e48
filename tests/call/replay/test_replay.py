"""Recorded calls decided again: the corpus is the same, and whatever decides otherwise is found."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import pytest
from msgspec.structs import replace

from service.call import events as e, inputs as i
from service.call.decisions import (
    answer,
    caller,
    clauses,
    decide as deciding,
    ending,
    floor,
    operation,
    people,
    resume,
)
from service.call.inputs import Decision, Input
from service.call.policy import Policy
from service.call.replay.recording import Recording, recorded
from service.call.replay.replay import replay
from service.call.state import Call
from tests.call.corpus.journals import families
from tests.call.replay.golden import HURRIED, PAUSE_MS, calls
from tests.call.replay.scenes import (
    RULES,
    SCENES,
    TERMS,
    dropping,
    returning,
    talking,
    taped,
    working,
)
from tests.call.story import Story, greeted

COMPARED_MIN = 5_000  # of the 7,323 records; 1,592 are from outside, 605 of a newer version
FOUND_PERCENT_MIN = 60
LEFT_MAX = 60  # records of ours that could not be compared, all but a few beside a newer version's


def counted(recordings: Iterator[Recording], policy: Policy | None = None) -> Counter[str]:
    """Replay calls and sum what was found."""
    found: Counter[str] = Counter()
    for one in recordings:
        report = replay(one, policy)
        tally = report.tally
        assert not tally.divergences, (one.head.call_sid, tally.divergences[0])
        assert report.is_state_same
        found.update(
            records=report.records,
            compared=report.compared,
            outside=tally.outside,
            newer=tally.newer,
            left=tally.blind + tally.supposed + sum(tally.unread.values()),
        )
    return found


def test_the_golden_corpus_is_decided_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    found: Counter[str] = Counter()
    for family in families():
        with monkeypatch.context() as patched:
            # These calls are older than the names that later owners give to their operations.
            patched.setattr(answer, "_apart", lambda _call: "")
            if family == HURRIED:
                patched.setattr(operation, "BACKOFF_MS", PAUSE_MS)
            found += counted(one for _, one in calls(family))
    assert found["compared"] >= COMPARED_MIN, found
    assert found["left"] <= LEFT_MAX, found
    assert found["records"] == sum(found[kind] for kind in ("compared", "outside", "newer", "left"))


@pytest.mark.parametrize("scene", SCENES)
def test_every_input_of_a_scene_is_found_again(scene: Callable[[], Story]) -> None:
    story = scene()
    found = counted(iter((taped(story),)))
    supposed = 1 if scene is working else 0  # a pause that the tool asked for stands nowhere
    assert found["left"] == supposed
    assert found["compared"] + found["outside"] + supposed == len(story.journal)


TAPES = tuple(taped(scene()) for scene in SCENES)
Change = Callable[[pytest.MonkeyPatch], None]


def value(module: Any, name: str, other: object) -> Change:
    """Put another value in the place of a constant or a function."""
    return lambda patched: patched.setattr(module, name, other)


def step(kind: type[Input], make: Callable[[Decision, Call, Any], Decision]) -> Change:
    """Let decisions on one kind of input come out otherwise."""
    was = deciding._STEPS[kind]

    def made(call: Call, happened: Any, now_ms: int, policy: Policy) -> Decision:
        return make(was(call, happened, now_ms, policy), call, happened)

    return lambda patched: patched.setitem(deciding._STEPS, kind, made)


def without(kind: type[Input], *facts: type[e.Fact]) -> Change:
    """Forget facts of some kinds that an input brings."""
    return step(
        kind,
        lambda decision, _call, _happened: Decision(
            tuple(one for one in decision.facts if not isinstance(one, facts)), decision.effects
        ),
    )


def nothing(*_words: object) -> Decision:
    return Decision()


CHANGES: dict[str, Change] = {
    "greets on every stream": step(
        i.Attached, lambda made, _c, _h: Decision((*made.facts, e.Greeted(prompt="p1")))
    ),
    "never notes the greeting": without(i.Answered, e.Greeted),
    "tells no cause": value(deciding, "_cause", lambda *_: "drop"),
    "takes another's parameters": without(i.Attached, e.ParameterRefused),
    "forgets the half utterance": without(i.Attached, e.CallerSpoke),
    "forgets digits that were under way": without(i.Attached, e.DigitsSent),
    "forgets tools of a dead server": value(operation, "orphaned", lambda *_: []),
    "says nothing on return": without(i.Attached, e.AgentSpoke),
    "bears any number of drops": without(i.Attached, e.DropLimitReached, e.CallbackRequested),
    "is patient on return": value(resume, "SILENCE_MS", 5_000),
    "finds nothing stale": value(resume, "STALE_MS", 1 << 40),
    "takes an mm-hm for words": value(floor, "is_backchannel", lambda *_: False),
    "cuts clauses otherwise": value(clauses, "_CLAUSE_GOOD", 12),
    "talks on over words": without(i.Utterance, e.SpeechCut),
    "forgets what was heard at an utterance": without(i.Utterance, e.Played),
    "talks on over keys": without(i.Key, e.SpeechCut),
    "waits for no hash": without(i.Key, e.DigitsEntered),
    "waits longer for keys": value(caller, "KEY_PAUSE_MS", 7_000),
    "forgets what was heard at a drop": without(i.Detached, e.Played),
    "credits no echo": step(i.Progress, nothing),
    "hears no barge-in": step(i.BargedIn, nothing),
    "keeps no field": without(i.Answered, e.FieldFilled),
    "leaves turns open": without(i.Answered, e.TurnAnswered),
    "waits for the whole answer": step(
        i.Answered, lambda made, _call, answer: made if answer.is_last else Decision()
    ),
    "calls tools that are not there": without(i.Answered, e.OperationEnded),
    "dispatches nothing": value(operation, "next_dispatch", nothing),
    "never tries again": without(i.OperationDone, e.OperationDelayed),
    "tries again later": value(operation, "BACKOFF_MS", 800),
    "knows how every tool ended": value(
        operation, "_overdue", lambda one: operation._ended(one, "timed_out", "", operation.OVERDUE)
    ),
    "does nothing for people": value(people, "next_step", nothing),
    "restarts twice at once": value(
        people,
        "_next_request",
        lambda call: next((o for o in call.requests if not o.is_started), None),
    ),
    "gives up on silence": value(ending, "SILENCES_MAX", 1),
    "never hangs up": value(ending, "next_step", nothing),
    "leaves the end open": step(i.EndingDone, nothing),
    "tells nobody what it was about": value(ending, "SUMMARY", "other"),
    "greets for the model again": step(
        i.ModelSpoke, lambda made, _c, h: Decision((e.Greeted(prompt=h.prompt), *made.facts))
    ),
    "moves twice": step(i.Move, lambda made, _c, _h: Decision((*made.facts, e.MovePlanned()))),
}


def parts(recordings: Iterable[Recording]) -> bool:
    return any(replay(one).tally.divergences for one in recordings)


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_decision_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    walks = (one for _, one in calls("walks"))
    CHANGES[name](monkeypatch)
    assert parts(chain(TAPES, walks)), name


def test_changed_decisions_are_found_in_calls_that_sessions_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = [one for family in ("session", "working", "endings") for _, one in calls(family)]
    for name in ("greets on every stream", "dispatches nothing", "credits no echo"):
        with monkeypatch.context() as patched:
            CHANGES[name](patched)
            assert parts(held), name


@pytest.mark.parametrize(
    ("scene", "rules", "decided"),
    [
        (working, replace(RULES, tools={}), '"attempts_max":1,'),
        (working, replace(RULES, tools={**RULES.tools, "note": TERMS}), '"attempts_max":3,'),
        (returning, Policy(drops_max=0), "drop_limit_reached"),
        (dropping, replace(RULES, drops_max=9), "nothing"),
        (dropping, replace(RULES, calls_back=False), "nothing"),
    ],
)
def test_another_policy_is_found_and_told(
    scene: Callable[[], Story], rules: Policy, decided: str
) -> None:
    report = replay(taped(scene()), rules)
    assert report.policy == "given"
    assert not report.is_same
    assert decided in report.tally.divergences[0].decided


def test_a_longer_patience_with_silence_is_found() -> None:
    story = greeted(Policy(no_input_ms=2_000))
    story.now_ms += 2_000
    story.happen(i.Woke())
    report = replay(taped(story), Policy(no_input_ms=9_000))
    first = report.tally.divergences[0]
    assert '"kind":"caller_silent"' in first.recorded
    assert (first.happened, first.decided) == ("Woke {}", "nothing")


def test_what_would_follow_now_and_did_not_then_is_found() -> None:
    """The recorded code stopped where the present one goes on."""
    story = greeted(RULES)
    story.write(e.SayRequested(request="r1", text="One moment."), is_outside=True)
    story.now_ms += 10
    story.tell(i.SpeechBegan())
    story.now_ms += 10
    story.happen(i.Utterance("Hello?", 900, 900))
    report = replay(taped(story))
    assert report.tally.divergences[0].happened == "Settle {}"
    assert '"who":"human"' in report.tally.divergences[0].decided
    assert len(report.tally.divergences) == 1


def test_a_divergence_names_its_place_and_what_stands_there() -> None:
    tape = taped(talking())
    bodies = [(one.epoch, one.at_ms, bytes(one.fact)) for one in tape.entries]
    spoken = next(n for n, (_, _, body) in enumerate(bodies) if b'"backchannel":true' in body)
    epoch, at_ms, body = bodies[spoken]
    bodies[spoken] = (epoch, at_ms, body.replace(b'"backchannel":true', b'"backchannel":false'))
    first = replay(recorded(bodies, policy=RULES)).tally.divergences[0]
    assert first.position == spoken + 1
    assert first.happened.startswith('Utterance {"text":"Mm-hm."')
    assert '"backchannel":false' in first.recorded
    assert '"backchannel":true' in first.decided


def test_a_fact_that_is_missing_or_doubled_is_found() -> None:
    """What the state shows of it is in its sum already; here the decisions alone have to show it.

    Each recording is tried at every third fact, and each begins at another.
    """
    found = tried = 0
    for nth, tape in enumerate(TAPES):
        bodies = [(one.epoch, one.at_ms, bytes(one.fact)) for one in tape.entries]
        for at in range(1 + nth % 3, len(bodies) - 1, 3):
            for other in (bodies[:at] + bodies[at + 1 :], bodies[: at + 1] + bodies[at:]):
                report = replay(recorded(other, policy=tape.head.policy))
                tried += 1
                found += not report.is_same or bool(report.tally.unread or report.tally.supposed)
    assert found * 100 >= FOUND_PERCENT_MIN * tried, (found, tried)


def test_another_state_at_the_end_is_found() -> None:
    tape = taped(returning())
    other = replace(tape, head=replace(tape.head, state="0" * 64))
    assert replay(tape).is_same
    assert not replay(other).is_same
    assert replay(replace(tape, head=replace(tape.head, state=""))).is_state_same is None


def test_what_was_decided_on_a_state_that_is_not_known_is_not_compared() -> None:
    """Behind a newer version's facts, beside them, or before facts that stand before it now."""
    story = greeted(RULES)
    newer = b'{"kind":"from_tomorrow","v":1}'
    bodies = [(place.epoch, place.at_ms, e.encode(fact)) for fact, place in story.journal]
    end_ms = story.now_ms
    pressed = e.encode(e.DigitsEntered(digits="12", ended_by="pause"))
    behind = replay(recorded([*bodies, (1, end_ms, newer), (1, end_ms + 5, pressed)], policy=RULES))
    assert (behind.tally.newer, behind.tally.blind, behind.is_same) == (1, 1, True)
    beside = replay(recorded([*bodies, (1, end_ms, pressed), (1, end_ms, newer)], policy=RULES))
    assert (beside.tally.newer, beside.tally.blind, beside.is_same) == (1, 1, True)
    note = e.encode(e.NoteAdded(text="VIP"))
    shifted = replay(recorded([*bodies, (0, end_ms + 9, note), (1, end_ms, pressed)], policy=RULES))
    assert (shifted.tally.blind, shifted.is_same) == (1, True)


def test_a_fact_that_nothing_here_decides_is_not_compared() -> None:
    story = greeted(RULES)
    story.now_ms += 5
    story.write(e.ParameterRefused(name="company", offered="Eve"))
    report = replay(taped(story))
    assert report.tally.unread == {"parameter_refused": 1}
    assert report.is_same


def test_what_a_claim_opened_is_no_decision() -> None:
    story = Story(RULES)
    story.epoch = 1
    story.write(
        e.CallOpened(call_sid="CA1"), e.FieldFilled(name="a", value="b", source="directory")
    )
    story.epoch = 0
    story.attach("MZ1", door="voice")
    report = replay(taped(story))
    assert (report.tally.outside, report.compared) == (2, 1)


def test_a_call_without_a_stream_is_compared_all_the_same() -> None:
    assert replay(recorded([])).records == 0
    alone = replay(recorded([(1, 5, e.encode(e.CallerBegan()))]))
    assert alone.tally.given == 1
