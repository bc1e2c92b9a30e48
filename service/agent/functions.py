"""What a model may call, and the acts that its calls become.

Some calls only note something, and the model speaks on at once. The others end its turn: a tool's
answer comes as a turn of its own, and after a farewell nothing is left to say.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from service.call.acts import Act, Confirm, Enter, Fill, HangUp, SendDigits, Transfer, UseTool
from service.tools.schema import Schema
from service.tools.terms import ARGUMENTS_BYTES_MAX, Description, ToolArguments

_NAME = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,40}$"}


def _takes(required: tuple[str, ...] = (), **properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


BUILT_IN: tuple[Description, ...] = (
    Description(
        "remember",
        "Note an answer of the caller under a field such as name, company, ticket_id or problem. "
        "Set is_confirmed once the caller said that the value is right.",
        _takes(
            ("field", "value"),
            field=_NAME,
            value={"type": "string", "pattern": "\\S", "maxLength": 500},
            is_confirmed={"type": "boolean"},
        ),
    ),
    Description(
        "enter_stage",
        "Note that the conversation enters a stage: intake, confirming, done, or one of your own.",
        _takes(("stage",), stage=_NAME),
    ),
    Description(
        "send_digits",
        "Press keys in the call, for a machine that asks for them. w is half a second's pause.",
        _takes(("digits",), digits={"type": "string", "pattern": "^[0-9A-D*#w]{1,64}$"}),
    ),
    Description(
        "transfer",
        "Connect the caller with a person. Say so before.",
        _takes(),
    ),
    Description(
        "hang_up",
        "End the call once what you said was heard. Say goodbye before.",
        _takes(),
    ),
)


class Functions:
    """The built-in functions and the installation's tools; a tool may take a built-in name's place.

    `check` is asked about the arguments of a tool beside its schema; it raises ToolArguments.
    """

    def __init__(
        self,
        tools: Sequence[Description] = (),
        check: Callable[[str, dict[str, Any]], None] | None = None,
    ) -> None:
        self._tools = frozenset(tool.name for tool in tools)
        described = (*tools, *(one for one in BUILT_IN if one.name not in self._tools))
        self._schemas = {one.name: Schema(one.parameters) for one in described}
        self._check = check
        self.offered: list[dict[str, Any]] = [
            {
                "type": "function",
                "function": {
                    "name": one.name,
                    "description": one.description,
                    "parameters": one.parameters,
                },
            }
            for one in described
        ]

    def acts(self, name: str, arguments: str, *, is_keyed: bool) -> tuple[Act, ...]:
        """Return what a call means; the arguments are the model's JSON text.

        Raises ToolArguments with a sentence that the model can learn from. `is_keyed` tells that the
        caller's answer came by keys.
        """
        if name not in self._schemas:
            raise ToolArguments("There is no function of this name.")
        parsed = _parsed(arguments)
        self._schemas[name].check(parsed)
        if name not in self._tools:
            return _built_in(name, parsed, source="keys" if is_keyed else "speech")
        if self._check is not None:
            self._check(name, parsed)
        return (UseTool(name, parsed),)


def is_last(act: Act) -> bool:
    """Whether the turn ends with this act, because what follows is not the model's to say now."""
    return isinstance(act, UseTool | SendDigits | Transfer | HangUp)


def _parsed(arguments: str) -> Any:
    try:
        body = arguments.encode()
        if len(body) > ARGUMENTS_BYTES_MAX:
            raise ToolArguments(f"The arguments are longer than {ARGUMENTS_BYTES_MAX} bytes.")
        return msgspec.json.decode(body) if body.strip() else {}
    except (UnicodeEncodeError, msgspec.DecodeError, RecursionError):
        raise ToolArguments("The arguments are no JSON object.") from None


def _built_in(name: str, given: dict[str, Any], *, source: str) -> tuple[Act, ...]:
    match name:
        case "remember":
            # A pattern's $ lets a line end pass.
            field = given["field"].strip()
            fill = Fill(field, given["value"].strip(), source)
            return (fill, Confirm(field)) if given.get("is_confirmed") else (fill,)
        case "enter_stage":
            return (Enter(given["stage"].strip()),)
        case "send_digits":
            return (SendDigits(given["digits"].strip()),)
        case "transfer":
            return (Transfer(),)
        case _:
            return (HangUp(),)
