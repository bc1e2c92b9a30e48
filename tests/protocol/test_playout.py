import random

import pytest

from service.audio import samples
from service.protocol import marks, messages as m, portion
from service.protocol.orders import ClauseHeard, Pointers, SendMark, SendMedia
from service.protocol.playout import Playout
from service.simulator.streams.carrier import Leg
from tests.protocol.pair import Pair, due

START_MS = 1_000_000
SEEDS, STEPS, SLICES = 2_000, 60, 20  # a slice takes a second, and ten on a swamped machine


def sizes(out: list[SendMedia | SendMark]) -> list[int | str]:
    return [len(one.payload) if isinstance(one, SendMedia) else one.name for one in out]


def test_sends_in_messages_with_marks_named_by_epoch_prompt_and_sample() -> None:
    ours = Playout(7)
    ours.queue("p1", 0, b"\x01" * 5_000)
    ours.queue("p1", 1, b"\x02" * 100)
    ours.queue("p2", 0, b"\x03" * 2_500)
    assert sizes(due(ours, START_MS)) == [
        *(1_600, 1_600, "e7.p1.3200", 900, 900, "e7.p1.5000"),
        *(100, "e7.p1.5100"),
        *(1_600, 900, "e7.p2.2500"),
    ]
    assert due(ours, START_MS) == []
    assert ours.clauses_waiting() == 0


def test_paces_two_seconds_ahead_of_what_was_heard() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 24_000)
    assert sum(size for size in sizes(due(ours, START_MS)) if isinstance(size, int)) == 16_000
    assert ours.clauses_waiting() == 1
    assert ours.deadline_ms(START_MS) == START_MS + 400
    assert due(ours, START_MS + 399) == []
    assert sizes(due(ours, START_MS + 400)) == [1_600, 1_600, "e1.p1.19200"]


def test_what_goes_out_at_once_ends_at_a_mark() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"")
    ours.queue("p1", 1, b"\x01" * 5_000)
    assert sizes(ours.due(START_MS)) == [1_600, 1_600, "e1.p1.3200"]
    assert sizes(ours.due(START_MS)) == [900, 900, "e1.p1.5000"]
    assert ours.due(START_MS) == []


def test_pointers_tell_synthesised_from_sent_from_heard() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 16_000)
    ours.queue("p1", 1, b"\x01" * 8_000)
    ours.queue("p2", 0, b"\x01" * 800)
    due(ours, START_MS)
    assert ours.pointers_of("p1", START_MS + 100) == Pointers("p1", 24_000, 16_000, 800, 800)
    assert ours.pointers_of("p2", START_MS + 100) == Pointers("p2", 800, 0, 0, 0)
    assert ours.pointers_of("never", START_MS) == Pointers("never")


def test_heard_waits_at_a_mark_that_has_not_come_back_and_goes_on_when_it_does() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 8_000)
    due(ours, START_MS)
    assert ours.pointers_of("p1", START_MS + 700).heard == 3_200
    ours.echoed("e1.p1.3200", START_MS + 700)
    assert ours.pointers_of("p1", START_MS + 700).heard == 3_200
    assert ours.pointers_of("p1", START_MS + 750).heard == 3_600


def test_a_later_echo_stands_for_a_lost_one() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 16_000)
    due(ours, START_MS)
    ours.echoed("e1.p1.6400", START_MS + 800)
    assert ours.pointers_of("p1", START_MS + 850).heard == 6_800
    ours.echoed("e1.p1.3200", START_MS + 850)
    assert ours.echoes_ignored == 1


def test_a_peer_that_never_echoes_is_followed_by_time() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 80_000)
    due(ours, START_MS)
    late_ms = START_MS + 400 + marks.GRACE_MS
    assert ours.pointers_of("p1", late_ms - 1).heard == 3_200
    assert sizes(due(ours, START_MS + 1_000)) == [1_600, 1_600, "e1.p1.19200"]
    assert ours.deadline_ms(START_MS + 1_000) == late_ms
    ours.listened((late_ms - START_MS) * 8)
    assert ours.pointers_of("p1", late_ms).heard == (late_ms - START_MS) * 8
    due(ours, late_ms)
    assert ours.pointers_of("p1", late_ms + 1_500).heard == (late_ms - START_MS + 1_500) * 8
    ours.echoed("e1.p1.22400", late_ms + 1_500)
    assert ours.echoes_ignored == 0


