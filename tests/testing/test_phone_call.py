from pathlib import Path

import pytest

from service.errors import EngineMissing
from service.simulator import recording
from service.speech.recognizer import recognizer
from service.speech.synthesizer import synthesizer
from service.testing.phone_call import PhoneCall
from service.testing.stayline import Stayline
from service.testing.story import Unmet
from tests.testing.agents import Echo

AUDIO = Path(__file__).parent.parent.parent / "fixtures" / "audio"


@pytest.fixture
def call(stayline: Stayline) -> PhoneCall:
    greeted = stayline.call(Echo, client_name="Maria")
    return greeted.hears("what can I do for you")


def test_keys_arrive_in_their_order(call: PhoneCall) -> None:
    call.presses("12")
    assert [one["digit"] for one in call.journal("digit_pressed")] == ["1", "2"]
    assert call.state["digits_pending"] == "12"


def test_keys_without_a_stream_are_lost(call: PhoneCall) -> None:
    call.drop_stream()
    call.presses("1")
    call.comes_back()
    assert call.journal("digit_pressed") == []


@pytest.mark.parametrize("keys", ["", "1x"])
def test_what_is_no_key_is_refused(call: PhoneCall, keys: str) -> None:
    with pytest.raises(ValueError, match="no keys"):
        call.presses(keys)


def test_a_stream_that_is_not_there_can_not_be_dropped(call: PhoneCall) -> None:
    call.drop_stream()
    with pytest.raises(Unmet, match="no stream to drop"):
        call.drop_stream()


def test_an_unknown_fault_is_refused_in_one_sentence(call: PhoneCall) -> None:
    with pytest.raises(ValueError, match="choose among close, eof"):
        call.drop_stream("earthquake")


def test_a_stall_is_no_drop(call: PhoneCall) -> None:
    call.drop_stream("stall=100ms")
    call.comes_back()
    assert len(call.state["streams"]) == 1


def test_silence_is_kept_where_nothing_is_to_be_said(call: PhoneCall) -> None:
    call.hears_nothing(for_ms=200)
    call.says("my printer is broken")
    with pytest.raises(Unmet, match="heard 'you said"):
        call.hears_nothing(for_ms=600)


def test_what_never_comes_is_told_within_its_time(call: PhoneCall) -> None:
    with pytest.raises(Unmet, match="pigs fly: not within 50 ms"):
        call.until(lambda _: False, "pigs fly", within_ms=50)


def test_after_the_end_nothing_is_waited_for(call: PhoneCall) -> None:
    call.hangs_up()
    call.ends()
    with pytest.raises(Unmet, match="hears 'hello': not before the call ended"):
        call.hears("hello")


def test_words_are_said_up_to_where_a_test_wants_them(call: PhoneCall) -> None:
    call.says("one two three four five six", until="one two three")
    assert call.phone.caller.utterances[0].end_ms > call.phone.now_ms()
    with pytest.raises(ValueError, match="does not begin with"):
        call.says("one two three", until="two")


def test_a_person_steps_in_and_is_told_of_a_refusal(call: PhoneCall) -> None:
    call.person("say", text="A colleague is coming.")
    call.hears("A colleague is coming")
    with pytest.raises(Unmet, match="refused with 422"):
        call.person("digits", digits="x")


def test_what_was_heard_can_be_kept(call: PhoneCall, tmp_path: Path) -> None:
    call.record(tmp_path / "heard.wav")
    assert recording.duration_ms(recording.read(tmp_path / "heard.wav")) > 200


@pytest.mark.timeout(60)
def test_real_engines_speak_and_listen(stayline: Stayline) -> None:
    try:
        synthesizer()
        recognizer()
    except EngineMissing as missing:
        pytest.skip(str(missing))
    call = stayline.call(Echo, client_name="Maria", audio=True)
    call.hears("what can I do for you")
    call.says(AUDIO / "caller_sarah_problem.ulaw")
    call.hears("You said")
    with pytest.raises(ValueError, match="without audio"):
        call.says("yes please", until="yes")
    assert call.greetings == 1
