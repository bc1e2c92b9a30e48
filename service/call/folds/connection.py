"""How a call opens, attaches, detaches and ends, folded."""

from msgspec.structs import replace

from service.call import events as e
from service.call.folds import turns
from service.call.place import Place, Steps
from service.call.state import Call, StreamEntry


def _opened(call: Call, fact: e.CallOpened, place: Place) -> Call:
    return replace(
        call,
        call_sid=fact.call_sid,
        tenant=fact.tenant,
        from_number=fact.from_number,
        to_number=fact.to_number,
        direction=fact.direction,
        account_sid=fact.account_sid,
        parameters=fact.parameters,
        continues=fact.continues,
        opened_ms=place.at_ms,
    )


def _attached(call: Call, fact: e.StreamAttached, place: Place) -> Call:
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
        return replace(call, streams=(*streams, over))
    if not call.is_known():
        call = turns.opened(call, "opening", place.position)
    return replace(
        call,
        phase="live",
        streams=(*streams, entry),
        planned_cause=None,
        is_caller_speaking=False,
        is_ending_started=False,  # had the carrier ended the call, no stream would have come
        digit_ms=place.at_ms if call.digits_pending else call.digit_ms,
    )


def _detached(call: Call, fact: e.StreamDetached, place: Place) -> Call:
    streams = tuple(
        replace(
            stream, detached_ms=place.at_ms, reason=fact.reason, last_media_ms=fact.last_media_ms
        )
        if stream.stream_sid == fact.stream_sid and stream.detached_ms is None
        else stream
        for stream in call.streams
    )
    is_gone = call.phase == "live" and all(s.detached_ms is not None for s in streams)
    return replace(call, phase="detached" if is_gone else call.phase, streams=streams)


def _stream_error(call: Call, fact: e.StreamError, _place: Place) -> Call:
    """The stream's end is its holder's to write: it knows what was heard. A stream gone is left as it is."""
    streams = tuple(
        replace(stream, is_broken=True)
        if stream.stream_sid == fact.stream_sid and stream.detached_ms is None
        else stream
        for stream in call.streams
    )
    return replace(call, streams=streams)


def _pulled_back(call: Call, _fact: e.PulledBack, place: Place) -> Call:
    if not call.streams:
        return call
    last = replace(call.streams[-1], pulled_ms=place.at_ms)
    return replace(call, streams=(*call.streams[:-1], last))


def _adopted(call: Call, fact: e.CallAdopted, _place: Place) -> Call:
    """Nobody wrote when the last stream was heard last: its server had no time to."""
    if not call.streams or call.streams[-1].detached_ms is not None:
        return call
    last = replace(call.streams[-1], last_media_ms=fact.seen_ms)
    return replace(call, streams=(*call.streams[:-1], last))


def _branch_orphaned(call: Call, fact: e.BranchOrphaned, _place: Place) -> Call:
    """What was lost is counted; none of it was ever true of the call as it went on, but a caller heard it."""
    is_greeted = any(one.startswith('{"kind":"greeted"') for one in fact.lost)
    return replace(
        call,
        orphaned=call.orphaned + fact.count,
        is_greeted_apart=call.is_greeted_apart or is_greeted,
    )


def _context_lost(call: Call, _fact: e.ContextLost, place: Place) -> Call:
    known = replace(call, is_context_lost=True, is_greeted=True)
    return turns.opened(known, "context_lost", place.position)


def _call_ended(call: Call, fact: e.CallEnded, place: Place) -> Call:
    if call.phase == "ended":
        return call
    streams = tuple(
        replace(s, detached_ms=place.at_ms, reason="ended") if s.detached_ms is None else s
        for s in call.streams
    )
    return replace(
        call,
        phase="ended",
        ended_ms=place.at_ms,
        end_reason=fact.reason,
        streams=streams,
        requests=(),
        turn=None,
        partial_text="",
        taken_over=None,
        privacy=replace(call.privacy, collection=None),
    )


def _drop_limit_reached(call: Call, _fact: e.DropLimitReached, _place: Place) -> Call:
    return replace(call, is_drop_limited=True)


def _ending_planned(call: Call, fact: e.EndingPlanned, _place: Place) -> Call:
    requests = tuple(r for r in call.requests if r.kind not in ("hangup", "transfer"))
    # Nobody asks anything any more: a turn that is still open would be answered after the farewell.
    return replace(
        call,
        ending=fact.ending,
        ending_to=fact.to_number,
        is_last_resort=fact.is_last_resort,
        requests=requests,
        turn=None,
    )


def _ending_started(call: Call, _fact: e.EndingStarted, _place: Place) -> Call:
    return replace(call, is_ending_started=True)


def _ending_refused(call: Call, _fact: e.EndingRefused, place: Place) -> Call:
    """The call goes on, and what tools brought meanwhile is news again."""
    on = replace(call, ending="", ending_to="", is_ending_started=False, is_last_resort=False)
    return turns.told_of(on, place.position)


def _turn_answered(call: Call, fact: e.TurnAnswered, place: Place) -> Call:
    return turns.answered(call, fact.turn, place.position)


def _stage_changed(call: Call, fact: e.StageChanged, _place: Place) -> Call:
    return replace(call, stage=fact.stage)


def _resume_token_kept(call: Call, fact: e.ResumeTokenKept, _place: Place) -> Call:
    return replace(call, resume_token=fact.token)


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