def test_a_peer_that_did_echo_is_given_longer() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 16_000)
    due(ours, START_MS)
    ours.echoed("e1.p1.3200", START_MS + 400)
    ours.listened(80_000)
    late_ms = START_MS + 800 + marks.GRACE_PROVEN_MS
    assert ours.pointers_of("p1", late_ms - 1).heard == 6_400
    assert ours.pointers_of("p1", late_ms).heard == 16_000


@pytest.mark.parametrize(
    ("is_proven", "grace_ms"),
    [(False, marks.GRACE_PROVEN_MS), (True, marks.GRACE_DARK_MS)],
)
def test_nobody_is_mute_of_whom_nothing_comes_at_all(*, is_proven: bool, grace_ms: int) -> None:
    """An echo comes in its place among the caller's audio: without that the network is at fault."""
    ours = Playout(1, is_proven=is_proven)
    ours.queue("p1", 0, b"\x01" * 3_200)
    due(ours, START_MS)
    ours.listened(3_200 + 7_999)  # one sample short of all that must come before the echo is missed
    late_ms = START_MS + 400 + grace_ms
    assert ours.heard(late_ms - 1) == []
    assert ours.deadline_ms(late_ms - 1) == late_ms
    assert ours.heard(late_ms) == [ClauseHeard("p1", 0)]


def test_an_echo_that_comes_too_early_claims_nothing() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 8_000)
    due(ours, START_MS)
    ours.echoed("e1.p1.8000", START_MS)
    assert ours.pointers_of("p1", START_MS + 10).heard == 80


def test_heard_never_moves_back() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 8_000)
    due(ours, START_MS)
    assert ours.pointers_of("p1", START_MS + 300).heard == 2_400
    ours.echoed("e1.p1.3200", START_MS + 900)
    assert ours.pointers_of("p1", START_MS + 900).heard == 3_200
    ours.echoed("e1.p1.6400", START_MS + 1_600)
    assert ours.pointers_of("p1", START_MS + 1_600).heard == 6_400
    assert ours.pointers_of("p1", START_MS + 200).heard == 6_400


def test_an_echo_says_whether_anything_may_be_due_sooner_than_it_seemed() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 40_000)
    due(ours, START_MS)
    assert ours.deadline_ms(START_MS) == START_MS + 400
    assert not ours.echoed("e1.p1.3200", START_MS + 450), "it came later than nothing at all"
    due(ours, START_MS + 450)
    assert ours.deadline_ms(START_MS + 450) == START_MS + 850
    assert not ours.echoed("e1.p1.6400", START_MS + 850), "it came as the one before"
    assert ours.echoed("e1.p1.9600", START_MS + 1_230), "it came sooner"
    assert ours.deadline_ms(START_MS + 1_230) == START_MS + 1_230
    due(ours, START_MS + 1_230)
    assert ours.deadline_ms(START_MS + 1_700) == START_MS + 1_700
    due(ours, START_MS + 1_700)
    assert due(ours, START_MS + 2_200) == [], "what was heard stands at a mark"
    assert ours.echoed("e1.p1.12800", START_MS + 2_200)
    assert not ours.echoed("e1.p1.12800", START_MS + 2_200)


def test_each_clause_is_heard_once_and_the_deadline_says_when() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 800)
    ours.queue("p1", 1, b"")
    ours.queue("p2", 0, b"\x01" * 80)
    assert ours.deadline_ms(START_MS) == START_MS
    assert sizes(due(ours, START_MS)) == [800, "e1.p1.800", 80, "e1.p2.80"]
    assert ours.heard(START_MS + 99) == []
    assert ours.deadline_ms(START_MS + 99) == START_MS + 100
    assert ours.heard(START_MS + 105) == []
    assert ours.deadline_ms(START_MS + 105) == START_MS + 100 + marks.GRACE_MS
    ours.echoed("e1.p1.800", START_MS + 105)
    assert ours.deadline_ms(START_MS + 105) == START_MS + 105
    assert ours.heard(START_MS + 105) == [ClauseHeard("p1", 0), ClauseHeard("p1", 1)]
    assert ours.deadline_ms(START_MS + 105) == START_MS + 115
    assert ours.heard(START_MS + 115) == []
    assert not ours.is_idle(START_MS + 115)
    ours.echoed("e1.p2.80", START_MS + 115)
    assert ours.heard(START_MS + 115) == [ClauseHeard("p2", 0)]
    assert ours.is_idle(START_MS + 115)
    assert ours.deadline_ms(START_MS + 115) is None


