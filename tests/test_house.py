"""The house rules that no linter knows: sizes, mirrors, names, and documents that tell the truth."""

import ast
import re
from pathlib import Path

import pytest

from service.config import Config

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for top in ("service", "twiml") for path in (ROOT / top).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FILE_LINES_MAX = 300
TEST_LINES_MAX = 500
FUNCTION_LINES_MAX = 50
BANNED = re.compile(
    r"(?:^|_)(manager|handler|helper|util|utils|base|data|info|process)(?:_|$)", re.IGNORECASE
)
LINK = re.compile(r"\]\(((?!https?:)[^)\s]+)\)")
HEAD = re.compile(r"^#+ (.+)$", re.MULTILINE)


def document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_file_is_short_enough_to_read_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES_MAX


@pytest.mark.parametrize("path", TESTS, ids=named)
def test_a_test_file_is_short_enough_to_read_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= TEST_LINES_MAX


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_function_fits_on_a_screen_and_bears_a_telling_name(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name)
            is_given = "override" in map(ast.unparse, node.decorator_list)  # by whom it overrides
            assert is_given or not BANNED.search(spaced), node.name
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, node.name


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_files_and_rooms_bear_telling_names(path: Path) -> None:
    for part in path.relative_to(ROOT).with_suffix("").parts:
        assert not BANNED.search(part), part


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_nothing_is_put_off_and_nothing_is_silenced_without_a_reason(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for word in ("TYPE_CHECKING", "FIXME", "TODO"):
        assert word not in text
    assert not re.search(r"#\s*noqa(?!:)", text)
    assert not re.search(r"type:\s*ignore(?!\[)", text)


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.name not in ("__init__.py", "__main__.py")], ids=named
)
def test_every_module_has_its_own_test(path: Path) -> None:
    inside = path.relative_to(ROOT)
    parts = inside.parts[1:] if inside.parts[0] == "service" else inside.parts
    mirrored = ROOT / "tests" / Path(*parts).with_name(f"test_{path.name}")
    assert mirrored.exists(), mirrored


def test_the_documents_name_every_setting_and_no_other() -> None:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", document("docs/settings.md"), re.MULTILINE)
    told = [name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)]
    known = [name.upper() for name in Config.model_fields if name != "is_development"]
    assert sorted(told) == sorted(known)


def test_every_link_between_documents_leads_somewhere() -> None:
    documents = [
        "README.md",
        "CONTRIBUTING.md",
        *(f"docs/{one.name}" for one in ROOT.glob("docs/*.md")),
    ]
    for name in documents:
        for path, _, anchor in (link.partition("#") for link in LINK.findall(document(name))):
            target = (ROOT / name).parent / path if path else ROOT / name
            assert target.exists(), f"{name}: {path}"
            heads = (
                {slug(head) for head in HEAD.findall(target.read_text(encoding="utf-8"))}
                if anchor
                else {""}
            )
            assert anchor in heads, f"{name}: {path}#{anchor}"


def slug(head: str) -> str:
    return re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-")


def test_the_map_of_the_house_shows_the_tree_as_it_is_on_disk() -> None:
    shown = set(re.findall(r"^ {2}(\w+)(?:/|\.py)", document("CONTRIBUTING.md"), re.MULTILINE))
    rooms = {
        path.stem
        for path in (ROOT / "service").iterdir()
        if path.name not in ("__init__.py", "__pycache__", "py.typed")
    }
    assert rooms == shown
