"""What a model may call, and the acts that its calls become.

Some calls only note something, and the model speaks on at once. The others end its turn: a tool's
answer comes as a turn of its own, and after a farewell nothing is left to say.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from service.call.acts import (
    Act,
    Collect,
    Confirm,
    Enter,
    Fill,
    GoOn,
    HangUp,
    SendDigits,
    StartAfresh,
    Transfer,
    UseTool,
)
from service.call.privacy import KEYS_LIMIT
from service.call.state import Call
from service.tools.schema import Schema
from service.tools.terms import ARGUMENTS_BYTES_MAX, Description, ToolArguments

CARD_KEYS_MIN, CARD_KEYS_MAX = 13, 19  # digits of the numbers of cards in use

_NAME = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,40}$"}


def _takes(required: tuple[str, ...] = (), **properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


TRANSFER = Description("transfer", "Connect the caller with a person. Say so before.", _takes())
"""Not offered in a call from a page, from which nobody can be dialled."""

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
    TRANSFER,
    Description(
        "hang_up",
        "End the call once what you said was heard. Say goodbye before.",
        _takes(),
    ),
)


GOING_ON = Description(
    "go_on",
    "Note whether the caller wants to go on with the earlier call that a note told you of.",
    _takes(("is_wanted",), is_wanted={"type": "boolean"}),
)
"""Offered only while there is an earlier call of which the caller has not said what they want."""

COLLECT = Description(
    "collect_number",
    "Have the caller key in or say a number that nobody here may know: of a payment card, an account, a "
    "PIN. It is the only way to ask for one. Text is the whole sentence that asks for it, and is said "
    "for you. You are told afterwards whether the number was taken, never which it is.",
    _takes(
        ("text", "field", "keys_min", "keys_max"),
        text={"type": "string", "pattern": "\\S", "maxLength": 300},
        field=_NAME,
        keys_min={"type": "integer", "minimum": 1, "maximum": KEYS_LIMIT},
        keys_max={"type": "integer", "minimum": 1, "maximum": KEYS_LIMIT},
        is_card={"type": "boolean"},
    ),
)
"""Offered only where there is somewhere to pass such a number to."""

COLLECT_CARD = Description(
    COLLECT.name,
    "Have the caller key in a payment card, which nobody here may know. It is the only way to ask for one. "
    "Text is a sentence that leads there, and is said for you; then the caller is asked for the card's "
    "number by somebody else. You are told afterwards whether the card was taken, never its number.",
    _takes(
        ("text", "field"),
        text={"type": "string", "pattern": "\\S", "maxLength": 300},
        field=_NAME,
    ),
)
"""Offered where the carrier takes cards, and nobody other numbers."""

Collects = Literal["", "cards", "numbers"]
_COLLECTING: dict[Collects, tuple[Description, ...]] = {
    "": (),
    "cards": (COLLECT_CARD,),
    "numbers": (COLLECT,),
}


class Functions:
    """The built-in functions and the installation's tools; a tool may take a built-in name's place.

    `check` is asked about the arguments of a tool beside its schema; it raises ToolArguments. `collects` says
    what can be collected under seal: nothing, only cards, or any number.
    """

    def __init__(
        self,
        tools: Sequence[Description] = (),
        check: Callable[[str, dict[str, Any]], None] | None = None,
        *,
        collects: Collects = "",
    ) -> None:
        self._tools = frozenset(tool.name for tool in tools)
        every = (*BUILT_IN, GOING_ON, *_COLLECTING[collects])
        described = (*tools, *(one for one in every if one.name not in self._tools))
        self._schemas = {one.name: Schema(one.parameters) for one in described}
        self._check = check
        self._offered = [(one.name, _offer(one)) for one in described]

    def offered(self, call: Call) -> list[dict[str, Any]]:
        """Return what the model may call now, as its server wants it told."""
        return [offer for name, offer in self._offered if self._is_known(name, call)]

    def _is_known(self, name: str, call: Call) -> bool:
        is_going_on = name == GOING_ON.name and name not in self._tools
        may_go_on = call.earlier is not None and call.earlier.standing == "open"
        is_transfer = name == TRANSFER.name and name not in self._tools
        is_possible = (may_go_on or not is_going_on) and not (is_transfer and call.is_from_page)
        return name in self._schemas and is_possible

    def acts(self, name: str, arguments: str, call: Call, *, is_keyed: bool) -> tuple[Act, ...]:
        """Return what a call means; the arguments are the model's JSON text.

        Raises ToolArguments with a sentence that the model can learn from. `is_keyed` tells that the
        caller's answer came by keys.
        """
        if not self._is_known(name, call):
            raise ToolArguments("There is no function of this name.")
        parsed = _parsed(arguments)
        self._schemas[name].check(parsed)
        if name not in self._tools:
            return _built_in(name, parsed, source="keys" if is_keyed else "speech")
        if self._check is not None:
            self._check(name, parsed)
        return (UseTool(name, parsed),)


def _offer(one: Description) -> dict[str, Any]:
    told = {"name": one.name, "description": one.description, "parameters": one.parameters}
    return {"type": "function", "function": told}


def is_last(act: Act) -> bool:
    """Whether the turn ends with this act, because what follows is not the model's to say now."""
    return isinstance(act, UseTool | SendDigits | Transfer | HangUp | GoOn | Collect)


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
        case "go_on":
            return (GoOn(),) if given["is_wanted"] else (StartAfresh(),)
        case "send_digits":
            return (SendDigits(given["digits"].strip()),)
        case "collect_number":
            return (_collected(given),)
        case "transfer":
            return (Transfer(),)
        case _:
            return (HangUp(),)


def _collected(given: dict[str, Any]) -> Collect:
    text, field = given["text"].strip(), given["field"].strip()
    if "keys_min" not in given:
        return Collect(text, field, CARD_KEYS_MIN, CARD_KEYS_MAX, is_card=True)
    if given["keys_min"] > given["keys_max"]:
        raise ToolArguments("keys_min is more than keys_max.")
    return Collect(
        text,
        field,
        given["keys_min"],
        given["keys_max"],
        is_card=given.get("is_card", False),
    )
