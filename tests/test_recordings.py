"""The command `stayline journal`: a call out of a real store, decided again, and every end in one line."""

import asyncio
import json
import os
import socket
from pathlib import Path

import pytest

from service import recordings
from service.call import events as e
from service.call.policy import Policy
from service.call.replay.recording import decode, encode
from service.call.replay.replay import replay
from service.journal.stores import connect
from service.journal.values import Appended
from tests.call.replay.scenes import returning, talking, taped, working
from tests.call.story import Story, greeted

CALL_SID = "CA00000000000000000000000000000001"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but a test's own, and a folder for what they leave behind."""
    monkeypatch.chdir(tmp_path)
    for name in ("STORE_URL", "TWILIO_AUTH_TOKEN", "TOOLS", "HOST"):
        monkeypatch.delenv(name, raising=False)


def stored(path: Path, story: Story) -> str:
    """Put a story's records into a store of its own, and return its URL."""
    url = f"sqlite:///{path}"

    async def write() -> None:
        journal = connect(url, ttl_ms=1_800_000)
        await journal.start()
        opening = [e.encode(story.journal[0][0])]
        at_ms = story.journal[0][1].at_ms
        await journal.open(CALL_SID, opening, now_ms=at_ms)
        epoch = 0
        for number, (fact, place) in enumerate(story.journal[1:]):
            now_ms, is_outside = place.at_ms, not place.epoch
            if place.epoch > epoch:
                await journal.claim(CALL_SID, [], owner="s1", until_ms=now_ms, now_ms=now_ms)
                epoch += 1
            written = await journal.append(
                CALL_SID,
                (e.encode(fact),),
                epoch=None if is_outside else epoch,
                after=None if is_outside else place.position - 1,
                key=f"k{number}",
                now_ms=now_ms,
            )
            assert isinstance(written, Appended)
        await journal.close()

    asyncio.run(write())
    return url


def file(path: Path, story: Story, policy: Policy | None = None) -> str:
    path.write_bytes(encode(taped(story, policy)))
    return str(path)


def test_a_call_is_exported_and_decided_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, out = stored(tmp_path / "s.db", greeted(Policy())), tmp_path / "call.jsonl"
    assert recordings.run(["export", CALL_SID, "--store", url, "-o", str(out)]) == 0
    tape = decode(out.read_bytes())
    assert (tape.head.call_sid, tape.head.records) == (CALL_SID, len(tape.entries))
    assert tape.head.incarnation
    assert tape.head.policy == Policy()
    assert out.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("call")] == ["call.jsonl"]
    assert recordings.run(["replay", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{out}: {CALL_SID}: the same. Of ")
    assert said.out.endswith("Not compared: 1 from outside. Rules: recorded.\n")
    assert not said.err


def test_without_a_file_it_goes_to_standard_output(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_URL", stored(tmp_path / "s.db", greeted(Policy())))
    assert recordings.run(["export", CALL_SID]) == 0
    assert decode(capfdbinary.readouterr().out).head.call_sid == CALL_SID


def test_settings_that_the_call_does_not_fit_are_not_written_into_its_file(tmp_path: Path) -> None:
    """Another machine's settings may know nothing of the tools that the call used."""
    url, out = stored(tmp_path / "s.db", working()), tmp_path / "call.jsonl"
    recordings.run(["export", CALL_SID, "--store", url, "-o", str(out)])
    tape = decode(out.read_bytes())
    assert tape.head.policy is None
    assert replay(tape).is_same


def test_a_divergence_is_told_in_three_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = file(tmp_path / "a.jsonl", talking())
    other = file(tmp_path / "b.jsonl", returning(), Policy(drops_max=0))
    assert recordings.run(["replay", same, other]) == 1
    first, second, happened, recorded, decided = capsys.readouterr().out.splitlines()
    assert ": the same. Of " in first
    assert ": it parts at record " in second
    assert happened.startswith("  happened  Attached {")
    assert recorded.startswith('  recorded  {"kind":')
    assert decided.startswith('  decided   {"kind":"drop_limit_reached"')


def test_a_program_gets_one_object_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = file(tmp_path / "a.jsonl", talking())
    assert recordings.run(["replay", name, name, "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["file"] for one in told] == [name, name]
    assert told[0]["is_same"] is True
    assert told[0]["compared"] == told[0]["tally"]["followed"] + told[0]["tally"]["given"]


def test_it_can_be_decided_by_this_machines_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = file(tmp_path / "a.jsonl", returning())
    monkeypatch.setenv("DROP_LIMIT", "1/600")
    assert recordings.run(["replay", name, "--settings"]) == 1
    assert "Rules: given." in capsys.readouterr().out
    assert recordings.run(["replay", name]) == 0


def test_the_worst_of_several_files_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(b"RIFF\0\0")
    good = file(tmp_path / "a.jsonl", talking())
    assert recordings.run(["replay", str(bad), good]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"stayline: {bad}: line 1 is no head of a recorded call: ")
    assert said.err.count("\n") == 1
    assert ": the same. " in said.out


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["replay", "none.jsonl"], "stayline: none.jsonl: No such file or directory\n"),
        (["replay", "."], "stayline: .: Is a directory\n"),
        (["export", "CA1", "--store", "ftp://x"], "stayline: STORE_URL must begin with sqlite:///"),
        (
            ["export", "CA1", "--store", "sqlite:///no.db"],
            "stayline: STORE_URL: there is no such file",
        ),
        (
            ["export", "CA1", "--store", "sqlite://:memory:"],
            "stayline: the store has no such call\n",
        ),
        (["export", "CA1", "--store", "redis://127.0.0.1:{port}"], "stayline: "),
    ],
)
def test_what_cannot_be_done_is_one_line(
    words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert recordings.run([word.format(port=free_port()) for word in words]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(line)
    assert said.err.count("\n") == 1
    assert not said.out


def test_a_file_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = stored(tmp_path / "s.db", greeted(Policy()))
    out = tmp_path / "no" / "call.jsonl"
    assert recordings.run(["export", CALL_SID, "--store", url, "-o", str(out)]) == 2
    assert capsys.readouterr().err.endswith("No such file or directory\n")


def test_a_store_that_never_answers_is_given_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It takes the connection and says nothing."""
    monkeypatch.setattr(recordings, "STORE_WAIT_S", 1)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"redis://127.0.0.1:{deaf.getsockname()[1]}"
        assert recordings.run(["export", CALL_SID, "--store", url]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_that_is_too_long_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(recordings, "FILE_BYTES_MAX", 1 << 20)
    long = tmp_path / "long.jsonl"
    long.touch()
    os.truncate(long, (1 << 20) + 1)
    assert recordings.run(["replay", str(long)]) == 2
    assert "is longer than 1 MiB" in capsys.readouterr().err


def test_another_state_and_nothing_to_compare_are_told() -> None:
    tape = taped(greeted(Policy()))
    text = encode(tape).replace(tape.head.state.encode(), b"0" * 64)
    assert ": the same decisions, but another state at the end. " in recordings.shown(
        "x", replay(decode(text))
    )
    story = Story()
    story.opened()
    told = recordings.shown("x", replay(taped(story)))
    assert ": nothing could be compared. " in told
    assert recordings.shown("x", replay(taped(working()))).endswith(
        "Not compared: 2 from outside, 1 that fit only a supposed input. Rules: recorded."
    )


def test_wrong_words_are_told_by_the_parser(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["replay"], ["export"], ["play", "x"]):
        with pytest.raises(SystemExit) as ended:
            recordings.run(words)
        assert ended.value.code == 2
    assert "usage: stayline journal" in capsys.readouterr().err
