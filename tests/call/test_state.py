import msgspec
import pytest

from service.call.events import Cause
from service.call.state import FROM_PAGE, Call, Operation, StreamEntry


def stream(reason: str, at_ms: int | None, cause: Cause = "drop") -> StreamEntry:
    return StreamEntry("MZ1", 1, cause, 0, 0, detached_ms=at_ms, reason=reason)


def test_a_call_is_known_once_it_had_a_stream_or_a_greeting() -> None:
    assert not Call().is_known()
    assert Call(streams=(stream("closed", 1),)).is_known()
    assert Call(is_greeted=True).is_known()


def test_lost_streams_are_counted_from_the_given_moment() -> None:
    call = Call(streams=(stream("closed", 99), stream("idle", 100), stream("", None)))
    assert call.drops_since(0) == 2
    assert call.drops_since(100) == 1
    assert call.drops_since(101) == 0


def test_a_stream_is_broken_until_its_end_is_written() -> None:
    assert not Call().is_broken()
    assert not Call(streams=(stream("", None),)).is_broken()
    broken = msgspec.structs.replace(stream("", None), is_broken=True)
    assert Call(streams=(broken,)).is_broken()
    gone = msgspec.structs.replace(stream("error", 1), is_broken=True)
    assert not Call(streams=(gone,)).is_broken()


@pytest.mark.parametrize("reason", ["restart", "shutdown", "left"])
def test_a_restart_on_purpose_is_no_drop(reason: str) -> None:
    assert Call(streams=(stream(reason, 1), stream("", None))).drops_since(0) == 0


def test_a_replaced_stream_was_lost_only_if_its_successor_says_so() -> None:
    for cause, drops in (("drop", 1), ("crash", 1), ("duplicate", 0), ("dtmf", 0)):
        after = stream("", None, msgspec.convert(cause, type=Cause))
        assert Call(streams=(stream("replaced", 1), after)).drops_since(0) == drops
    assert Call(streams=(stream("replaced", 1),)).drops_since(0) == 0


def test_only_operations_without_a_final_state_are_pending() -> None:
    terms = {"is_idempotent": True, "attempts_max": 1, "deadline_ms": 9}
    open_one = Operation("t1.1", "lookup", {}, 1, **terms)  # type: ignore[arg-type] # by name
    done = msgspec.structs.replace(open_one, operation="t1.2", status="unknown")
    assert Call(operations=(open_one, done)).pending() == (open_one,)


@pytest.mark.parametrize(
    ("direction", "number"), [("inbound", "+1"), ("outbound-api", "+2"), ("outbound-dial", "+2")]
)
def test_the_customer_is_who_called_or_whom_we_called(direction: str, number: str) -> None:
    call = Call(from_number="+1", to_number="+2", direction=direction)
    assert call.customer_number == number
    assert {call.customer_number, call.our_number} == {"+1", "+2"}


def test_a_call_from_a_page_is_told_by_its_direction() -> None:
    assert Call(direction=FROM_PAGE).is_from_page
    assert not Call().is_from_page
