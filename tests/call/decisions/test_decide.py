import pytest
from msgspec.structs import replace

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.caller import KEY_PAUSE_MS
from service.call.decisions.decide import (
    CARRIER_APART_MS,
    CARRIER_WAIT_MS,
    RESTART_WAIT_MS,
    UNSEEN_APART_MS,
    UNSEEN_WAIT_MS,
    carrier_wait_ms,
    deadline_ms,
    decide,
    keyed_until_ms,
)
from service.call.decisions.resume import INTERRUPTED_LINE, LOST_LINE, SILENCE_LINE
from service.call.inputs import Decision, Input
from service.call.policy import Policy
from service.call.privacy import DROP_LINE, Collection, Privacy
from service.call.seat import UNSEEN_MS_MAX
from service.call.state import Call
from tests.call.story import START_MS, Story, greeted, kinds, speaking, taken

EVERYTHING: tuple[Input, ...] = (
    i.Attached(stream_sid="MZ9", door="resume", server="s1", gap_ms=1),
    i.Detached("MZ1", "closed", 1),
    i.Progress((e.Played(prompt="p1", clauses=1),)),
    i.Measured(START_MS, "AA==", "AA=="),
    i.SpeechBegan(),
    i.BargedIn(),
    i.PartlyHeard("Hel"),
    i.Utterance("Hello."),
    i.Key("1"),
    i.Answered(1, (a.Say("Hi."),)),
    i.OperationDone("t1.1", 1, "succeeded"),
    i.DigitsDone("r1", "sent"),
    i.EndingDone(is_gone=False),
    i.CarrierSays(is_over=True, outcome="gone"),
    i.Woke(),
    i.Settle(),
)


@pytest.mark.parametrize("happened", EVERYTHING, ids=lambda one: type(one).__name__)
def test_an_ended_call_decides_nothing_any_more(happened: Input) -> None:
    story = speaking()
    call = story.write(e.CallEnded(reason="completed"))
    assert decide(call, happened, START_MS) == Decision()


