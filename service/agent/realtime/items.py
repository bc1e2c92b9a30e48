"""The past as items of OpenAI Realtime: what a new session is told, one item after the other.

Assistant audio can't be re-created (their words: the event "cannot populate assistant audio messages"),
so our own past words are text; only what was heard of them.
"""

import msgspec
from openai.types.realtime import ConversationItemParam

from service.agent.duplex import Entry, Past


def item(entry: Past) -> tuple[ConversationItemParam, ...]:
    """Return the items that stand for an entry: one, or two for a tool that has answered."""
    if isinstance(entry, Entry):
        return (_message(entry),) if entry.heard.strip() else ()
    called: ConversationItemParam = {
        "type": "function_call",
        "call_id": entry.call_id,
        "name": entry.name,
        "arguments": msgspec.json.encode(entry.arguments).decode(),
    }
    if not entry.result:
        return (called,)
    return (
        called,
        {"type": "function_call_output", "call_id": entry.call_id, "output": entry.result},
    )


def _message(entry: Entry) -> ConversationItemParam:
    match entry.who:
        case "caller":
            return {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": entry.heard}],
            }
        case "agent":
            return {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": entry.heard}],
            }
        case _:
            return {
                "type": "message",
                "role": "system",
                "content": [{"type": "input_text", "text": entry.heard}],
            }
