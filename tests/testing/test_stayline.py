from pathlib import Path

import pytest
from pydantic import ValidationError

from service.errors import ConfigError
from service.simulator.account import Terms
from service.testing.stayline import Stayline
from service.testing.story import Unmet
from tests.testing.agents import Echo, Forgetful, TicketDesk


class Wordless:
    pass


class Closing(Forgetful):
    is_closed = False

    async def close(self) -> None:
        self.is_closed = True


def test_an_agent_may_be_named_as_the_setting_names_it(stayline: Stayline) -> None:
    stayline.call("tests.testing.agents:Echo", client_name="Maria").hears("Hello Maria")


def test_the_built_in_agent_is_the_default(stayline: Stayline) -> None:
    stayline.call(client_name="Maria").hears("Maria")


@pytest.mark.parametrize("agent", [Wordless, Wordless()])
def test_what_is_no_agent_is_refused_in_one_sentence(stayline: Stayline, agent: object) -> None:
    with pytest.raises(TypeError, match="no method `reply"):
        stayline.call(agent)  # type: ignore[arg-type] # that is the point


def test_an_agent_that_is_not_there_is_refused_in_one_sentence(stayline: Stayline) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        stayline.call("nowhere:Agent")


def test_a_class_is_made_anew_by_the_next_server_and_an_object_is_kept(stayline: Stayline) -> None:
    anew, kept = stayline.call(Forgetful), stayline.call(Forgetful())
    for call, turn in ((anew, 1), (kept, 2)):
        call.hears("This is turn 1")
        call.kill_server()
        call.comes_back()
        call.says("where are we")
        call.hears(f"This is turn {turn}")


def test_an_object_is_closed_by_whoever_made_it(stayline: Stayline) -> None:
    agent = Closing()
    call = stayline.call(agent)
    call.restart_server()
    call.comes_back()
    call.says("are you there")
    call.hears("turn 2")
    assert not agent.is_closed


def test_one_agent_has_one_server_for_all_its_calls(stayline: Stayline) -> None:
    agent = Forgetful()
    stayline.call(agent).hears("turn 1")
    stayline.call(agent).hears("turn 2")
    assert len(stayline.calls) == 2
    assert stayline.story().count("rang") == 2


def test_a_function_is_made_a_tool_by_one_word(stayline: Stayline) -> None:
    @stayline.tool
    def find_ticket(ticket_id: str) -> str:
        return f"number {ticket_id[-1]}, open"

    call = stayline.call(TicketDesk, ticket_id="TKT-7").hears("Ticket desk, hello")
    call.says("how is my ticket").hears("Your ticket is number 7, open")
    assert find_ticket("TKT-8") == "number 8, open"


def test_the_environment_has_no_say(
    stayline: Stayline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AGENT", "nowhere:Agent")
    monkeypatch.setenv("STORE_URL", "redis://nowhere")
    monkeypatch.setenv("DIRECTORY", str(tmp_path / "nowhere.json"))
    stayline.call(Echo, client_name="Maria").hears("Hello Maria")


def test_settings_are_checked_as_the_service_checks_them(tmp_path: Path) -> None:
    made = Stayline(tmp_path, {"call_ttl_s": 1})
    with pytest.raises(ValidationError, match="call_ttl_s"):
        made.call(Echo)
    made.close()


def test_a_directory_of_the_settings_is_asked_instead(tmp_path: Path) -> None:
    (tmp_path / "people.json").write_text('{"+15559": {"client_name": "Zoe"}}')
    made = Stayline(tmp_path, {"directory": str(tmp_path / "people.json")})
    try:
        made.call(Echo, from_="+15559", client_name="Maria").hears("Hello Zoe")
    finally:
        made.close()


def test_the_carrier_may_behave_otherwise(stayline: Stayline) -> None:
    call = stayline.call(Echo, client_name="Maria", terms=Terms(echoes=False))
    call.hears("what can I do for you")
    assert not call.phone.card.terms.echoes


def test_a_test_has_a_bounded_number_of_calls(
    stayline: Stayline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.testing.stayline.CALLS_MAX", 0)
    with pytest.raises(RuntimeError, match="at most 0"):
        stayline.call(Echo)


def test_memory_serves_as_a_store_when_no_server_is_restarted(tmp_path: Path) -> None:
    made = Stayline(tmp_path, {"store_url": "sqlite://:memory:"})
    try:
        call = made.call(Echo, client_name="Maria")
        call.hears("Hello Maria")
        call.drop_stream()
        call.comes_back()
        assert call.greetings == 1
    finally:
        made.close()


def test_a_caller_whom_the_service_rings_is_a_call_of_the_test(stayline: Stayline) -> None:
    stayline.answers("+15550001234", "answered:10ms")
    call = stayline.call("intake", from_="+15550001234").hears("May I have your name")
    with pytest.raises(Unmet, match="is rung back: not within 50 ms"):
        stayline.rung(call, within_ms=50)
    call.says("My name is Maria.").hears("Which company").hangs_up()
    call.person("callback")
    assert stayline.rung(call).hears("calling you back").call_sid != call.call_sid