@pytest.mark.parametrize("happened", EVERYTHING, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("phase", ["ringing", "live", "detached"])
def test_every_input_is_decided_in_every_phase(phase: str, happened: Input) -> None:
    story = Story()
    story.opened()
    if phase != "ringing":
        story.attach(door="voice")
    if phase == "detached":
        story.drop()
    assert story.call.phase == phase
    story.happen(happened)
    assert (story.call.phase == "ended") == isinstance(happened, i.EndingDone | i.CarrierSays)


def test_a_new_call_attaches_and_owes_an_opening() -> None:
    story = Story()
    story.opened()
    decision = story.attach("MZ1", door="voice", gap_ms=0)
    assert decision.facts == (
        e.StreamAttached(stream_sid="MZ1", cause="new", gap_ms=0, server="s1"),
    )
    assert story.call.turn is not None


def test_the_greeting_is_decided_once_however_often_the_stream_drops() -> None:
    story = Story()
    story.opened()
    story.attach(door="voice")
    story.drop()
    story.attach("MZ2")
    assert story.call.turn is not None
    story.happen(i.Answered(1, (a.Say("Hello."),)))
    story.drop()
    story.attach("MZ3")
    story.happen(i.Answered(1, (a.Say("Hello again."),)))
    facts = [fact for fact, _ in story.journal]
    assert [fact for fact in facts if isinstance(fact, e.Greeted)] == [e.Greeted(prompt="p1")]


@pytest.mark.parametrize(
    ("reason", "door", "is_live_here", "cause"),
    [
        ("closed", "resume", False, "drop"),
        ("shutdown", "resume", False, "deploy"),
        ("", "resume", False, "crash"),
        ("", "redial", True, "drop"),
        ("", "voice", False, "duplicate"),
        ("replaced", "voice", True, "duplicate"),
        ("replaced", "resume", True, "drop"),
    ],
)
def test_the_cause_of_a_return_is_what_anybody_can_know(
    reason: str, door: i.Door, *, is_live_here: bool, cause: str
) -> None:
    story = greeted()
    if reason:
        story.drop(reason)
    story.attach("MZ2", door=door, is_live_here=is_live_here)
    assert story.call.streams[-1].cause == cause


def test_a_return_records_its_gap_and_what_of_it_was_heard_elsewhere() -> None:
    story = greeted()
    story.drop()
    back = i.Attached(stream_sid="MZ2", door="resume", server="s2", gap_ms=812, gap_heard_ms=300)
    attached = decide(story.call, back, START_MS).facts[0]
    assert attached == e.StreamAttached(
        stream_sid="MZ2", cause="drop", gap_ms=812, server="s2", gap_heard_ms=300
    )


def test_a_planned_restart_is_the_cause_and_no_drop() -> None:
    story = greeted()
    story.write(e.DigitsRequested(request="r1", digits="1"), is_outside=True)
    story.settle()
    assert story.effects == [i.PlayDigits("r1", "1")]
    story.drop("stop")
    assert story.call.streams[-1].reason == "restart"
    decision = story.attach("MZ2", running=("r1",))
    assert kinds(decision) == ["StreamAttached"]
    assert story.call.streams[-1].cause == "dtmf"
    story.happen(i.DigitsDone("r1", "sent", "ok"))
    assert story.call.requests == ()


def test_digits_whose_process_died_are_of_unknown_outcome_and_not_sent_again() -> None:
    story = greeted()
    story.write(e.DigitsRequested(request="r1", digits="1"), is_outside=True)
    story.settle()
    story.attach("MZ2")
    assert e.DigitsSent(request="r1", outcome="unknown") in [fact for fact, _ in story.journal]
    assert len(story.effects) == 1


def test_other_parameters_are_recorded_and_ignored() -> None:
    story = greeted()
    story.drop()
    offered = {"client_name": "Mar", "company": "Evil", "token": "x"}
    decision = story.attach("MZ2", parameters=offered)
    assert decision.facts[1:] == (e.ParameterRefused(name="company", offered="Evil"),)
    assert story.call.parameters == {"client_name": "Maria", "company": "Acme"}
    empty = story.attach("MZ3", parameters={"company": "", "client_name": "Maria"})
    assert e.ParameterRefused(name="company", offered="") in empty.facts


def test_a_return_says_the_line_of_its_row() -> None:
    story = greeted()
    story.drop()
    story.attach("MZ2", gap_ms=5_000)
    assert story.call.transcript[-1].text == SILENCE_LINE
    story.hear_out()
    story.happen(i.SpeechBegan())
    story.drop()
    story.attach("MZ3", gap_ms=500)
    assert story.call.transcript[-1].text == INTERRUPTED_LINE


def test_a_lost_context_is_confessed_recorded_and_never_greeted() -> None:
    story = Story()
    story.opened()
    decision = story.attach("MZ7", lost="the journal was gone")
    assert kinds(decision) == ["StreamAttached", "ContextLost", "AgentSpoke"]
    assert story.call.streams[0].cause == "crash"
    assert story.call.transcript[0].text == LOST_LINE
    assert story.call.turn is not None
    story.happen(i.Answered(story.call.turn.number, (a.Say("Where were we?"),)))
    assert not any(isinstance(fact, e.Greeted) for fact, _ in story.journal)


def test_who_was_greeted_in_a_branch_that_is_lost_is_told_that_context_is_lost() -> None:
    story = Story()
    story.opened()
    apart = e.encode(e.Greeted(prompt="p1")).decode()
    story.write(e.BranchOrphaned(epoch=1, count=1, lost=(apart,)))
    decision = story.attach("MZ2")
    assert kinds(decision) == ["StreamAttached", "ContextLost", "AgentSpoke"]


def test_too_many_drops_are_the_last_resort() -> None:
    story = greeted()
    for at in range(3):
        story.drop()
        story.attach(f"MZ{at + 2}")
    assert story.effects == [i.LastResort()]
    assert story.journal[-1][0] == e.DropLimitReached(drops=3)
    story.happen(i.EndingDone(is_gone=False))
    assert (story.call.phase, story.call.end_reason) == ("ended", "drop_limit")


def test_a_drop_keeps_what_was_heard_and_is_not_the_end() -> None:
    story = speaking()
    heard = e.Played(prompt="p2", clauses=0, part_samples=50, part_of_samples=100, heard_samples=50)
    story.drop("idle", heard)
    assert story.call.phase == "detached"
    assert story.call.prompts[0].heard_samples == 50
    assert story.call.transcript[-1].heard


@pytest.mark.parametrize(("wait_ms", "is_due"), [(KEY_PAUSE_MS - 1, False), (KEY_PAUSE_MS, True)])
def test_a_pause_enters_the_keys(wait_ms: int, *, is_due: bool) -> None:
    story = greeted()
    assert story.happen(i.Woke()) == Decision()
    story.happen(i.Key("1"))
    assert deadline_ms(story.call) == START_MS + KEY_PAUSE_MS
    story.now_ms += wait_ms
    decision = story.happen(i.Woke())
    assert (e.DigitsEntered(digits="1", ended_by="pause") in decision.facts) is is_due


def test_a_restart_that_never_comes_holds_up_nothing_for_ever() -> None:
    story = greeted()
    story.write(e.DigitsRequested(request="r1", digits="1"))
    story.write(e.DigitsRequested(request="r2", digits="2"))
    story.settle()
    story.happen(i.DigitsDone("r1", "sent"))
    assert deadline_ms(story.call) == START_MS + RESTART_WAIT_MS
    story.now_ms += RESTART_WAIT_MS - 1
    assert story.happen(i.Woke()) == Decision()
    story.now_ms += 1
    assert story.happen(i.Woke()).facts == (e.RestartMissed(),)
    assert story.effects[-1] == i.PlayDigits("r2", "2")


@pytest.mark.parametrize(("more_ms", "effects"), [(-1, ()), (0, (i.AskCarrier(),))])
def test_a_carrier_that_stays_away_is_asked(more_ms: int, effects: tuple[i.Effect, ...]) -> None:
    story = greeted()
    story.happen(i.Key("1"))
    story.drop()
    story.now_ms += carrier_wait_ms(story.call) + more_ms
    assert story.happen(i.Woke()) == Decision((), effects)
    assert story.call.digits_pending == "1"


def test_a_carrier_that_may_not_know_of_the_end_is_asked_soon_and_then_given_time() -> None:
    story = greeted()
    story.drop(reason="idle")
    assert carrier_wait_ms(story.call) < UNSEEN_WAIT_MS + UNSEEN_APART_MS
    story.now_ms += carrier_wait_ms(story.call)
    assert story.happen(i.Woke()).effects == (i.AskCarrier(),)
    story.happen(i.CarrierSays(is_over=False, outcome="redirected"))
    assert carrier_wait_ms(story.call) >= CARRIER_WAIT_MS


@pytest.mark.parametrize("reason", ["closed", "idle"])
def test_who_writes_a_note_puts_off_no_carrier_that_stays_away(reason: str) -> None:
    story = greeted()
    story.drop(reason=reason)
    due_ms = deadline_ms(story.call)
    assert due_ms is not None
    for _ in range(3):
        story.now_ms += 100
        story.write(e.NoteAdded(text="rings back soon"))
    assert deadline_ms(story.call) == due_ms
    story.now_ms = due_ms
    assert story.happen(i.Woke()).effects == (i.AskCarrier(),)


def test_calls_that_were_cut_in_one_instant_ask_the_carrier_one_after_the_other() -> None:
    """O-1."""
    waits_ms = [carrier_wait_ms(Call(call_sid=f"CA{number:032x}")) for number in range(500)]
    apart_ms = 100
    peak = max(
        sum(begin_ms <= wait_ms < begin_ms + apart_ms for wait_ms in waits_ms)
        for begin_ms in range(CARRIER_WAIT_MS, CARRIER_WAIT_MS + CARRIER_APART_MS, apart_ms)
    )
    assert min(waits_ms) >= CARRIER_WAIT_MS
    assert max(waits_ms) < CARRIER_WAIT_MS + CARRIER_APART_MS
    assert peak <= 2 * 500 * apart_ms // CARRIER_APART_MS


def test_what_the_carrier_says_is_written_and_asked_again_later() -> None:
    story = greeted()
    story.drop()
    story.now_ms += carrier_wait_ms(story.call)
    story.happen(i.CarrierSays(is_over=False, outcome="redirected"))
    assert deadline_ms(story.call) == story.now_ms + carrier_wait_ms(story.call)
    story.happen(i.CarrierSays(is_over=True, outcome="gone"))
    assert (story.call.phase, story.call.end_reason) == ("ended", "gone")
    assert deadline_ms(story.call) is None


def test_a_ringing_or_closed_call_waits_for_nobody() -> None:
    assert deadline_ms(Call()) is None
    detached = replace(greeted().call, phase="detached")
    assert deadline_ms(detached) is None


def test_an_old_answer_is_dropped() -> None:
    story = greeted()
    story.happen(i.Utterance("One."))
    story.happen(i.Utterance("Two."))
    assert story.happen(i.Answered(2, (a.Say("One?"),))) == Decision()
    assert kinds(story.happen(i.Answered(3, (a.Say("Two!"),)))) == ["AgentSpoke", "TurnAnswered"]


def test_after_a_carrier_that_is_asked_only_tools_are_due() -> None:
    story = greeted()
    story.drop()
    assert deadline_ms(story.call) == START_MS + carrier_wait_ms(story.call)
    assert deadline_ms(story.call, is_asking_carrier=True) is None


def test_a_planned_restart_is_waited_for_and_then_missed() -> None:
    story = greeted()
    story.write(e.RestartPlanned(request="r1", cause="dtmf"))
    assert deadline_ms(story.call) == START_MS + RESTART_WAIT_MS
    assert story.happen(i.Woke()) == Decision()


def test_what_the_caller_had_half_said_is_kept_by_whoever_takes_over() -> None:
    story = greeted()
    story.happen(i.PartlyHeard("My prin"))
    decision = story.attach("MZ2")
    assert e.CallerSpoke(text="My prin", partial=True) in decision.facts


def test_a_question_that_nobody_answers_is_noticed() -> None:
    story = greeted()
    assert deadline_ms(story.call) == START_MS + 8_000
    story.now_ms += 8_000
    assert kinds(story.happen(i.Woke())) == ["CallerSilent"]


def test_a_person_in_the_agents_place_is_settled_silenced_for_and_waited_for() -> None:
    story = greeted()
    taken(story)
    assert story.facts(e.TakenOver)
    assert deadline_ms(story.call) == story.now_ms + UNSEEN_MS_MAX
    story.happen(i.Utterance("Hello?"))
    assert not story.tell(i.Answered(2, (a.Say("Me."),))).facts
    story.now_ms += UNSEEN_MS_MAX
    assert kinds(story.tell(i.Woke())) == ["HandedBack"]


def test_a_number_under_seal_waits_for_nothing_but_its_own_pauses() -> None:
    """While the sink is asked nothing is due; a restart that was planned still is."""
    one = Collection("c1", "card", 4, 8, is_card=False, keys=2)
    call = Call(phase="live", asked="card", digit_ms=1_000, privacy=Privacy(collection=one))
    assert deadline_ms(call) == 1_000 + KEY_PAUSE_MS
    passed = replace(call, privacy=Privacy(collection=replace(one, is_passed=True)))
    assert deadline_ms(passed) is None
    assert deadline_ms(replace(passed, planned_cause="dtmf", planned_ms=7)) == 7 + RESTART_WAIT_MS
    assert decide(call, i.Woke(), 1_000 + KEY_PAUSE_MS).facts


def test_a_stream_that_comes_back_amid_a_number_begins_it_again() -> None:
    one = Collection("c1", "card", 4, 8, is_card=False, keys=2)
    call = Call(phase="detached", is_greeted=True, privacy=Privacy(collection=one))
    attached = i.Attached(stream_sid="MZ2", door="resume", server="s1", gap_ms=1)
    facts = decide(call, attached, 5, Policy()).facts
    assert e.CollectionRestarted(collection="c1", reason="drop") in facts
    assert [" ".join(one.clauses) for one in facts if isinstance(one, e.AgentSpoke)] == [DROP_LINE]


def test_whoever_keys_at_the_carrier_is_left_alone_for_a_while() -> None:
    planned = Call(planned_cause="dtmf", planned_ms=1_000)
    assert keyed_until_ms(planned) == 1_000 + RESTART_WAIT_MS
    assert keyed_until_ms(Call()) == 0
    assert keyed_until_ms(Call(privacy=Privacy(away_until_ms=9_000_000))) == 9_000_000