def test_a_clause_under_which_the_stream_died_was_not_heard_to_its_end() -> None:
    """By the clock it is over, but nothing says that the carrier ever had it."""
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 160)
    due(ours, START_MS)
    assert ours.heard(START_MS + 500) == []
    assert not ours.is_idle(START_MS + 500)
    ours.listened(80_000)
    assert ours.heard(START_MS + 20 + marks.GRACE_MS) == [ClauseHeard("p1", 0)]


def test_who_stood_still_takes_nobody_for_mute() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 160)
    due(ours, START_MS)
    ours.listened(80_000)
    late_ms = START_MS + 20 + marks.GRACE_MS + marks.STALL_MS
    assert ours.heard(late_ms) == []
    assert ours.deadline_ms(late_ms) == late_ms + marks.GRACE_MS
    assert ours.heard(late_ms + marks.GRACE_MS) == [ClauseHeard("p1", 0)]


def test_clear_forgets_and_later_echoes_are_not_credited() -> None:
    ours = Playout(1)
    assert ours.clear(START_MS) is False
    ours.queue("p1", 0, b"\x01" * 24_000)
    due(ours, START_MS)
    assert ours.clear(START_MS + 100) is True
    assert due(ours, START_MS + 5_000) == []
    ours.echoed("e1.p1.3200.1", START_MS + 5_000)
    assert ours.echoes_ignored == 1
    assert ours.heard(START_MS + 5_000) == []
    assert ours.pointers_of("p1", START_MS + 5_000) == Pointers("p1")
    ours.queue("p1", 0, b"\x01" * 3_200)
    assert sizes(due(ours, START_MS + 6_000)) == [1_600, 1_600, "e1.p1.3200.2"]
    assert ours.pointers_of("p1", START_MS + 6_100) == Pointers("p1", 3_200, 3_200, 800, 800)


def test_a_prompt_that_is_done_with_is_forgotten_and_the_next_one_is_as_before() -> None:
    playout = Playout(1)
    playout.queue("p1", 0, b"x" * 800)
    due(playout, 0)
    playout.heard(10_000)
    playout.forget("p1")
    assert playout.pointers_of("p1", 10_000).synthesised == 0
    playout.forget("p1")  # Twice is harmless.
    playout.queue("p2", 0, b"x" * 400)
    assert playout.pointers_of("p2", 10_000).synthesised == 400


def test_a_hold_with_nothing_at_the_carrier_needs_no_clear_and_sends_nothing() -> None:
    ours = Playout(1)
    assert ours.hold(START_MS) is False
    ours.queue("p1", 0, b"\x01" * 800)
    assert due(ours, START_MS) == []
    assert ours.deadline_ms(START_MS) is None
    assert not ours.is_idle(START_MS)
    assert ours.hold(START_MS) is False
    ours.release()
    assert sizes(due(ours, START_MS)) == [800, "e1.p1.800"]


def test_after_a_hold_speech_goes_on_from_the_quietest_place_before_what_was_heard() -> None:
    ours = Playout(1)
    gap = slice(4_000, 4_080)
    audio = bytearray(b"\x01" * 8_000)
    audio[gap] = b"\xff" * 80
    ours.queue("p1", 0, b"\x02" * 800)
    ours.queue("p1", 1, bytes(audio))
    due(ours, START_MS)
    ours.echoed("e1.p1.800", START_MS + 100)
    ours.echoed("e1.p1.4000", START_MS + 500)
    heard_ms = START_MS + 100 + 4_960 // 8
    assert ours.hold(heard_ms) is True
    assert ours.hold(heard_ms) is False
    assert ours.pointers_of("p1", heard_ms + 900) == Pointers("p1", 8_800, 5_760, 5_760, 5_760)
    ours.echoed("e1.p1.7200", heard_ms + 10)
    assert ours.echoes_ignored == 1
    assert ours.heard(heard_ms + 900) == [ClauseHeard("p1", 0)]
    ours.release()
    out = due(ours, heard_ms + 1_000)
    sent = b"".join(one.payload for one in out if isinstance(one, SendMedia))
    assert sent == bytes(audio[4_000:])
    names = [one.name for one in out if isinstance(one, SendMark)]
    assert names == ["e1.p1.8000.1", "e1.p1.8800.1"]


