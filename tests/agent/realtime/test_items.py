import pytest

from service.agent.duplex import Entry, ToolUse
from service.agent.realtime.items import item


@pytest.mark.parametrize(
    ("who", "role", "kind"),
    [
        ("caller", "user", "input_text"),
        ("agent", "assistant", "output_text"),
        ("note", "system", "input_text"),
    ],
)
def test_whoever_spoke_has_a_role_and_only_what_was_heard_is_told(
    who: str, role: str, kind: str
) -> None:
    (made,) = item(Entry(who, "One two three", "One two"))  # type: ignore[arg-type] # a word of a table
    content = [{"type": kind, "text": "One two"}]
    assert made == {"type": "message", "role": role, "content": content}


def test_nothing_heard_is_no_item() -> None:
    assert item(Entry("agent", "One two three", " ")) == ()


def test_a_tool_is_its_call_and_its_answer_once_there_is_one() -> None:
    called = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"id":"TK1"}'}
    assert item(ToolUse("c1", "look", {"id": "TK1"})) == (called,)
    output = {"type": "function_call_output", "call_id": "c1", "output": "{}"}
    assert item(ToolUse("c1", "look", {"id": "TK1"}, "{}")) == (called, output)
