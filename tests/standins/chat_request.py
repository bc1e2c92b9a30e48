"""What a request for chat completions must look like: the API's own rules, and those of strict servers.

Beyond the API's: a system message only in front, roles that alternate, no message without words, tool
call ids of nine letters and digits (Mistral's), arguments that are a JSON object (Qwen's templates read
them), and a last message that asks for an answer.
"""

import json
import re
from typing import Any, NoReturn

KNOWN = {
    "model", "messages", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls",
    "temperature", "top_p", "max_tokens", "max_completion_tokens", "reasoning_effort", "stop", "user",
    "n", "seed", "response_format", "frequency_penalty", "presence_penalty", "store", "metadata",
}  # fmt: skip
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CALL_ID = re.compile(r"[a-zA-Z0-9]{9}")
KEYS_OF = {
    "system": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "refusal", "tool_calls"},
    "tool": {"role", "content", "tool_call_id"},
}


class Wrong(Exception):
    """The request is answered with 400."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def check(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the request. Raises Wrong."""
    if content_type.split(";", maxsplit=1)[0] != "application/json":
        _wrong(f"Invalid content type {content_type!r}")
    try:
        asked = json.loads(body.decode())
    except ValueError:
        _wrong("We could not parse the JSON body of your request.")
    _check_settings(asked)
    _check_tools(asked.get("tools"))
    messages = asked.get("messages")
    if not isinstance(messages, list) or not messages:
        _wrong("Invalid 'messages': empty array.", "empty_array")
    for index, message in enumerate(messages):
        _check_message(index, message)
    _check_calls_answered(messages)
    _check_order([message["role"] for message in messages])
    return dict(asked)


def _wrong(message: str, code: str = "invalid_request") -> NoReturn:
    raise Wrong(message, code)


def _check_settings(asked: dict[str, Any]) -> None:
    if unknown := asked.keys() - KNOWN:
        _wrong(f"Unrecognized request arguments supplied: {sorted(unknown)}", "unknown_parameter")
    if not isinstance(asked.get("model"), str) or not asked["model"]:
        _wrong("you must provide a model parameter", "missing_required_parameter")
    if asked.get("stream") is not True:
        _wrong("this stand-in only streams")
    if asked.get("reasoning_effort", "none") not in EFFORTS:
        _wrong("Invalid value: reasoning_effort", "invalid_value")


def _check_tools(tools: object) -> None:
    if tools is None:
        return
    if not isinstance(tools, list) or not tools:
        _wrong("Invalid 'tools': empty array.", "empty_array")
    names = [_name(tool) for tool in tools]
    if len(set(names)) != len(names):
        _wrong("Tool names must be unique.")


def _name(tool: dict[str, Any]) -> str:
    if tool.keys() != {"type", "function"} or tool["type"] != "function":
        _wrong("Invalid value: tools[].type")
    function = tool["function"]
    if function.keys() - {"name", "description", "parameters", "strict"}:
        _wrong("Unknown parameter: tools[].function", "unknown_parameter")
    if not NAME.fullmatch(function["name"]):
        _wrong("Invalid 'tools[].function.name': string does not match pattern.")
    if function.get("parameters", {"type": "object"}).get("type") != "object":
        _wrong("Invalid schema for function", "invalid_function_parameters")
    return str(function["name"])


def _check_message(index: int, message: dict[str, Any]) -> None:
    place = f"messages[{index}]"
    role = message.get("role")
    if role not in KEYS_OF:
        _wrong(f"Invalid value: {role!r}: {place}.role", "invalid_value")
    if unknown := message.keys() - KEYS_OF[role]:
        _wrong(f"Unknown parameter: {place}: {sorted(unknown)}", "unknown_parameter")
    content = message.get("content")
    if role == "assistant" and "tool_calls" in message:
        _check_calls(place, message["tool_calls"])
        if content is None:
            return
    if not isinstance(content, str) or not content.strip():
        _wrong(f"Invalid value for 'content': expected a string with words: {place}.content")
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        _wrong(f"Missing parameter 'tool_call_id': {place}", "missing_required_parameter")


def _check_calls(place: str, calls: object) -> None:
    if not isinstance(calls, list) or not calls:
        _wrong(f"Invalid '{place}.tool_calls': empty array.", "empty_array")
    for call in calls:
        if call.keys() != {"id", "type", "function"} or call["type"] != "function":
            _wrong(f"Invalid '{place}.tool_calls'")
        if not CALL_ID.fullmatch(call["id"]):
            _wrong(f"Tool call id was {call['id']} but must be nine letters and digits")
        function = call["function"]
        if function.keys() != {"name", "arguments"} or not NAME.fullmatch(function["name"]):
            _wrong(f"Invalid '{place}.tool_calls[].function'")
        try:
            arguments = json.loads(function["arguments"])
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict):
            _wrong(f"Invalid '{place}.tool_calls[].function.arguments': no JSON object")


def _check_calls_answered(messages: list[dict[str, Any]]) -> None:
    open_ids: list[str] = []
    used: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_ids:
                _wrong("messages with role 'tool' must be a response to a preceding 'tool_calls'.")
            open_ids.remove(message["tool_call_id"])
            continue
        _check_none_open(open_ids)
        open_ids = [call["id"] for call in message.get("tool_calls", ())]
        if used.intersection(open_ids) or len(set(open_ids)) != len(open_ids):
            _wrong("Duplicate tool call ids.")
        used.update(open_ids)
    _check_none_open(open_ids)


def _check_none_open(open_ids: list[str]) -> None:
    if open_ids:
        _wrong(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to "
            f"each 'tool_call_id'. These did not have response messages: {open_ids}"
        )


def _check_order(roles: list[str]) -> None:
    if "system" in roles[1:]:
        _wrong("System message must be at the beginning.")
    spoken = roles[1:] if roles[0] == "system" else roles
    if not spoken or spoken[0] != "user":
        _wrong("The conversation must begin with a user's message.")
    if any(role == before != "tool" for role, before in zip(spoken[1:], spoken, strict=False)):
        _wrong("Conversation roles must alternate user/assistant/user/assistant/...")
    if spoken[-1] == "assistant":
        _wrong("The last message must not be the assistant's.")
