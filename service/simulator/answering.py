"""Who answers when the service dials somebody, and what the caller says after the beep when nobody does.

    party("answered:2s:5s")   rings for 2 s, then talks for 5 s
    party("no-answer")        rings, and the carrier gives up · busy · failed · canceled

From "TwiML Voice: Dial" and "TwiML Voice: Record": the status words, `DialCallDuration` for an answered
dial only, `RecordingUrl`, `RecordingDuration`, `Digits` (the key, or `hangup`), and that an empty
recording asks for nothing. `RecordingSid` is seen in the field. Not published, so chosen here: a dial that
failed has a `DialCallSid` too; a caller who hangs up while the other party rings or talks causes no
request.
"""

import msgspec

from service.simulator.words import duration_ms

ANSWERED = "completed"  # the status of a dial that was answered and is over
OUTCOMES = ("answered", "busy", "no-answer", "failed", "canceled")
BEEPED = "beeps and records"  # how the timeline tells of a recording's begin
HUNG_UP = "hangup"  # the Digits of a recording that ended with the call

Fields = list[tuple[str, str]]


class Party(msgspec.Struct, frozen=True):
    """The other side of a dial; a time that is None is the pace's own."""

    outcome: str = "answered"
    ring_ms: int | None = None
    talk_ms: int | None = None


class Dialled(msgspec.Struct, frozen=True):
    """How a dial went: Twilio's word, and the times."""

    status: str
    ring_ms: int
    talk_ms: int = 0

    def fields(self, dial_call_sid: str) -> Fields:
        """Return what the dial's action is told."""
        told = [("DialCallStatus", self.status), ("DialCallSid", dial_call_sid)]
        if self.status == ANSWERED:
            told.append(("DialCallDuration", str(_seconds(self.talk_ms))))
        return told


def party(text: str) -> Party:
    """Read "answered[:RING[:TALK]]" or "busy[:RING]" and the like. Raises ValueError with one sentence."""
    outcome, *times = text.split(":")
    times_max = 2 if outcome == "answered" else 1
    if outcome not in OUTCOMES or len(times) > times_max:
        raise ValueError(
            f"{text!r} is no outcome of a dial: write answered[:RING[:TALK]], busy, no-answer,"
            " failed or canceled"
        )
    return Party(outcome, *map(duration_ms, times))


def dialled(other: Party, *, ring_ms: int, talk_ms: int, timeout_ms: int) -> Dialled:
    """Return how a dial goes that rings for at most `timeout_ms`; the other times are for those not given."""
    rings_ms = ring_ms if other.ring_ms is None else other.ring_ms
    if other.outcome == "answered" and rings_ms <= timeout_ms:
        return Dialled(ANSWERED, rings_ms, talk_ms if other.talk_ms is None else other.talk_ms)
    # Who would have answered after the last ring did not answer.
    status = "no-answer" if other.outcome == "answered" else other.outcome
    return Dialled(status, min(rings_ms, timeout_ms))


def recorded(url: str, recording_sid: str, length_ms: int, digits: str) -> Fields:
    """Return what a recording's action is told. Its length is whole seconds, at least one."""
    told = [
        ("RecordingUrl", f"{url}/{recording_sid}"),
        ("RecordingSid", recording_sid),
        ("RecordingDuration", str(max(1, _seconds(length_ms)))),
    ]
    return [*told, ("Digits", digits)] if digits else told


def _seconds(length_ms: int) -> int:
    return length_ms // 1_000
