"""The tools of one installation: what there are, on what terms, and one attempt at one of them.

Whether there is another attempt, and when, is decided by the rules of the conversation, which also keep
the record; here the same key is sent however often it is asked.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from service.outbound.rules import ANYWHERE, Rules
from service.tools.address import Address
from service.tools.function_tool import FunctionTool, function
from service.tools.http_tool import HttpTool, open_client
from service.tools.schema import Schema
from service.tools.terms import Description, Outcome, Terms, ToolArguments, refused, unsent
from service.tools.toolfile import Entry, environment, read

AT_ONCE_MAX = 100  # attempts of this process at a time: its sockets, and the patience of others
DESK_FILE = Path(__file__).with_name("desk.json")  # the tools of service/desk.py, at ${DESK_URL}
SUMMARY = "summary"


class Tool(Protocol):
    """What carries out one attempt."""

    def check(self, arguments: dict[str, Any]) -> None:
        """Raise ToolArguments when these can't be used, though they fit the schema."""
        ...

    async def call(
        self, arguments: dict[str, Any], *, key: str, call_sid: str, until: float
    ) -> Outcome:
        """Make one attempt, over at the loop's time `until`. Raises nothing but a cancellation."""
        ...


class _Kept(msgspec.Struct, frozen=True):
    """A tool as the file has it, and what does its work."""

    entry: Entry
    schema: Schema
    tool: Tool


class Toolbox:
    """All tools of this process. `close` ends its connections."""

    def __init__(self, entries: tuple[Entry, ...], rules: Rules = ANYWHERE) -> None:
        """Take entries that `toolfile.read` found sound, and where their requests may go."""
        urls = [entry.url for entry in entries if entry.url]
        self._http = open_client(rules.naming(*urls)) if urls else None
        self._kept = {entry.name: self._made(entry) for entry in entries}
        self._at_once = asyncio.Semaphore(AT_ONCE_MAX)
        self._is_closed = False

    @classmethod
    def none(cls) -> "Toolbox":
        """Return a toolbox without tools."""
        return cls(())

    @classmethod
    def load(
        cls,
        setting: str | Path,
        variables: Mapping[str, str] | None = None,
        *,
        rules: Rules = ANYWHERE,
    ) -> "Toolbox":
        """Return the tools of the file that TOOLS names; none when it names none.

        `variables` fill `${NAME}`; by default those of the environment and of `.env`. Raises
        ConfigError with one line when the file can't be used.
        """
        if not str(setting):
            return cls.none()
        return cls(read(Path(setting), environment() if variables is None else variables), rules)

    @property
    def summary_tool(self) -> str:
        """The tool that is told what a call was about; empty when there is none."""
        entries = (kept.entry for kept in self._kept.values())
        return next((entry.name for entry in entries if entry.role == SUMMARY), "")

    def names(self) -> tuple[str, ...]:
        """Return the names of all tools, in the order of the file."""
        return tuple(self._kept)

    def terms(self, name: str) -> Terms:
        """Return on what terms a tool may be used. Raises KeyError when there is none of this name."""
        entry = self._kept[name].entry
        return Terms(entry.idempotent, entry.attempts, entry.timeout_ms, 1000 * entry.approval_s)

    def described(self) -> tuple[Description, ...]:
        """Return what a model may choose from: every tool but the summary's, which is the service's own."""
        entries = (kept.entry for kept in self._kept.values())
        return tuple(
            Description(entry.name, entry.description, entry.parameters)
            for entry in entries
            if entry.role != SUMMARY
        )

    def check(self, name: str, arguments: dict[str, Any]) -> None:
        """Raise ToolArguments with one sentence when there is no such tool or these don't fit it."""
        if name not in self._kept:
            raise ToolArguments("There is no tool of this name.")
        kept = self._kept[name]
        kept.schema.check(arguments)
        kept.tool.check(arguments)

    async def call(
        self, name: str, arguments: dict[str, Any], *, key: str, within_ms: int, call_sid: str
    ) -> Outcome:
        """Make one attempt and return its outcome, after the tool's timeout or `within_ms` at the latest.

        Raises nothing: whatever goes wrong is an outcome. Cancelled, it lets go of everything; whether
        the tool acted is then as unknown as when it is unanswered.
        """
        try:
            self.check(name, arguments)
        except ToolArguments as wrong:
            return refused(str(wrong))
        kept = self._kept[name]
        allowed_ms = min(within_ms, kept.entry.timeout_ms)
        until = asyncio.get_running_loop().time() + allowed_ms / 1000
        try:
            async with asyncio.timeout_at(until):
                await self._at_once.acquire()
        except TimeoutError:
            return unsent(f"All {AT_ONCE_MAX} attempts at a time were taken.")
        try:
            if self._is_closed or within_ms <= 0:
                return unsent("There was no time left to begin.")
            return await kept.tool.call(arguments, key=key, call_sid=call_sid, until=until)
        finally:
            self._at_once.release()

    async def close(self) -> None:
        """End every connection; what is asked from now on is not sent."""
        self._is_closed = True
        if self._http is not None:
            await self._http.aclose()

    def _made(self, entry: Entry) -> _Kept:
        schema = Schema(entry.parameters)
        if self._http is None or not entry.url:
            run = FunctionTool(function(entry.function), is_idempotent=entry.idempotent)
            return _Kept(entry, schema, run)
        tool = HttpTool(
            self._http,
            entry.method,
            Address(entry.url),
            entry.headers,
            is_idempotent=entry.idempotent,
        )
        return _Kept(entry, schema, tool)
