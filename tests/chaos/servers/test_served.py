from pathlib import Path

import pytest

from service import config as settings
from service.audio import milliseconds
from service.chaos.servers.served import LETTER_MS, UnhurriedSynthesizer, made
from service.testing.textspeech import literal, words


def test_a_text_takes_as_long_as_a_person_would() -> None:
    text = "This is a sentence of some length."
    timed = UnhurriedSynthesizer().render(text)
    assert abs(milliseconds(len(timed)) - LETTER_MS * len(text)) < 200
    assert literal(words(timed)) == text
    assert timed.ends[-1] == len(timed)


def test_the_application_is_the_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOST", "127.0.0.1")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "")
    paths = {getattr(route, "path", "") for route in made(settings.load()).routes}
    assert {"/twiml/voice", "/media"} <= paths