def test_a_clause_that_a_hold_cuts_off_before_its_last_echo_was_not_heard_to_its_end() -> None:
    """The carrier stood still: by the clock it is over, and the `clear` takes what was not played."""
    ours = Playout(1, is_proven=True)
    ours.queue("p1", 0, b"\x01" * 1_600)
    ours.queue("p1", 1, b"\x02" * 8_000)
    due(ours, START_MS)
    now_ms = START_MS + 900
    assert ours.hold(now_ms)
    assert ours.heard(now_ms) == []
    assert ours.hold(now_ms + 10) is False
    ours.release()
    out = due(ours, now_ms + 20)
    sent = b"".join(one.payload for one in out if isinstance(one, SendMedia))
    assert sent == b"\x01" * 1_600 + b"\x02" * 8_000
    for mark in (one.name for one in out if isinstance(one, SendMark)):
        ours.echoed(mark, now_ms + 2_000)
    assert ours.heard(now_ms + 2_000) == [ClauseHeard("p1", 0), ClauseHeard("p1", 1)]


def test_a_second_hold_before_any_echo_skips_nothing_either() -> None:
    ours = Playout(1, is_proven=True)
    ours.queue("p1", 0, b"\x01" * 8_000)
    due(ours, START_MS)
    for now_ms in (START_MS + 900, START_MS + 900):
        assert ours.hold(now_ms)
        ours.release()
        out = due(ours, now_ms)
        assert sum(len(one.payload) for one in out if isinstance(one, SendMedia)) == 8_000


def test_an_echo_that_comes_after_all_shows_that_the_peer_is_not_mute() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 16_000)
    due(ours, START_MS)
    ours.listened(80_000)
    late_ms = START_MS + 400 + marks.GRACE_MS
    assert ours.pointers_of("p1", late_ms).heard == 11_200
    assert ours.is_mute
    ours.echoed("e1.p1.3200", late_ms + 50)
    assert not ours.is_mute
    assert ours.echoes_ignored == 0
    assert ours.heard(late_ms + 1_500) == []


def test_what_is_repeated_is_not_counted_twice_and_many_holds_do_not_creep_back() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 2_320 + b"\xff" * 80 + b"\x01" * 5_600)
    due(ours, START_MS)
    now_ms = START_MS + 400
    ours.echoed("e1.p1.3200", now_ms)
    for clears in range(1, 9):
        assert ours.hold(now_ms)
        ours.release()
        media = due(ours, now_ms)[0]
        assert isinstance(media, SendMedia)
        assert media.payload.startswith(b"\xff" * 80 + b"\x01")
        now_ms += 20
        assert ours.pointers_of("p1", now_ms) == Pointers("p1", 8_000, 8_000, 3_200, 3_200), clears
    ours.listened(80_000)
    ours.echoed("e1.p1.5520.8", now_ms + 80)
    assert ours.pointers_of("p1", now_ms + 100).heard == 3_280
    assert ours.heard(now_ms + 4_500) == [ClauseHeard("p1", 0)]
    assert ours.pointers_of("p1", now_ms + 4_500).heard == 8_000


@pytest.mark.parametrize("there_ms", [3, 20, 90])
def test_where_both_ways_are_steady_the_reach_is_where_the_clear_finds_the_caller(
    there_ms: int,
) -> None:
    for seed in range(20):
        pair = Pair(random.Random(seed), there_ms=there_ms, echo_ms_max=0)
        pair.warm_up()
        truth, reach = pair.cut_in()
        assert 0 <= truth - reach < samples(1) + 8, f"seed {seed}: {truth} {reach}"


def test_a_late_echo_makes_no_wild_guess() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 16_000)
    due(ours, START_MS)
    ours.echoed("e1.p1.3200", START_MS + 450)
    at = ours.pointers_of("p1", START_MS + 1_500)
    assert (at.heard, at.reach) == (6_400, 6_400 + samples(2 * 50))


