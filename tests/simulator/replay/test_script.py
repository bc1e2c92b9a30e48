from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from service.simulator.replay import script as s
from service.simulator.streams import faults
from tests.simulator.talker import tone


def test_a_whole_command_line_is_read(tmp_path: Path) -> None:
    file = tmp_path / "name.ulaw"
    file.write_bytes(tone(20))
    script = s.script(
        [str(file), "pause:1.5s"],
        drops_at=["3.2s:half-open=5s"],
        drops_on=["agent-speaks:2+300"],
        digits=["8s:1w2"],
        presses=["5s:12#"],
        hang_up="20s",
        length="2m",
    )
    assert script.lines == (s.Say("name", tone(20)), s.Wait(1_500))
    assert script.length_ms_max == 120_000
    assert script.cues == (
        s.Cue(s.AtTime(3_200), s.Drop(faults.HalfOpen(5_000))),
        s.Cue(s.AgentSpeaks(2, 300), s.Drop(faults.Reset())),
        s.Cue(s.AtTime(8_000), s.AskDigits("1w2")),
        s.Cue(s.AtTime(5_000), s.Press("12#")),
        s.Cue(s.AtTime(20_000), s.HangUpNow()),
    )


@pytest.mark.parametrize(
    ("text", "when", "fault"),
    [
        ("agent-speaks:1", s.AgentSpeaks(1), faults.Reset()),
        ("agent-speaks:1+1500", s.AgentSpeaks(1, 1_500), faults.Reset()),
        ("caller-speaks:4+900:redial", s.CallerSpeaks(4, 900), faults.Redial()),
        ("caller-speaks:1+1.5s:close=1012", s.CallerSpeaks(1, 1_500), faults.Close(1012)),
        ("agent-speaks:3:stall", s.AgentSpeaks(3), faults.Stall()),
    ],
)
def test_conditions_are_read(text: str, when: s.When, fault: faults.Fault) -> None:
    assert s.drop_on(text) == s.Cue(when, s.Drop(fault))


@pytest.mark.parametrize(
    "text", ["agent-speaks:0", "agent-speaks", "dog-barks:1", "agent-speaks:1+x"]
)
def test_a_wrong_condition_is_one_clear_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is no condition"):
        s.drop_on(text)


@pytest.mark.parametrize("text", ["8s", "8s:", "8s:W", "8s:1x"])
def test_wrong_digits_are_one_clear_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="names no digits"):
        s.digits_at(text)


@pytest.mark.parametrize("text", ["5s", "5s:w"])
def test_wrong_keys_are_one_clear_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="names no keys"):
        s.press_at(text)


def test_a_script_has_its_limits() -> None:
    with pytest.raises(ValueError, match="at most 200"):
        s.script(["pause:1s"] * 201)


@given(st.text(max_size=30))
def test_any_word_is_read_or_is_a_value_error(text: str) -> None:
    for reader in (s.drop_at, s.drop_on, s.digits_at, s.press_at):
        try:
            reader(text)
        except ValueError as error:
            assert str(error)  # noqa: PT017  either way is right, silence is not


@given(st.integers(0, 3_600_000), st.sampled_from(faults.NAMES))
def test_any_time_and_any_fault_are_read(at_ms: int, name: str) -> None:
    cue = s.drop_at(f"{at_ms}ms:{name}")
    assert cue == s.Cue(s.AtTime(at_ms), s.Drop(faults.parse(name)))
