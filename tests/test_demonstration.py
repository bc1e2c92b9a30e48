import asyncio
import os
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest

from service import demonstration
from service.config import Config
from service.simulator.replay.options import add_arguments
from service.tools.toolbox import Toolbox
from tests.conftest import free_port, wait_until


def test_every_recording_that_is_played_is_there() -> None:
    for name in demonstration.UTTERANCES:
        assert (demonstration.AUDIO / name).stat().st_size > 8_000


def test_the_command_is_one_that_the_program_knows() -> None:
    python, dash_m, program, name, *arguments = demonstration.command(8123)
    assert (python, dash_m, program, name) == (sys.executable, "-m", "service", "replay")
    parser = ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args(arguments)
    assert vars(options)["server"] == "http://127.0.0.1:8123"


@pytest.mark.asyncio
async def test_the_call_is_played_once_the_server_serves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trace = tmp_path / "played"
    script = f"import pathlib; pathlib.Path({str(trace)!r}).touch(); raise SystemExit(7)"
    monkeypatch.setattr(demonstration, "command", lambda _port: [sys.executable, "-c", script])
    serving = asyncio.Event()
    playing = asyncio.create_task(demonstration.demonstrate(8123, serving))
    assert not trace.exists()
    serving.set()
    assert await playing == 7
    assert trace.exists()


@pytest.mark.asyncio
async def test_a_server_that_never_serves_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(demonstration, "STARTING_S_MAX", 0.01)
    with pytest.raises(TimeoutError):
        await demonstration.demonstrate(8123, asyncio.Event())


@pytest.mark.asyncio
async def test_a_call_that_is_given_up_leaves_no_process_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trace = tmp_path / "number"
    script = (
        "import os, pathlib, threading;"
        f"pathlib.Path({str(trace)!r}).write_text(str(os.getpid())); threading.Event().wait()"
    )
    monkeypatch.setattr(demonstration, "command", lambda _port: [sys.executable, "-c", script])
    serving = asyncio.Event()
    serving.set()
    playing = asyncio.create_task(demonstration.demonstrate(8123, serving))
    await wait_until(
        lambda: trace.exists() and trace.read_text() != "", description="the call runs"
    )
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
    with pytest.raises(ProcessLookupError):
        os.kill(int(trace.read_text()), 0)


@pytest.mark.asyncio
async def test_the_demonstrations_tools_are_those_of_a_desk_that_is_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DESK_URL", "")
    port = free_port()
    config = demonstration.with_desk(Config.model_construct(port=port - 2, tools=""))
    toolbox = Toolbox.load(config.tools)
    async with demonstration.ticket_desk(port):
        await wait_until(lambda: _answers(port), description="the desk is open")
        found = await toolbox.call(
            "ticket_lookup", {"ticket_id": "TKT-1234"}, key="k", within_ms=4_000, call_sid="CA1"
        )
    await toolbox.close()
    assert found.status == "succeeded"
    assert "error code 17" in found.result


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
