"""Whose turn it is: how a turn is opened, begun to be answered, given up and closed, folded.

A turn is something the agent owes an answer to. There is at most one. What the caller says before the
agent began to answer belongs to the same turn; what they say after that opens the next one.

    open ──> partly said ──> answered
      │           │
      └───────────┴──> discarded: the caller spoke or keyed over it; nothing more of it can act
"""

from msgspec.structs import replace

from service.call.draft import Draft
from service.call.state import Operation, Reason, Turn

_OF_OURS: tuple[Reason, ...] = (
    "silence",
    "operation",
    "earlier",
    "collected",
)  # nothing the caller said


def begin(call: Draft, reason: Reason, position: int, *, text: str = "", earlier: str = "") -> None:
    """Open the next turn; it knows of each operation whose end the caller was not told."""
    call.turns += 1
    call.turn = Turn(
        call.turns,
        reason,
        text,
        earlier,
        operations=tuple(one.operation for one in _untold(call)),
        position=position,
    )


def meet(call: Draft, number: int) -> None:
    """Take note of a turn that a fact speaks of: its number is not given to another one.

    What was decided apart, while the store was out of reach, may count turns that others' writes never opened.
    """
    call.turns = max(call.turns, number)


def hear(call: Draft, text: str, position: int) -> None:
    """Open the turn of an utterance; it takes in the open one if nobody began to answer that."""
    before = call.turn
    if before is None or before.said or before.reason in _OF_OURS:
        begin(call, "speech", position, text=text, earlier=call.half_text)
        return
    reason: Reason = "speech"
    if before.reason in ("opening", "context_lost"):
        reason = before.reason
    begin(
        call,
        reason,
        position,
        text=joined("" if before.reason == "keys" else before.text, text),
        earlier=joined(before.earlier, call.half_text),
    )


def key(call: Draft, digits: str, position: int) -> None:
    """Open the turn of a row of keys; a greeting owed stays owed."""
    before = call.turn
    if before is not None and not before.said and before.reason in ("opening", "context_lost"):
        hear(call, digits, position)
    else:
        begin(call, "keys", position, text=digits, earlier=call.half_text)


def say(call: Draft, number: int, text: str) -> None:
    """Note what was generated in answer to the open turn."""
    turn = call.turn
    if turn is not None and turn.number == number:
        call.turn = replace(turn, said=(*turn.said, text))


def close(call: Draft, number: int, position: int) -> None:
    """Close the turn, which is answered. Operations that ended meanwhile open the next one."""
    turn = call.turn
    if turn is None or turn.number != number:
        return
    if turn.operations:
        call.operations = tuple(
            replace(one, told_turn=number) if one.operation in turn.operations else one
            for one in call.operations
        )
    call.turn = None
    tell(call, position)


def leave_to_person(call: Draft) -> None:
    """Close the open turn without the agent: a person has answered. What tools brought stays untold."""
    call.is_greeted |= call.turn is not None and call.turn.reason == "opening"
    call.turn = None


def tell(call: Draft, position: int) -> None:
    """Open a turn for what tools brought, unless the agent is at work or the talk is over."""
    is_talking = call.phase != "ended" and not call.ending
    if call.turn is None and is_talking and _untold(call):
        begin(call, "operation", position)


def discard(call: Draft, number: int, *, is_unheard: bool) -> None:
    """Give a turn up whose words were cut. What nobody heard of its news is news again."""
    if is_unheard and number:
        call.operations = tuple(
            replace(one, told_turn=0) if one.told_turn == number else one for one in call.operations
        )
    if call.turn is not None and call.turn.number == number:
        call.turn = None


def joined(one: str, other: str) -> str:
    """Join what there is of two texts with a blank."""
    return f"{one} {other}" if one and other else one or other


def _untold(call: Draft) -> tuple[Operation, ...]:
    """Operations that the agent asked for, that ended, and of whose end nobody was told."""
    return tuple(
        one for one in call.operations if one.turn and one.status != "pending" and not one.told_turn
    )
