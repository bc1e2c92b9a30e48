"""The store that a command opens: what can't be is one line."""

import socket

import pytest

from service.commands.journal import store
from service.commands.line import run
from tests.conftest import free_port

pytestmark = pytest.mark.usefixtures("alone")


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("ftp://x", "stayline: STORE_URL must begin with sqlite:///"),
        ("sqlite:///no.db", "stayline: STORE_URL: there is no such file"),
        ("sqlite://:memory:", "stayline: the store has no such call\n"),
        ("redis://127.0.0.1:{port}", "stayline: "),
    ],
)
@pytest.mark.parametrize("command", ["export", "show"])
def test_what_cannot_be_opened_is_one_line(
    command: str, url: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["journal", command, "CA1", "--store", url.format(port=free_port())]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(line)
    assert said.err.count("\n") == 1
    assert not said.out


def test_a_store_that_never_answers_is_given_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It takes the connection and says nothing."""
    monkeypatch.setattr(store, "STORE_WAIT_S", 1)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"redis://127.0.0.1:{deaf.getsockname()[1]}"
        assert run(["journal", "export", "CA1", "--store", url]) == 2
    assert capsys.readouterr().err.count("\n") == 1
