import sys
import sysconfig
from pathlib import Path

import pytest

from tests.supply import compiled

OTHERS = frozenset((compiled.ROOT / "service").rglob("*.py")).difference(
    compiled.ROOT / one for one in compiled.named()
)


@pytest.mark.parametrize("module", compiled.named(), ids=str)
def test_what_is_compiled_has_nothing_that_the_compiler_would_drop(module: Path) -> None:
    source = (compiled.ROOT / module).read_text(encoding="utf-8")
    assert compiled.faults(source, compiled.bases(OTHERS)) == []


@pytest.mark.parametrize(
    "source",
    [
        "class Mark(Struct, frozen=True): ...",
        "class Voice(Protocol): ...",
        "def run(self):\n    self._thread = None",
    ],
)
def test_what_the_compiler_would_drop_is_found(source: str) -> None:
    assert compiled.faults(source, {"Voice"}) != []


def test_a_plain_class_is_no_fault() -> None:
    assert compiled.faults("class Mark:\n    def is_due(self) -> bool: ...", {"Voice"}) == []


def test_heirs_are_told_by_every_name_of_their_bases(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("class A(Voice): ...\nclass B(m.Gate[Scorer]): ...\n", encoding="utf-8")
    assert compiled.bases(frozenset([module])) == {"Voice", "m", "Gate", "Scorer"}


@pytest.mark.parametrize("what", ["C compiler (no-such-compiler)", "Python.h"])
def test_what_is_missing_is_told_and_nothing_is_built(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    compiler = "no-such-compiler -pthread" if what != "Python.h" else sys.executable
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _name: compiler)
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: "/nowhere")
    monkeypatch.setattr(sys, "argv", ["compiled", "--ask"])
    assert compiled.missing() == what
    assert compiled.main() == 1
    assert f"there is no {what}." in capsys.readouterr().err
