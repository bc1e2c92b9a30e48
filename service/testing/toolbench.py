"""Tools for tests: the functions of a test in the place of what a desk does, each use noted.

@stayline.tool
def find_ticket(ticket_id: str) -> dict:
    return {"status": "open"}

stayline.tools.add(book_visit, is_idempotent=False, timeout_ms=500)
with stayline.tools.held("find_ticket"):      # whoever uses it waits until the block is left
    …
assert len(stayline.tools.uses("find_ticket")) == 1
"""

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import msgspec
from typing_extensions import override

from service.tools.function_tool import Function, FunctionTool
from service.tools.schema import Schema
from service.tools.terms import Description, Outcome, Terms, ToolArguments, refused
from service.tools.toolbox import Toolbox

TIMEOUT_MS = 5_000  # as in the file of tools
APPROVAL_MS = 0  # nobody is asked
USES_MAX = 10_000  # a tool that is used more often in one test is in a loop


class Use(msgspec.Struct, frozen=True):
    """One attempt: the tool, its arguments, the key it was given, and whose call it was."""

    name: str
    arguments: dict[str, Any]
    key: str
    call_sid: str


class _Kept(msgspec.Struct, frozen=True):
    """A function, made a tool."""

    description: Description
    schema: Schema
    terms: Terms
    run: Callable[..., Any]


class ToolBench(Toolbox):
    """The toolbox of one test. Safe to look at from the test while servers use it."""

    def __init__(self) -> None:
        super().__init__(())
        self._tools: dict[str, _Kept] = {}
        self._uses: list[Use] = []
        self._gates: dict[str, Future[None]] = {}
        self._summary = ""

    def add(
        self,
        function: Callable[..., Any],
        *,
        name: str = "",
        is_idempotent: bool = False,
        attempts_max: int = 1,
        timeout_ms: int = TIMEOUT_MS,
        approval_ms: int = APPROVAL_MS,
        is_summary: bool = False,
    ) -> None:
        """Offer a function, plain or async, to the agents. Its annotations are the tool's parameters.

        It may raise ToolFailed to say that it did not act; any other exception leaves open whether it
        did. A parameter named `key` is given the operation's key. Raises ValueError for terms that no
        tool may have.
        """
        if attempts_max > 1 and not is_idempotent:
            raise ValueError("attempts above 1 need a tool that is idempotent")
        tool = name or function.__name__
        parameters = _parameters(function)
        described = Description(tool, inspect.getdoc(function) or tool, parameters)
        terms = Terms(is_idempotent, attempts_max, timeout_ms, approval_ms)
        self._tools[tool] = _Kept(described, Schema(parameters), terms, function)
        if is_summary:
            self._summary = tool

    def uses(self, name: str = "") -> list[Use]:
        """Return the attempts that were begun, oldest first: of one tool, or all."""
        return [use for use in self._uses if name in ("", use.name)]

    @contextlib.contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Let whoever uses the tool wait until the block is left: the time for a drop in between."""
        gate = self._gates[name] = Future()
        try:
            yield
        finally:
            del self._gates[name]
            gate.set_result(None)

    @property
    @override
    def summary_tool(self) -> str:
        return self._summary

    @override
    def names(self) -> tuple[str, ...]:
        return tuple(self._tools)

    @override
    def terms(self, name: str) -> Terms:
        return self._tools[name].terms

    @override
    def described(self) -> tuple[Description, ...]:
        return tuple(
            tool.description for name, tool in self._tools.items() if name != self._summary
        )

    @override
    def check(self, name: str, arguments: dict[str, Any]) -> None:
        if name not in self._tools:
            raise ToolArguments("There is no tool of this name.")
        self._tools[name].schema.check(arguments)

    @override
    async def call(
        self, name: str, arguments: dict[str, Any], *, key: str, within_ms: int, call_sid: str
    ) -> Outcome:
        try:
            self.check(name, arguments)
        except ToolArguments as wrong:
            return refused(str(wrong))
        kept = self._tools[name]
        if len(self._uses) < USES_MAX:
            self._uses.append(Use(name, arguments, key, call_sid))
        allowed_ms = min(within_ms, kept.terms.timeout_ms)
        tool = FunctionTool(self._run(name, kept), is_idempotent=kept.terms.is_idempotent)
        until = asyncio.get_running_loop().time() + allowed_ms / 1_000
        return await tool.call(arguments, key=key, call_sid=call_sid, until=until)

    @override
    async def close(self) -> None:
        """Stay open: the next server of the test uses the same functions."""

    def _run(self, name: str, kept: _Kept) -> Function:
        async def run(arguments: dict[str, Any], key: str) -> object:
            gate = self._gates.get(name)
            if gate is not None:
                await asyncio.shield(asyncio.wrap_future(gate))
            named = arguments | ({"key": key} if _takes_key(kept.run) else {})
            if inspect.iscoroutinefunction(kept.run):
                return await kept.run(**named)
            return await asyncio.to_thread(kept.run, **named)

        return run


def _takes_key(function: Callable[..., Any]) -> bool:
    return "key" in inspect.signature(function).parameters


def _parameters(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the JSON Schema of a function's parameters. Raises ValueError for one that takes *any*."""
    properties: dict[str, Any] = {}
    required = []
    for name, one in inspect.signature(function, eval_str=True).parameters.items():
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD, one.POSITIONAL_ONLY):
            raise ValueError(f"the tool {function.__name__} must name its parameters")
        if name == "key":
            continue
        kind = Any if one.annotation is one.empty else one.annotation
        properties[name] = msgspec.json.schema(kind)
        if one.default is one.empty:
            required.append(name)
    return {"type": "object", "properties": properties, "required": required}
