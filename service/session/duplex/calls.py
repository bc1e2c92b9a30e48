"""The functions that a model calls: tools become operations, all else becomes acts at once."""

from collections.abc import Callable

import msgspec

from service.agent.duplex import ToolCalled
from service.agent.functions import Functions, is_last
from service.call import inputs as i
from service.call.acts import UseTool
from service.call.decisions.operation import OPERATIONS_MAX
from service.call.state import Call
from service.session.duplex.briefing import Briefing
from service.session.duplex.link import Link
from service.tools.terms import ToolArguments

DONE = '{"status": "done"}'
WRONG_MAX = 3  # calls that make no sense, one after the other; then the caller has to speak


class ModelCalls:
    """Takes the calls of one call's model, and answers those that need no tool."""

    def __init__(
        self,
        functions: Functions,
        link: Link,
        briefing: Briefing,
        post: Callable[[i.Input], None],
        call: Callable[[], Call],
    ) -> None:
        self._functions = functions
        self._link = link
        self._briefing = briefing
        self._post = post
        self._call = call
        self._wrong = 0

    def take(self, called: ToolCalled) -> None:
        """Do what the model calls for. What it can't have it is told, so that it can do better."""
        call = self._call()
        try:
            acts = self._functions.acts(called.name, called.arguments, call, is_keyed=False)
            self._check(call, called.call_id)
        except ToolArguments as wrong:
            self._answer(called.call_id, msgspec.json.encode({"error": str(wrong)}).decode())
            self._wrong += 1
            if self._wrong <= WRONG_MAX:
                self._briefing.ask("")
            return
        self._wrong = 0
        if isinstance(acts[0], UseTool):
            self._post(i.ModelCalled(called.call_id, acts[0].tool, acts[0].arguments))
            return
        ends = any(is_last(act) for act in acts)
        self._post(i.ModelActed(acts, is_answer=ends))
        self._answer(called.call_id, DONE)
        if not ends:
            self._briefing.ask("")

    def _check(self, call: Call, call_id: str) -> None:
        if len(call.operations) >= OPERATIONS_MAX:
            raise ToolArguments("Too many tools were used in this call.")
        if not call_id or any(one.operation == call_id for one in call.operations):
            raise ToolArguments("Each call needs an ID of its own.")

    def _answer(self, call_id: str, result: str) -> None:
        self._link.order(lambda session: session.tool_result(call_id, result))
