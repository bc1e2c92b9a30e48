import asyncio
import json
import logging
from pathlib import Path

import pytest

from service import directory as directories
from service.directory import ANSWER_BYTES_MAX, Directories, FileDirectory, directory
from service.errors import ConfigError
from service.outbound.rules import parsed
from tests.answering import answering

MARIA = {"client_name": "Maria", "company": "Acme", "ticket_id": "TKT-1"}


@pytest.mark.asyncio
async def test_no_directory_knows_nobody() -> None:
    assert await directory("").lookup("+44") == {}


@pytest.mark.asyncio
@pytest.mark.parametrize("number", ["+441632960000", "+44 1632 960000", "+44 (1632) 960-000"])
async def test_a_json_file_knows_its_callers_however_they_are_written(
    tmp_path: Path, number: str
) -> None:
    path = tmp_path / "callers.json"
    path.write_text(json.dumps({"+44 1632-960000": {**MARIA, "secret": "x", "tier": 1}}))
    found = directory(str(path))
    assert await found.lookup(number) == MARIA
    assert await found.lookup("+44") == {}
    assert await found.lookup("") == {}


@pytest.mark.asyncio
async def test_what_is_looked_up_is_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "callers.json"
    path.write_text('{"+1":{"client_name":"Maria","company":null,"ticket_id":7}}')
    found = directory(str(path))
    (await found.lookup("+1"))["client_name"] = "Eve"
    assert await found.lookup("+1") == {"client_name": "Maria", "ticket_id": "7"}


@pytest.mark.asyncio
async def test_a_csv_file_with_a_mark_of_its_encoding_is_read(tmp_path: Path) -> None:
    path = tmp_path / "callers.csv"
    path.write_text(
        'number,client_name,company,ticket_id,more\n+44 1,Zoë,"Smith, Jones",TKT-1,x\n'
        ",nobody,,,\n+2,short\n+3,long,a,b,c,d,e\n",
        encoding="utf-8-sig",
    )
    found = directory(str(path))
    assert await found.lookup("+441") == {
        "client_name": "Zoë", "company": "Smith, Jones", "ticket_id": "TKT-1",
    }  # fmt: skip
    assert await found.lookup("+2") == {"client_name": "short"}
    assert await found.lookup("+3") == {"client_name": "long", "company": "a", "ticket_id": "b"}
    assert await found.lookup("") == {}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b""),
        ("a.json", b"{"),
        ("a.json", b"[]"),
        ("a.json", b'{"+1":"Maria"}'),
        ("a.json", b"\xff\xfe"),
        ("a.json", b"[" * 100_000),
        ("a.csv", b""),
        ("a.csv", b"name,company\nMaria,Acme\n"),
        ("a.csv", b"\xff\xfe"),
        ("a.csv", b"number,company\n+1," + b"x" * 200_000 + b"\n"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_line(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigError) as wrong:
        directory(str(path))
    assert str(wrong.value).startswith(f"DIRECTORY={path}: ")
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize("name", ["nowhere.json", "nowhere.csv", "", "a\0b"])
def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="DIRECTORY="):
        directory(f"{tmp_path}/{name}")


@pytest.mark.asyncio
async def test_a_url_is_asked_for_the_number_beside_its_own_query() -> None:
    with answering((200, json.dumps({**MARIA, "more": 1}).encode())) as script:
        found = await directory(f"{script.url}/who?key=k").lookup("+44 1")
    assert found == MARIA
    assert script.asked[0].path == "/who?key=k&from=%2B44+1"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "answer",
    [
        (404, b"{}"),
        (302, b"{}"),
        (500, json.dumps(MARIA).encode()),
        (200, b"no"),
        (200, b"[]"),
        (200, b"\xff"),
        (200, b"[" * 50_000),
        (200, json.dumps({"client_name": "x" * ANSWER_BYTES_MAX}).encode()),
    ],
)
async def test_a_url_that_answers_badly_costs_nobody_a_call(
    answer: tuple[int, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    with answering(answer) as script, caplog.at_level(logging.WARNING, "service.directory"):
        assert await directory(script.url).lookup("+441632") == {}
    assert "did not answer" in caplog.text
    assert "441632" not in caplog.text


@pytest.mark.asyncio
@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://[::1", "http://a b", "http://"])
async def test_a_url_that_cannot_be_reached_costs_nobody_a_call(url: str) -> None:
    assert await directory(url).lookup("+1") == {}


@pytest.mark.asyncio
async def test_a_url_that_never_ends_its_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{")
        await writer.drain()
        await asyncio.wait_for(_reader.read(-1), 5)
        writer.close()

    monkeypatch.setattr(directories, "ANSWER_S_MAX", 0.05)
    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await directory(f"http://127.0.0.1:{port}/").lookup("+1") == {}


@pytest.mark.asyncio
async def test_a_tenant_without_a_directory_of_its_own_knows_nobody() -> None:
    """S-6: never another's."""
    own, acme = FileDirectory({"+44": MARIA}), FileDirectory({"+44": {"company": "Acme"}})
    each = Directories(own, {"acme": acme})
    assert await each.of("default").lookup("+44") == MARIA
    assert await each.of("acme").lookup("+44") == {"company": "Acme"}
    assert await each.of("best").lookup("+44") == {}


@pytest.mark.parametrize("url", ["http://me:word@desk.example", "https://desk.example@127.0.0.1/x"])
def test_a_url_with_a_user_in_it_is_one_clear_line(url: str) -> None:
    with pytest.raises(ConfigError, match="DIRECTORY: the URL must not hold a user"):
        directory(url)


@pytest.mark.asyncio
async def test_a_url_is_asked_only_where_the_rules_let_it() -> None:
    """S-11: what OUTBOUND_HOSTS does not list is not asked."""
    with answering((200, json.dumps(MARIA).encode())) as script:
        assert await directory(script.url, parsed(["desk.example"], [])).lookup("+44") == {}
        assert await directory(script.url).lookup("+44") == MARIA
    assert len(script.asked) == 1
