import sys

import pytest

from service.errors import ConfigError, EngineMissing
from service.speech.engines.moonshine import Moonshine
from service.speech.recognizer import recognizer


def test_the_default_recogniser_is_moonshine_and_shared() -> None:
    found = recognizer()
    assert found.name == "moonshine"
    assert recognizer() is found


def test_an_unknown_name_is_one_clear_sentence() -> None:
    with pytest.raises(ConfigError, match="no recogniser named 'vosk'; there is: moonshine"):
        recognizer("vosk")


def test_without_its_package_the_recogniser_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moonshine_voice", None)
    with pytest.raises(EngineMissing, match="moonshine_voice is not installed"):
        Moonshine()
