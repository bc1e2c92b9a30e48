"""Hypothesis against the playout: whatever is said, cleared and held, the pointers keep to the truth.

The truth is the carrier's model: what it played to the caller, piece by piece, on the same clock.
"""

import os
import random

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from tests.protocol.pair import TAPE, Pair

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "60"))
LENGTHS = st.sampled_from([0, 1, 7, 160, 799, 800, 801, 1_601, 4_000, 12_345, 16_000, 30_000])
LONG_MS = 120_000  # all that a run can say has played by then


class PlayoutMachine(RuleBasedStateMachine):
    """One playout, one carrier, and a wire that may be slow or lose echoes."""

    @initialize(
        seed=st.integers(0, 2**16),
        there_ms=st.sampled_from([0, 0, 40, 120]),
        echo_ms_max=st.sampled_from([0, 0, 400]),
        loses_echoes=st.booleans(),
        clear_echoes=st.booleans(),
    )
    def begin(
        self,
        seed: int,
        there_ms: int,
        echo_ms_max: int,
        *,
        loses_echoes: bool,
        clear_echoes: bool,
    ) -> None:
        self.is_slow = bool(there_ms or echo_ms_max)
        self.loses_echoes = loses_echoes and not self.is_slow
        self.pair = Pair(
            random.Random(seed),
            there_ms=there_ms,
            echo_ms_max=echo_ms_max,
            loses_echoes=self.loses_echoes,
            clear_echoes=clear_echoes,
        )
        if self.is_slow:
            self.pair.warm_up()
        self.heard: dict[int, int] = {}

    @rule(length=LENGTHS, is_new=st.booleans())
    @precondition(lambda self: self.pair._tape < len(TAPE) - 40_000)
    def say(self, length: int, *, is_new: bool) -> None:
        pair = self.pair
        if is_new or not pair._live:
            pair._voice += 1
            pair._live.append(pair._voice)
        pair._say(pair._live[-1], length)
        pair._settle()

    @rule()
    def clear(self) -> None:
        self.pair._clear()
        self.pair._settle()
        assert self.pair.ours.is_idle(self.pair.now_ms)

    @rule()
    @precondition(lambda self: not self.pair._is_held)
    def hold(self) -> None:
        self.pair._hold()
        self.pair._settle()

    @rule()
    @precondition(lambda self: self.pair._is_held)
    def release(self) -> None:
        self.pair.release()
        self.pair._settle()

    @rule(name=st.sampled_from(["", "e1.1.160", "e2.1.160", "e1.1.0", "x", "e1.1.1601.1"]))
    def echo_what_was_never_sent(self, name: str) -> None:
        if name not in self.pair.ours._marks.names:
            self.pair.ours.echoed(name, self.pair.now_ms)

    @rule(span_ms=st.sampled_from([1, 7, 20, 133, 400, 1_500, 4_000]))
    def pass_time(self, span_ms: int) -> None:
        self.pair.run(span_ms)

    @invariant()
    def what_is_said_to_be_heard_was_heard(self) -> None:
        truth, claimed = self.pair.check("by the machine")
        for voice, heard in claimed.items():
            assert heard <= truth[voice]
            assert heard >= self.heard.get(voice, 0), "heard moved back"
        self.heard = claimed

    @override
    def teardown(self) -> None:
        """See that everything that was not cleared is heard in the end, and nothing else."""
        if not hasattr(self, "pair"):
            return
        self.pair.release()
        self.pair._settle()
        self.pair.run(LONG_MS)
        truth, claimed = self.pair.check("at the end")
        assert claimed == truth == {one: sum(self.pair._clauses[one]) for one in self.pair._live}
        assert self.pair.ours.is_idle(self.pair.now_ms)


@pytest.mark.timeout(300)
def test_playout_keeps_to_what_the_carrier_played() -> None:
    run_state_machine_as_test(
        PlayoutMachine,
        settings=settings(
            max_examples=2 * EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
