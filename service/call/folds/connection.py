"""How a call opens, attaches, detaches and ends, folded."""

from msgspec.structs import replace

from service.call import events as e
from service.call.draft import Draft
from service.call.folds import turns
from service.call.place import Placed, Steps
from service.call.state import StreamEntry


def _opened(call: Draft, fact: e.CallOpened, place: Placed) -> None:
    call.call_sid = fact.call_sid
    call.tenant = fact.tenant
    call.from_number = fact.from_number
    call.to_number = fact.to_number
    call.direction = fact.direction
    call.account_sid = fact.account_sid
    call.parameters = fact.parameters
    call.continues = fact.continues
    call.opened_ms = place.at_ms


def _attached(call: Draft, fact: e.StreamAttached, place: Placed) -> None:
    streams = tuple(
        replace(stream, detached_ms=place.at_ms, reason="replaced")
        if stream.detached_ms is None
        else stream
        for stream in call.streams
    )
    entry = StreamEntry(
        fact.stream_sid,
        place.epoch,
        fact.cause,
        fact.gap_ms,
        place.at_ms,
        gap_heard_ms=fact.gap_heard_ms,
    )
    if call.phase == "ended":
        # A callback told of the end while this stream was on its way: it came to a call that is over.
        over = replace(entry, detached_ms=place.at_ms, reason="ended")
        call.streams = (*streams, over)
        return
    if not call.is_known():
        turns.begin(call, "opening", place.position)
    call.phase = "live"
    call.streams = (*streams, entry)
    call.planned_cause = None
    call.is_caller_speaking = False
    call.is_ending_started = False  # had the carrier ended the call, no stream would have come
    if call.digits_pending:
        call.digit_ms = place.at_ms


def _detached(call: Draft, fact: e.StreamDetached, place: Placed) -> None:
    call.streams = tuple(
        replace(
            stream, detached_ms=place.at_ms, reason=fact.reason, last_media_ms=fact.last_media_ms
        )
        if stream.stream_sid == fact.stream_sid and stream.detached_ms is None
        else stream
        for stream in call.streams
    )
    if call.phase == "live" and all(s.detached_ms is not None for s in call.streams):
        call.phase = "detached"


def _stream_error(call: Draft, fact: e.StreamError, _place: Placed) -> None:
    """The stream's end is its holder's to write: it knows what was heard. A stream gone is left as it is."""
    call.streams = tuple(
        replace(stream, is_broken=True)
        if stream.stream_sid == fact.stream_sid and stream.detached_ms is None
        else stream
        for stream in call.streams
    )


def _pulled_back(call: Draft, _fact: e.PulledBack, place: Placed) -> None:
    if call.streams:
        last = replace(call.streams[-1], pulled_ms=place.at_ms)
        call.streams = (*call.streams[:-1], last)


def _adopted(call: Draft, fact: e.CallAdopted, _place: Placed) -> None:
    """Nobody wrote when the last stream was heard last: its server had no time to."""
    if call.streams and call.streams[-1].detached_ms is None:
        last = replace(call.streams[-1], last_media_ms=fact.seen_ms)
        call.streams = (*call.streams[:-1], last)


def _branch_orphaned(call: Draft, fact: e.BranchOrphaned, _place: Placed) -> None:
    """What was lost is counted; none of it was ever true of the call as it went on, but a caller heard it."""
    call.orphaned += fact.count
    call.is_greeted_apart |= any(one.startswith('{"kind":"greeted"') for one in fact.lost)


def _context_lost(call: Draft, _fact: e.ContextLost, place: Placed) -> None:
    call.is_context_lost = call.is_greeted = True
    turns.begin(call, "context_lost", place.position)


def _call_ended(call: Draft, fact: e.CallEnded, place: Placed) -> None:
    if call.phase == "ended":
        return
    call.phase = "ended"
    call.ended_ms = place.at_ms
    call.end_reason = fact.reason
    call.streams = tuple(
        replace(s, detached_ms=place.at_ms, reason="ended") if s.detached_ms is None else s
        for s in call.streams
    )
    call.requests = ()
    call.turn = None
    call.partial_text = ""
    call.taken_over = None
    call.privacy = replace(call.privacy, collection=None)


def _drop_limit_reached(call: Draft, _fact: e.DropLimitReached, _place: Placed) -> None:
    call.is_drop_limited = True


def _ending_planned(call: Draft, fact: e.EndingPlanned, _place: Placed) -> None:
    call.ending = fact.ending
    call.ending_to = fact.to_number
    call.is_last_resort = fact.is_last_resort
    call.requests = tuple(r for r in call.requests if r.kind not in ("hangup", "transfer"))
    # Nobody asks anything any more: a turn that is still open would be answered after the farewell.
    call.turn = None


def _ending_started(call: Draft, _fact: e.EndingStarted, _place: Placed) -> None:
    call.is_ending_started = True


def _ending_refused(call: Draft, _fact: e.EndingRefused, place: Placed) -> None:
    """The call goes on, and what tools brought meanwhile is news again."""
    call.ending = call.ending_to = ""
    call.is_ending_started = call.is_last_resort = False
    turns.tell(call, place.position)


def _turn_answered(call: Draft, fact: e.TurnAnswered, place: Placed) -> None:
    turns.close(call, fact.turn, place.position)


def _stage_changed(call: Draft, fact: e.StageChanged, _place: Placed) -> None:
    call.stage = fact.stage


def _resume_token_kept(call: Draft, fact: e.ResumeTokenKept, _place: Placed) -> None:
    call.resume_token = fact.token


STEPS: Steps = {
    e.CallOpened: _opened,
    e.StreamAttached: _attached,
    e.StreamDetached: _detached,
    e.StreamError: _stream_error,
    e.CallAdopted: _adopted,
    e.PulledBack: _pulled_back,
    e.BranchOrphaned: _branch_orphaned,
    e.ContextLost: _context_lost,
    e.CallEnded: _call_ended,
    e.DropLimitReached: _drop_limit_reached,
    e.EndingPlanned: _ending_planned,
    e.EndingStarted: _ending_started,
    e.EndingRefused: _ending_refused,
    e.TurnAnswered: _turn_answered,
    e.StageChanged: _stage_changed,
    e.ResumeTokenKept: _resume_token_kept,
}
