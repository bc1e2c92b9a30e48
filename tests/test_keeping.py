"""The commands that change a store: `stayline journal erase` and `rewrap`, and `stayline key`."""

import asyncio
from base64 import b64encode
from pathlib import Path

import pytest

from service import __main__ as command, recordings
from service.call import events as e
from service.config import load
from service.parts import sealed_store
from service.sealkeys import SealKey, parsed
from tests.journal.sealing import seal_key

NOW_MS = 1_790_000_000_000
NUMBER = "+447700900123"


def text(key: SealKey) -> str:
    return f"{key.kid}:{b64encode(key.secret).decode()}"


@pytest.fixture(autouse=True)
def _sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("STORE_URL", "TWILIO_AUTH_TOKEN", "TOOLS", "HOST", "KEY_STORE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STORE_URL", "sqlite:///calls.db")
    monkeypatch.setenv("SEAL_KEYS", text(seal_key("k1")))


def kept(*calls: tuple[str, str], held_ms: int = 0) -> None:
    """Put calls, each with its caller's number, into the store."""

    async def write() -> None:
        journal = sealed_store(load())
        await journal.start()
        for call_sid, number in calls:
            fact = e.CallOpened(call_sid=call_sid, from_number=number)
            await journal.open(call_sid, [e.encode(fact)], now_ms=NOW_MS)
            if held_ms:
                await journal.claim(call_sid, [], owner="s", until_ms=held_ms, now_ms=NOW_MS)
        await journal.close()

    asyncio.run(write())


def left() -> list[str]:
    async def read() -> list[str]:
        journal = sealed_store(load())
        await journal.start()
        calls = [one.call_sid for one in await journal.open_calls()]
        await journal.close()
        return calls

    return asyncio.run(read())


def test_a_call_or_a_persons_calls_are_erased(capsys: pytest.CaptureFixture[str]) -> None:
    kept(("CA1", NUMBER), ("CA2", "+1"), ("CA3", NUMBER), ("CA4", "+1"))
    assert recordings.run(["erase", "CA2"]) == 0
    assert left() == ["CA1", "CA3", "CA4"]
    assert recordings.run(["erase", "--number", NUMBER]) == 0
    assert left() == ["CA4"]
    told = capsys.readouterr().out
    assert "2 calls erased" in told
    assert NUMBER not in told
    assert recordings.run(["erase", "--ticket", "T1", "--tenant", "acme"]) == 0


def test_a_call_that_is_held_stays(capsys: pytest.CaptureFixture[str]) -> None:
    kept(("CA1", NUMBER), held_ms=2**52)
    assert recordings.run(["erase", "CA1"]) == 1
    assert left() == ["CA1"]
    assert "1 go on" in capsys.readouterr().out


def test_keys_are_wrapped_anew(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(("CA1", NUMBER), ("CA2", "+1"))
    newer = text(seal_key("k2"))
    monkeypatch.setenv("SEAL_KEYS", newer)
    assert recordings.run(["rewrap"]) == 1
    monkeypatch.setenv("SEAL_KEYS", f"{newer},{text(seal_key('k1'))}")
    assert recordings.run(["rewrap"]) == 0
    monkeypatch.setenv("SEAL_KEYS", newer)
    assert recordings.run(["rewrap"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(" keys")[0] for line in told] == ["0", "2", "0"]


def test_without_keys_there_is_nothing_to_wrap_under(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(("CA1", NUMBER))
    monkeypatch.delenv("SEAL_KEYS")
    assert recordings.run(["rewrap"]) == 2
    assert capsys.readouterr().err.startswith("stayline: SEAL_KEYS: ")
    assert recordings.run(["export", "CA1"]) == 2
    assert "is sealed" in capsys.readouterr().err


def test_a_fresh_key_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["stayline", "key"])
    command.main()
    assert len(parsed([capsys.readouterr().out.strip()])) == 1


def test_a_wrong_key_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEAL_KEYS", "k1:c2VjcmV0")
    assert command.serve() == 2
    told = capsys.readouterr().err
    assert told.startswith("stayline: SEAL_KEYS: key 1 is not 32 bytes")
    assert "c2VjcmV0" not in told
