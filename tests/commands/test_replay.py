import pytest

from service.commands.line import run
from service.simulator.replay import report
from tests.conftest import free_port


@pytest.mark.usefixtures("alone")
def test_a_server_that_is_not_there_has_the_simulators_own_exit_code() -> None:
    server, rest = (str(free_port()) for _ in range(2))
    words = ["replay", "--server", f"http://127.0.0.1:{server}", "--rest-port", rest]
    access = ["--account-sid", "AC1", "--auth-token", "t", "--max-duration", "5s"]
    assert run([*words, *access]) == report.NO_CONNECTION


def test_wrong_words_have_the_simulators_own_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["replay", "--nope"]) == report.USAGE
    assert capsys.readouterr().err.startswith("stayline replay: --nope is not known here.")
