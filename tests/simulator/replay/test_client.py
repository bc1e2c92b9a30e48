import argparse
import json
import socket
from pathlib import Path

import pytest

from service.commands.line import run
from service.simulator import recording
from service.simulator.answering import Party
from service.simulator.credentials import Credentials
from service.simulator.replay import client, report as r
from service.simulator.replay.options import add_arguments
from tests.conftest import free_port
from tests.simulator.talker import ACCOUNT, API_TOKEN, TOKEN, Talker, tone

ACCESS = ["--auth-token", TOKEN, "--account-sid", ACCOUNT, "--api-token", API_TOKEN]


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([*ACCESS, *arguments])


async def replayed(talker: Talker, *arguments: str) -> int:
    port = free_port()
    talker.api_url = f"http://127.0.0.1:{port}"
    return await client.run(options("--server", talker.url, "--rest-port", str(port), *arguments))


@pytest.mark.asyncio
async def test_a_call_with_drops_and_digits_is_replayed_and_judged(
    talker: Talker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = tmp_path / "said.ulaw"
    said.write_bytes(tone(200, 300))
    code = await replayed(
        talker, str(said),
        "--drop-at", "0.4s", "--digits-at", "3s:1w2", "--press-at", "2.2s:5",
        "--expect", "greeted=1", "--expect", "fields.ticket_id=TKT-1234", "--expect", "streams>=3",
        "--record", str(tmp_path / "heard.wav"), "--trace", str(tmp_path / "trace.jsonl"),
        "--json", str(tmp_path / "report.json"), "--junit", str(tmp_path / "report.xml"),
    )  # fmt: skip
    shown = capsys.readouterr().out
    assert code == r.OK, shown
    assert "FAULT on stream 1: reset" in shown
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["figures"]["streams"] == 3
    assert report["figures"]["keys"] == 1, shown
    assert len(recording.read(tmp_path / "heard.wav")) > 8_000
    assert (tmp_path / "report.xml").read_text().count("<testcase") == len(report["findings"])
    assert len((tmp_path / "trace.jsonl").read_text().splitlines()) == len(report["timeline"])


@pytest.mark.asyncio
async def test_an_expectation_that_is_not_met_gives_1(
    talker: Talker, capsys: pytest.CaptureFixture[str]
) -> None:
    code = await replayed(talker, "--hang-up-at", "300ms", "--expect", "streams=7", "--json", "-")
    assert code == r.FAILED
    report = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in report["findings"] if not one["is_met"]] == ["streams=7"]


@pytest.mark.asyncio
async def test_an_agent_that_never_speaks_gives_2(talker: Talker) -> None:
    talker.is_mute = True
    assert await replayed(talker, "--hang-up-at", "300ms") == r.MUTE


@pytest.mark.asyncio
async def test_a_broken_protocol_gives_3(talker: Talker) -> None:
    talker.bad_text = '{"event":"mark"}'
    assert await replayed(talker, "--hang-up-at", "300ms") == r.VIOLATION


@pytest.mark.asyncio
async def test_a_server_that_is_not_there_gives_5() -> None:
    server, rest = (free_port() for _ in range(2))
    url = f"http://127.0.0.1:{server}"
    asked = options("--server", url, "--rest-port", str(rest), "--max-duration", "5s")
    assert await client.run(asked) == r.NO_CONNECTION


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--server", "127.0.0.1:8000"], "--server is an http or https URL"),
        (["--rest-port", "many"], "--rest-port is a port"),
        (["--rest-port", "70000"], "--rest-port is a port"),
        (["--after-drop", "magic"], "--after-drop is action, verb or nothing"),
        (["--parameters", "From"], "NAME=VALUE"),
        (["--dial-outcome", "maybe"], "no outcome of a dial"),
        (["--dial-outcome", "busy:soon"], "no duration"),
        (["--message", "long"], "no duration"),
        (["--drop-at", "soon"], "no duration"),
        (["--drop-at", "1s:explode"], "no fault"),
        (["--expect", "greeted"], "no expectation"),
        (["--max-duration", "2h"], "no duration"),
        (["nothing.ulaw"], "can't be read"),
        (["--no-such-option"], "is not known here"),
    ],
)
def test_wrong_usage_gives_4_and_one_sentence(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", *ACCESS, *arguments]) == r.USAGE
    told = capsys.readouterr().err
    assert complaint in told
    assert told.count("\n") == 1


def test_digits_need_a_token_of_the_api(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("API_TOKENS", raising=False)
    arguments = ["--auth-token", TOKEN, "--account-sid", ACCOUNT, "--digits-at", "1s:1"]
    assert run(["replay", *arguments]) == r.USAGE
    assert "give --api-token" in capsys.readouterr().err


def test_a_taken_rest_port_gives_4(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert run(["replay", *ACCESS, "--rest-port", port]) == r.USAGE
    assert "can't be used" in capsys.readouterr().err


def test_the_rest_port_follows_the_servers() -> None:
    assert client.read(options("--server", "http://127.0.0.1:8000/")).rest_port == 8001
    assert client.read(options("--server", "https://calls.example.com")).rest_port == 0


@pytest.mark.asyncio
async def test_a_call_that_nobody_answers_ends_in_a_message_and_well(
    talker: Talker, capsys: pytest.CaptureFixture[str]
) -> None:
    talker.closes_on_key = True
    talker.documents["/twiml/resume"] = '<Response><Dial action="/other">+1555</Dial></Response>'
    talker.documents["/other"] = '<Response><Record action="/thanks"/></Response>'
    talker.documents["/thanks"] = "<Response><Hangup/></Response>"
    code = await replayed(
        talker, "--press-at", "600ms:0", "--dial-outcome", "no-answer:10ms", "--message", "20ms",
        "--expect", "dials=1", "--expect", "messages=1",
    )  # fmt: skip
    shown = capsys.readouterr().out
    assert code == r.OK, shown
    assert "the dialling ends: no-answer" in shown
    assert "the caller leaves a message of 20 ms" in shown


def test_the_words_become_a_plan() -> None:
    plan = client.read(options("--no-clear-echoes", "--parameters", "From=+1", "--action-on-cut"))
    assert plan.terms.parameters == (("From", "+1"),)
    assert not plan.terms.clear_echoes
    assert plan.terms.action_on_cut
    assert (plan.terms.party, plan.terms.message_ms) == (Party(), 3_000)
    assert plan.found == Credentials(ACCOUNT, TOKEN, API_TOKEN)
