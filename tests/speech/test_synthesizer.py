import sys

import pytest

from service.errors import ConfigError, EngineMissing
from service.speech.engines.hibari import Hibari
from service.speech.synthesizer import synthesizer


def test_the_default_synthesiser_is_hibari_and_shared() -> None:
    found = synthesizer()
    assert (found.name, found.voice) == ("hibari", "heart")
    assert synthesizer() is found


def test_an_unknown_name_is_one_clear_sentence() -> None:
    with pytest.raises(ConfigError, match="no synthesiser named 'flite'; there is: hibari"):
        synthesizer("flite")


def test_without_its_package_the_synthesiser_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hibari", None)
    with pytest.raises(EngineMissing, match="hibari is not installed"):
        Hibari()
