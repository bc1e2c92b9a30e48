import inspect
import typing

import pytest

from service.call import inputs as i
from service.call.inputs import Decision, Effect, Input


@pytest.mark.parametrize("kind", [*typing.get_args(Input), *typing.get_args(Effect), Decision])
def test_inputs_and_effects_are_values_with_a_promise(kind: type) -> None:
    assert getattr(kind, "__struct_config__").frozen  # noqa: B009 - only a struct has it
    assert inspect.cleandoc(kind.__doc__ or "").endswith(".")


def test_a_decision_of_nothing_writes_and_does_nothing() -> None:
    assert Decision() == Decision((), ())


def test_a_stream_attaches_with_nothing_running_and_nothing_lost() -> None:
    attached = i.Attached(stream_sid="MZ1", door="voice", server="s1", gap_ms=0)
    assert (attached.parameters, attached.running, attached.lost) == ({}, (), "")
    assert not attached.is_live_here
