import json
from pathlib import Path
from typing import Any

import pytest

from service.errors import ConfigError
from service.tools import toolfile
from service.tools.toolbox import DESK_FILE
from service.tools.toolfile import FILE_BYTES_MAX, TOOLS_MAX, environment, read

NOTE: dict[str, Any] = {
    "name": "ticket_note",
    "description": "Adds a note.",
    "url": "${CRM_URL}/tickets/{ticket_id}/notes",
    "headers": {"Authorization": "Bearer ${CRM_TOKEN}"},
    "parameters": {
        "type": "object",
        "properties": {"ticket_id": {"type": "string"}, "text": {"type": "string"}},
        "required": ["ticket_id", "text"],
    },
}
SUMMARY_PARAMETERS = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("ticket_id", "text", "caller")},
    "required": ["text"],
}
VARIABLES = {"CRM_URL": "https://crm.example.com/v2", "CRM_TOKEN": "s3cret", "EMPTY": ""}


def written(folder: Path, content: object) -> Path:
    path = folder / "tools.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def trouble(folder: Path, content: object) -> str:
    """Return what is said of a wrong file, after its name."""
    path = written(folder, content)
    with pytest.raises(ConfigError) as wrong:
        read(path, VARIABLES)
    said = str(wrong.value)
    assert "\n" not in said
    assert "s3cret" not in said
    assert said.startswith(f"TOOLS: {path}: ")
    return said.removeprefix(f"TOOLS: {path}: ")


def test_a_file_is_read_with_its_variables_filled_in(tmp_path: Path) -> None:
    (entry,) = read(written(tmp_path, b"\xef\xbb\xbf" + json.dumps([NOTE]).encode()), VARIABLES)
    assert entry.url == "https://crm.example.com/v2/tickets/{ticket_id}/notes"
    assert entry.headers == {"Authorization": "Bearer s3cret"}
    assert (entry.method, entry.idempotent, entry.timeout_ms) == ("POST", False, 5000)
    assert (entry.attempts, entry.approval_s, entry.role) == (1, 0, "")


