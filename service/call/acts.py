"""What an agent can do in a turn. The agent says what it wants; decide.py makes facts of it."""

from typing import Any

import msgspec


class Say(msgspec.Struct, frozen=True):
    """Say a text."""

    text: str


class Ask(msgspec.Struct, frozen=True):
    """Say a text and expect the answer to be about `field`."""

    text: str
    field: str


class Fill(msgspec.Struct, frozen=True):
    """An answer was understood. `source`: directory, speech, keys, tool or human.

    `confidence_milli` is how sure the agent is, 0 to 1,000.
    """

    field: str
    value: str
    source: str = "speech"
    confidence_milli: int = 1000


class Confirm(msgspec.Struct, frozen=True):
    """The caller confirmed a field's value."""

    field: str


class Forget(msgspec.Struct, frozen=True):
    """The caller said that a field's value is wrong."""

    field: str


class Enter(msgspec.Struct, frozen=True):
    """The conversation enters a stage."""

    stage: str


class UseTool(msgspec.Struct, frozen=True):
    """Have a tool work; its end brings a turn of reason "operation". See service/tools."""

    tool: str
    arguments: dict[str, Any] = {}


class SendDigits(msgspec.Struct, frozen=True):
    """Send DTMF into the call: 0-9, A-D, #, * and w (half a second's pause)."""

    digits: str


class Transfer(msgspec.Struct, frozen=True):
    """Hand the caller to a phone number once what was said is heard; by default TRANSFER_TO's.

    On a line from which nobody can be dialled the call goes on; with `is_last_resort`, because the
    agent knows no other way, it ends with a farewell.
    """

    to_number: str = ""
    is_last_resort: bool = False


class HangUp(msgspec.Struct, frozen=True):
    """End the call once what was said is heard."""


class Collect(msgspec.Struct, frozen=True):
    """Ask for a number that nobody here may know, to be keyed or said; it goes to the sink (COLLECT_URL).

    `keys_min` to `keys_max` digits; one that `is_card` must be right by its check digit. With COLLECT_WITH=pay
    the carrier collects a card's number itself once `text` was heard, and asks for it in its own words. A turn of
    the reason "collected" follows; then `call.fields[field]` is the sink's reference, if it took the number.
    """

    text: str
    field: str
    keys_min: int = 1
    keys_max: int = 32
    is_card: bool = False


class GoOn(msgspec.Struct, frozen=True):
    """The caller wants to go on with the earlier call (`call.earlier`).

    Its answers become the call's own; a turn of the reason "earlier" follows, which knows them.
    """


class StartAfresh(msgspec.Struct, frozen=True):
    """The caller does not want to go on with the earlier call."""


Act = (
    Say | Ask | Fill | Confirm | Forget | Enter | UseTool | SendDigits | Transfer | HangUp | GoOn
    | StartAfresh | Collect
)  # fmt: skip
