"""A tool that is a function of the user's own: `async def name(arguments: dict, key: str)` -> JSON-able.

The key names the operation: the same key is the same wish, so a function that keeps the keys it has seen
may be declared idempotent. `ToolFailed` says that it did not act. Any other exception, and a deadline
that cuts it off, may come after it acted, so they say only that nobody knows.
"""

import asyncio
import inspect
import logging
import traceback
from collections.abc import Awaitable, Callable
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import Any

from service.redaction import own_words
from service.tools.answer import CUT, result_text
from service.tools.terms import (
    DETAIL_LETTERS_MAX,
    Outcome,
    ToolFailed,
    refused,
    unclear,
    unsent,
)

Function = Callable[[dict[str, Any], str], Awaitable[object]]

_log = logging.getLogger(__name__)


def function(place: str) -> Function:
    """Return the function that stands at `module:name`. Raises ValueError with one line when none does."""
    module_name, colon, name = place.partition(":")
    if not (module_name and colon and name):
        raise ValueError("the function is named module:name")
    try:
        found = getattr(import_module(module_name), name)
    except Exception as error:  # a user's module may raise anything while it is imported
        trouble = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(f"the function {place} can't be loaded: {trouble}") from error
    if not inspect.iscoroutinefunction(found):
        raise ValueError(f"{place} is not an async function")
    try:
        inspect.signature(found).bind({}, "")
    except TypeError:
        raise ValueError(f"the function {place} must take (arguments, key)") from None
    made: Function = found
    return made


class FunctionTool:
    """One tool that runs in this process."""

    def __init__(self, run: Function, *, is_idempotent: bool) -> None:
        self._run = run
        self._is_idempotent = is_idempotent

    def check(self, arguments: dict[str, Any]) -> None:
        """Any arguments that fit the schema will do."""

    async def call(
        self, arguments: dict[str, Any], *, key: str, call_sid: str, until: float
    ) -> Outcome:
        """Run the function once and return how it came out, at the latest at the loop's time `until`."""
        own = deepcopy(arguments)  # theirs to change, not the journal's
        deadline = asyncio.timeout_at(until)
        try:
            async with deadline:
                value = await self._run(own, key)
        except ToolFailed as failed:
            detail = " ".join(failed.detail.split())[:DETAIL_LETTERS_MAX]
            return unsent(detail) if failed.may_retry else refused(detail)
        except Exception as error:  # noqa: BLE001 - a user's function may raise anything
            if deadline.expired():
                trouble = "It gave no answer in time."
            else:
                trouble = f"It raised {type(error).__name__} at {_where(error)}."
            _log.warning(
                "! a tool's function failed: %s",
                own_words(trouble),
                extra={"action": "tool_failed", "call_sid": call_sid},
            )
            return unclear(trouble, is_idempotent=self._is_idempotent)
        try:
            result, is_all = result_text(value)
        except (TypeError, ValueError, RecursionError):
            return Outcome("succeeded", detail="It returned what JSON can't hold.")
        return Outcome("succeeded", result, "" if is_all else CUT)


def _where(error: Exception) -> str:
    """Return the line that raised: an error's words may be the caller's, its place never is."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"