def test_a_file_may_hold_no_tools(tmp_path: Path) -> None:
    assert read(written(tmp_path, []), {}) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "Ticket Note"}, "matching regex"),
        ({"name": "a\n"}, "matching regex"),
        ({"description": ""}, "length"),
        ({"method": "TRACE"}, "Invalid enum value 'TRACE'"),
        ({"timeout_ms": 0}, "timeout_ms"),
        ({"timeout_ms": 4.5}, "timeout_ms"),
        ({"timeout_ms": 10**9}, "timeout_ms"),
        ({"attempts": 0}, "attempts"),
        ({"approval_s": -1}, "approval_s"),
        ({"role": "boss"}, "boss"),
        ({"idempotent": "yes"}, "idempotent"),
        ({"retries": 3}, "unknown field `retries`"),
        ({"headers": {"a": 1}}, "headers"),
        ({"parameters": "none"}, "parameters"),
    ],
)
def test_an_entry_of_the_wrong_shape_is_one_clear_line(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    assert said in trouble(tmp_path, [NOTE | change])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"attempts": 2}, "attempts above 1 need a tool that is idempotent"),
        ({"url": ""}, "expected either url or function"),
        ({"function": "a:b"}, "expected either url or function"),
        ({"url": "", "function": "a:b"}, "a function has no headers"),
        ({"url": "", "headers": {}, "function": "nowhere:b"}, "the function nowhere:b can't be loaded"),
        ({"url": "${CRM_URI}/x"}, "the environment variable CRM_URI is not set"),
        ({"url": "${}/x"}, "the environment variable  is not set"),
        ({"headers": {"a": "${EMPTY}"}}, "the environment variable EMPTY is not set"),
        ({"parameters": {"type": "object"}}, 'expected a schema with "type": "object"'),
        ({"parameters": {"type": "object", "properties": {"a": {"type": "?"}}}}, "'?' is not valid"),
        ({"url": "http://h/{other}"}, "the url holds {other}, which parameters must have and require"),
        ({"url": "http://h/{}"}, "the url holds {}, which parameters must have"),
        ({"url": "http://u:p@h/"}, "the url must not hold a user or password"),
        ({"url": "gopher://h/"}, "the url must begin with http"),
        ({"url": "http://300.1.1.1/"}, "the url can't be used"),
        ({"headers": {"a b": "c"}}, "the header 'a b' can't be set"),
        ({"headers": {"Host": "c"}}, "the header 'Host' can't be set"),
        ({"headers": {"idempotency-key": "c"}}, "the header 'idempotency-key' can't be set"),
        ({"headers": {"a": "b\r\nc: ${CRM_TOKEN}"}}, "the value of the header a must be printable"),
        ({"headers": {"a": "é"}}, "the value of the header a must be printable"),
        ({"headers": {"a": ""}}, "the value of the header a must be printable"),
        ({"role": "summary"}, "the summary tool takes the arguments ticket_id, text and caller"),
    ],
)  # fmt: skip
def test_a_tool_that_cannot_be_used_is_one_clear_line_that_names_it(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    assert trouble(tmp_path, [NOTE | change]).startswith(f"ticket_note: {said}")


def test_an_optional_argument_has_no_place_in_a_url(tmp_path: Path) -> None:
    optional = NOTE["parameters"] | {"required": ["text"]}
    assert "{ticket_id}" in trouble(tmp_path, [NOTE | {"parameters": optional}])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[1]",
        b"[{}]",
        b"nonsense",
        b"\xff\xfe\x00",
        b'["\xff"]',
        b"[" * 100_000,
        b"[" + b" " * FILE_BYTES_MAX + b"]",
        [NOTE, NOTE],
        [NOTE | {"name": f"n{n}"} for n in range(TOOLS_MAX + 1)],
        [
            NOTE | {"name": name, "role": "summary", "url": "http://h/", "parameters": SUMMARY_PARAMETERS}
            for name in ("one", "two")
        ],
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_clear_line(tmp_path: Path, content: object) -> None:
    assert trouble(tmp_path, content)


@pytest.mark.parametrize("name", ["nowhere.json", "", "a\0b"])
def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"^TOOLS: "):
        read(tmp_path / name, {})


def test_a_function_stands_instead_of_a_url(tmp_path: Path) -> None:
    own = NOTE | {"url": "", "headers": {}, "function": "tests.tools.functions:echo"}
    (entry,) = read(written(tmp_path, [own]), {})
    assert entry.function == "tests.tools.functions:echo"


def test_the_example_of_the_documentation_is_sound(tmp_path: Path) -> None:
    text = str(toolfile.__doc__)
    example = text[text.index("    [{") : text.index("\n\n`$")].encode()
    assert [entry.name for entry in read(written(tmp_path, example), VARIABLES)] == ["ticket_note"]


def test_the_desk_s_own_file_is_sound() -> None:
    entries = read(DESK_FILE, {"DESK_URL": "http://127.0.0.1:8002"})
    assert [entry.name for entry in entries] == [
        "ticket_lookup", "ticket_note", "callback_request", "call_summary",
    ]  # fmt: skip
    assert [entry.idempotent for entry in entries] == [True, False, False, True]
    assert entries[3].role == "summary"


def test_the_environment_goes_before_the_file_env(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRM_URL", "https://real")
    assert environment()["CRM_URL"] == "https://real"
    (tmp_path / ".env").write_text("CRM_URL=https://file\nCRM_TOKEN=kept\nBARE\n")
    found = environment()
    assert (found["CRM_URL"], found["CRM_TOKEN"]) == ("https://real", "kept")
    assert "BARE" not in found
    (tmp_path / ".env").write_bytes(b"A=\xff")
    with pytest.raises(ConfigError, match=r"^\.env: "):
        environment()