def test_what_is_cleared_during_a_hold_stays_away() -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 8_000)
    due(ours, START_MS)
    ours.hold(START_MS + 300)
    assert ours.clear(START_MS + 400) is False
    ours.queue("p2", 0, b"\x02" * 800)
    assert due(ours, START_MS + 500) == []
    ours.release()
    assert sizes(due(ours, START_MS + 600)) == [800, "e1.p2.800.2"]


@pytest.mark.parametrize("name", ["", "e2.p1.3200", "e1.p1.3201", "keep-alive"])
def test_a_foreign_echo_is_counted_and_ignored(name: str) -> None:
    ours = Playout(1)
    ours.queue("p1", 0, b"\x01" * 8_000)
    due(ours, START_MS)
    ours.echoed(name, START_MS + 700)
    assert ours.echoes_ignored == 1
    assert ours.pointers_of("p1", START_MS + 700).heard == 3_200


def test_marks_outstanding_are_bounded() -> None:
    ours = Playout(1)
    for clause in range(1_000):
        ours.queue("p1", clause, b"\x01")
    sent = [one for one in due(ours, START_MS) if isinstance(one, SendMark)]
    assert len(sent) == marks.OUTSTANDING_MAX
    ours.listened(80_000)
    assert len(ours.heard(START_MS + 1_500)) == 1_000


@pytest.mark.seeds
@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS // SLICES))
def test_the_pointers_are_exact_on_a_wire_without_delay(first: int) -> None:
    for seed in range(first, first + SEEDS // SLICES):
        pair = Pair(random.Random(seed), clear_echoes=bool(seed % 2))
        for step in range(STEPS):
            pair.step()
            truth, claimed = pair.check(f"seed {seed}, step {step}")
            assert claimed == truth, f"seed {seed}, step {step}"


@pytest.mark.seeds
def test_a_lost_echo_costs_at_most_one_mark_interval() -> None:
    interval = portion.MARK_EVERY + portion.MESSAGE_MIN
    for seed in range(100):
        pair = Pair(random.Random(seed), loses_echoes=True)
        for step in range(STEPS):
            pair.step()
            truth, claimed = pair.check(f"seed {seed}, step {step}")
            missing = sum(truth.values()) - sum(claimed.values())
            assert 0 <= missing <= interval, f"seed {seed}, step {step}: {missing}"


@pytest.mark.seeds
def test_a_mute_carrier_stalls_nothing_and_is_never_believed_too_much() -> None:
    for seed in range(100):
        pair = Pair(random.Random(seed), echoes=False)
        for step in range(STEPS):
            pair.step()
            truth, claimed = pair.check(f"seed {seed}, step {step}")
            assert all(claimed[voice] <= truth[voice] for voice in truth), f"seed {seed}, {step}"
        pair.release()
        pair.run(60_000)
        truth, claimed = pair.check(f"seed {seed}")
        assert claimed == truth, f"seed {seed}"
        assert pair.ours.is_idle(pair.now_ms), f"seed {seed}"


@pytest.mark.seeds
@pytest.mark.parametrize("there_ms", [0, 120])
def test_with_a_slow_wire_heard_is_never_more_than_the_truth(there_ms: int) -> None:
    for seed in range(100):
        pair = Pair(random.Random(seed), there_ms=there_ms, echo_ms_max=400)
        pair.warm_up()
        for step in range(STEPS):
            pair.step()
            truth, claimed = pair.check(f"seed {seed}, step {step}")
            assert all(claimed[voice] <= truth[voice] for voice in truth), f"seed {seed}, {step}"


def test_not_one_stale_sample_is_sent_after_clear() -> None:
    ours = Playout(1)
    leg = Leg("MZ1", "CA1", "AC1", {})
    ours.queue("p1", 0, b"\x01" * 80_000)
    for one in due(ours, START_MS):
        if isinstance(one, SendMedia):
            leg.receive(m.media("MZ1", one.payload), START_MS)
    ours.clear(START_MS + 500)
    leg.receive(m.clear("MZ1"), START_MS + 500)
    ours.queue("p2", 0, b"\x02" * 800)
    for one in due(ours, START_MS + 500):
        if isinstance(one, SendMedia):
            leg.receive(m.media("MZ1", one.payload), START_MS + 500)
    assert (
        b"".join(ulaw for _, ulaw in leg.heard(START_MS + 9_000)) == b"\x01" * 4_000 + b"\x02" * 800
    )
