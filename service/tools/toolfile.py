"""The file that the TOOLS setting names: a JSON list of tools.

    [{"name": "ticket_note", "description": "Adds a note to a ticket.",
      "method": "POST", "url": "${CRM_URL}/tickets/{ticket_id}/notes",
      "headers": {"Authorization": "Bearer ${CRM_TOKEN}"},
      "parameters": {"type": "object", "required": ["ticket_id", "text"],
                     "properties": {"ticket_id": {"type": "string"}, "text": {"type": "string"}}},
      "idempotent": false, "timeout_ms": 4000, "attempts": 1, "approval_s": 0}]

`${NAME}` in a URL or a header is read from the environment; `{argument}` in a URL is an argument, which
`parameters` must require. Instead of `url` a tool may name a `function`, `module:name`. The tool of the
role `summary` is told what a call was about, with the arguments ticket_id, text and caller.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx2
import msgspec
from dotenv import dotenv_values

from service.errors import ConfigError
from service.tools.address import Address
from service.tools.function_tool import function
from service.tools.http_tool import CALL_HEADER, KEY_HEADER, Method
from service.tools.schema import Schema

FILE_BYTES_MAX = 1_048_576  # a description of 64 tools is a tenth of it
TOOLS_MAX = 64  # a model that has to choose among more chooses badly
TIMEOUT_MS = 5_000  # what a caller bears in silence after "one moment"
SUMMARY_ARGUMENTS = frozenset({"ticket_id", "text", "caller"})

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
_FIELD = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")  # RFC 9110, 5.5; ASCII only
_OURS = ("host", "content-length", "transfer-encoding", "connection", "accept-encoding",
         KEY_HEADER.lower(), CALL_HEADER.lower())  # fmt: skip


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tool as it stands in the file. `timeout_ms` is for one attempt; `approval_s` 0 asks nobody."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,62}\Z")]
    description: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
    parameters: dict[str, Any]
    method: Method = "POST"
    url: str = ""
    function: str = ""
    headers: dict[str, str] = {}
    idempotent: bool = False
    timeout_ms: Annotated[int, msgspec.Meta(ge=100, le=120_000)] = TIMEOUT_MS
    attempts: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    approval_s: Annotated[int, msgspec.Meta(ge=0, le=3_600)] = 0
    role: Literal["", "summary"] = ""


def environment() -> dict[str, str]:
    """Return the variables of the environment and, below them, of the file `.env`, as settings have it."""
    try:
        kept = dotenv_values(".env")
    except (OSError, ValueError) as trouble:
        raise ConfigError(f".env: it can't be read: {trouble}") from None
    return {name: text for name, text in kept.items() if text is not None} | dict(os.environ)


def read(path: Path, variables: Mapping[str, str]) -> tuple[Entry, ...]:
    """Return the tools of the file, variables filled in. Raises ConfigError with one line."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
        if len(content) > FILE_BYTES_MAX:
            raise ConfigError(f"TOOLS: {path}: the file is longer than {FILE_BYTES_MAX} bytes")
        entries = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"), type=tuple[Entry, ...])
    except (OSError, ValueError, RecursionError) as trouble:
        raise ConfigError(f"TOOLS: {path}: {trouble}") from None
    found = []
    for entry in entries:
        try:
            found.append(_sound(_filled_in(entry, variables)))
        except ValueError as trouble:
            raise ConfigError(f"TOOLS: {path}: {entry.name}: {trouble}") from None
    _check_together(found, path)
    return tuple(found)


def _check_together(entries: list[Entry], path: Path) -> None:
    names = [entry.name for entry in entries]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise ConfigError(f"TOOLS: {path}: {twice}: there are two tools of this name")
    if len(entries) > TOOLS_MAX:
        raise ConfigError(f"TOOLS: {path}: more than {TOOLS_MAX} tools")
    if sum(entry.role == "summary" for entry in entries) > 1:
        raise ConfigError(f"TOOLS: {path}: only one tool can have the role summary")


def _filled_in(entry: Entry, variables: Mapping[str, str]) -> Entry:
    def value(found: re.Match[str]) -> str:
        if not variables.get(found[1]):
            raise ValueError(f"the environment variable {found[1]} is not set")
        return variables[found[1]]

    headers = {name: _VARIABLE.sub(value, text) for name, text in entry.headers.items()}
    url = _VARIABLE.sub(value, entry.url)
    return msgspec.structs.replace(entry, headers=headers, url=url)


def _sound(entry: Entry) -> Entry:
    if entry.attempts > 1 and not entry.idempotent:
        raise ValueError("attempts above 1 need a tool that is idempotent")
    if bool(entry.url) == bool(entry.function):
        raise ValueError("expected either url or function")
    if entry.function and entry.headers:
        raise ValueError("a function has no headers")
    schema = Schema(entry.parameters)
    if entry.role == "summary" and not schema.required <= SUMMARY_ARGUMENTS <= schema.properties:
        raise ValueError("the summary tool takes the arguments ticket_id, text and caller")
    if entry.url:
        _check_request(entry, schema)
    else:
        function(entry.function)
    return entry


def _check_request(entry: Entry, schema: Schema) -> None:
    address = Address(entry.url)
    try:
        httpx2.URL(entry.url)
    except httpx2.InvalidURL as wrong:
        raise ValueError(f"the url can't be used: {wrong}") from None
    loose = sorted(address.places - (schema.required & schema.properties))
    if loose:
        raise ValueError(f"the url holds {{{loose[0]}}}, which parameters must have and require")
    for name, text in entry.headers.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _OURS:
            raise ValueError(f"the header {name!r} can't be set")
        if not _FIELD.fullmatch(text):
            raise ValueError(f"the value of the header {name} must be printable ASCII")
