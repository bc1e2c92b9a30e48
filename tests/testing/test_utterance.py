from pathlib import Path

import pytest

from service.errors import EngineMissing
from service.speech.synthesizer import synthesizer
from service.testing.textspeech import spoken
from service.testing.utterance import unsaid_ms, voiced


def test_text_is_spoken_as_text_or_by_a_voice() -> None:
    assert voiced("hello there", is_real=False) == spoken("hello there")
    try:
        synthesizer()
    except EngineMissing as missing:
        pytest.skip(str(missing))
    assert len(voiced("hello there", is_real=True)) > 3_000


def test_a_recording_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "caller.ulaw").write_bytes(b"\x10" * 160)
    assert voiced(tmp_path / "caller.ulaw", is_real=True) == b"\x10" * 160
    assert voiced(b"\x10", is_real=True) == b"\x10"


@pytest.mark.parametrize("what", [b"\x10" * 160, Path("caller.ulaw")])
def test_a_recording_needs_the_real_engines(what: bytes | Path) -> None:
    with pytest.raises(ValueError, match="audio=True"):
        voiced(what, is_real=False)


@pytest.mark.parametrize(("what", "is_real"), [("", False), (" ", True), (b"", True)])
def test_nothing_can_not_be_said(what: str | bytes, is_real: bool) -> None:  # noqa: FBT001 - a parameter of the table
    with pytest.raises(ValueError, match="nothing to say"):
        voiced(what, is_real=is_real)


def test_what_comes_after_the_first_words_is_measured() -> None:
    assert unsaid_ms("one two three", "one", is_real=False) == 80
    assert unsaid_ms("one two three", "one two three", is_real=False) == 0
    assert unsaid_ms(b"", "", is_real=True) == 0


def test_nobody_knows_where_the_words_of_a_recording_end() -> None:
    with pytest.raises(ValueError, match="without audio"):
        unsaid_ms(b"\x10", "one", is_real=True)
    with pytest.raises(ValueError, match="does not begin with"):
        unsaid_ms("one two", "two", is_real=False)
