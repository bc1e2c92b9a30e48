import socket

import pytest

from service.commands.line import run
from tests.conftest import free_port

pytestmark = pytest.mark.usefixtures("alone")


def test_a_wrong_key_is_one_line_that_does_not_repeat_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEAL_KEYS", "k1:c2VjcmV0")
    assert run(["serve"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("stayline: SEAL_KEYS: key 1 is not 32 bytes")
    assert "c2VjcmV0" not in told


def test_a_store_that_is_no_file_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    monkeypatch.setenv("STORE_URL", "sqlite:////proc/nothing/here.db")
    monkeypatch.setenv("PORT", str(port))
    assert run(["serve", "--json"]) == 2
    assert capsys.readouterr().err.startswith("stayline: STORE_URL: ")
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass
