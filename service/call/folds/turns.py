"""Whose turn it is: how a turn is opened, begun to be answered, given up and closed, folded.

A turn is something the agent owes an answer to. There is at most one. What the caller says before the
agent began to answer belongs to the same turn; what they say after that opens the next one.

    open ──> partly said ──> answered
      │           │
      └───────────┴──> discarded: the caller spoke or keyed over it; nothing more of it can act
"""

from msgspec.structs import replace

from service.call.state import Call, Operation, Reason, Turn

_OF_OURS: tuple[Reason, ...] = (
    "silence",
    "operation",
    "earlier",
    "collected",
)  # nothing the caller said


def opened(call: Call, reason: Reason, position: int, *, text: str = "", earlier: str = "") -> Call:
    """Open the next turn; it knows of each operation whose end the caller was not told."""
    number = call.turns + 1
    turn = Turn(
        number,
        reason,
        text,
        earlier,
        operations=tuple(one.operation for one in _untold(call)),
        position=position,
    )
    return replace(call, turns=number, turn=turn)


def spoken(call: Call, text: str, position: int) -> Call:
    """Open the turn of an utterance; it takes in the open one if nobody began to answer that."""
    before = call.turn
    if before is None or before.said or before.reason in _OF_OURS:
        return opened(call, "speech", position, text=text, earlier=call.half_text)
    reason: Reason = "speech"
    if before.reason in ("opening", "context_lost"):
        reason = before.reason
    return opened(
        call,
        reason,
        position,
        text=joined("" if before.reason == "keys" else before.text, text),
        earlier=joined(before.earlier, call.half_text),
    )


def keyed(call: Call, digits: str, position: int) -> Call:
    """Open the turn of a row of keys; a greeting owed stays owed."""
    before = call.turn
    if before is not None and not before.said and before.reason in ("opening", "context_lost"):
        return spoken(call, digits, position)
    return opened(call, "keys", position, text=digits, earlier=call.half_text)


def said(call: Call, number: int, text: str) -> Call:
    """Note what was generated in answer to the open turn."""
    turn = call.turn
    if turn is None or turn.number != number:
        return call
    return replace(call, turn=replace(turn, said=(*turn.said, text)))


def answered(call: Call, number: int, position: int) -> Call:
    """Close the turn. Operations that ended while it was answered open the next one."""
    turn = call.turn
    if turn is None or turn.number != number:
        return call
    operations = tuple(
        replace(one, told_turn=number) if one.operation in turn.operations else one
        for one in call.operations
    )
    return told_of(replace(call, turn=None, operations=operations), position)


def taken_by_person(call: Call) -> Call:
    """Close the open turn without the agent: a person has answered. What tools brought stays untold."""
    is_opening = call.turn is not None and call.turn.reason == "opening"
    return replace(call, turn=None, is_greeted=call.is_greeted or is_opening)


def told_of(call: Call, position: int) -> Call:
    """Open a turn for what tools brought, unless the agent is at work or the talk is over."""
    is_talking = call.phase != "ended" and not call.ending
    if call.turn is None and is_talking and _untold(call):
        return opened(call, "operation", position)
    return call


def discarded(call: Call, number: int, *, is_unheard: bool) -> Call:
    """Give a turn up whose words were cut. What nobody heard of its news is news again."""
    operations = call.operations
    if is_unheard:
        operations = tuple(
            replace(one, told_turn=0) if number and one.told_turn == number else one
            for one in operations
        )
    is_open = call.turn is not None and call.turn.number == number
    return replace(call, turn=None if is_open else call.turn, operations=operations)


def joined(one: str, other: str) -> str:
    """Join what there is of two texts with a blank."""
    return f"{one} {other}" if one and other else one or other


def _untold(call: Call) -> tuple[Operation, ...]:
    """Operations that the agent asked for, that ended, and of whose end nobody was told."""
    return tuple(
        one for one in call.operations if one.turn and one.status != "pending" and not one.told_turn
    )
