"""What the caller experiences when a stream comes back: one table, read from the top.

The first row whose condition holds decides. What was being said goes on by itself, in every row: it
stands in the state as prompts that are not heard yet, from the clause that was cut. The row only adds
the line that bridges the gap, or nothing.

| when it dropped            | row           | line                                                |
|----------------------------|---------------|-----------------------------------------------------|
| state lost or doubtful     | lost          | I'm sorry, I've lost some of our context …          |
| consent was not given yet  | consent       | (what is asked, again)                              |
| too many drops             | last_resort   | (the carrier apologises and transfers)              |
| a person has our place     | taken_over    | (their lines go on; the agent says nothing)         |
| nobody was greeted yet     | opening       | (the agent greets)                                  |
| an ending was under way    | ending        | (the farewell goes on, then the call ends)          |
| a sealed number half keyed | collecting    | … the number again, from the first digit            |
| our sentence was playing   | playing       | (it goes on with the clause that was cut)           |
| the agent owed an answer   | answering     | (the answer comes; a tool's end is such a turn)     |
| a tool was running         | working       | I'm still looking into that, after 2 s              |
| the state is old           | stale         | Just to make sure I have this right, …              |
| the caller was speaking    | interrupted   | Sorry, I lost you for a second …, if the gap cost words |
| digits half typed          | keying        | (they stand)                                        |
| silence                    | silence       | I'm still here, after 2 s                           |
"""

from collections.abc import Callable

import msgspec

from service.call.decisions import paying
from service.call.policy import Policy
from service.call.privacy import CONSENT, DROP_LINE, HOW_LINE, KEY_LINE, PAY_LINE
from service.call.state import Call

WORDS_LOST_MS = 300  # a shorter gap costs at most a syllable
SILENCE_MS = 2_000  # a longer one is noticed by the caller
STALE_MS = 600_000  # after ten minutes people have forgotten what they said

LOST_LINE = "I'm sorry, I've lost some of our context, so I may ask you some things again."
INTERRUPTED_LINE = "Sorry, I lost you for a second, could you say that last part again?"
SILENCE_LINE = "I'm still here."
WORKING_LINE = "I'm still looking into that."
STILL_RIGHT = "still_right"  # the field that the line about an old state asks for


class Return(msgspec.Struct, frozen=True):
    """A stream coming back: what was known before it attached, and how long nobody heard anybody.

    `is_held_here`: the ear that heard the beginning of a half utterance is still there. It heard
    `heard_ms` of the gap on a stream that only listens. `is_asking`: this process is just asking the carrier
    to collect a number, and the stream will go again.
    """

    call: Call
    gap_ms: int
    now_ms: int
    lost: str
    policy: Policy
    is_held_here: bool = True
    heard_ms: int = 0
    is_asking: bool = False


class Plan(msgspec.Struct, frozen=True):
    """The row that applies, the line that bridges the gap, and the field it asks for; "" for none."""

    row: str
    line: str = ""
    asks: str = ""


def _is_last_resort(back: Return) -> bool:
    since = back.now_ms - back.policy.window_ms
    return back.call.drops_since(since) > back.policy.drops_max


def _is_stale(back: Return) -> bool:
    call = back.call
    return back.now_ms - call.updated_ms >= STALE_MS and bool(call.fields)


def _is_working(back: Return) -> bool:
    return any(one.turn and back.now_ms < one.deadline_ms for one in back.call.pending())


def _has_lost_words(back: Return) -> bool:
    """A half utterance goes on in the next stream if nothing was missed, and in the same process."""
    return back.gap_ms - back.heard_ms >= WORDS_LOST_MS or not back.is_held_here


def _after_silence(line: str) -> Callable[[Return], str]:
    return lambda back: line if back.gap_ms >= SILENCE_MS else ""


def _stale_line(back: Return) -> str:
    known = ", ".join(
        f"{name.replace('_', ' ')} {field.value}" for name, field in back.call.fields.items()
    )
    return f"Just to make sure I have this right: {known}. Is that still right?"


def _lost_line(back: Return) -> str:
    """A person who has the agent's place, or is about to, sees what was lost and says so themselves."""
    return LOST_LINE if back.call.taken_over is None else ""


def _consent_line(back: Return) -> str:
    """What is still being asked goes on by itself."""
    return "" if back.call.prompts else f"{back.policy.consent_text} {HOW_LINE}".strip()


def _key_line(back: Return) -> str:
    """A number that is on its way to the sink is not asked for again, nor is what is still being asked."""
    one = back.call.privacy.collection
    is_lost = is_number_lost(back.call, is_held_here=back.is_held_here, is_asking=back.is_asking)
    if one is not None and one.sink == "pay":
        return PAY_LINE if is_lost and not paying.is_last(one) else ""
    if is_lost:
        return DROP_LINE
    is_quiet = one is not None and not one.is_passed and not back.call.prompts
    return KEY_LINE if is_quiet and back.gap_ms >= SILENCE_MS else ""


def is_number_lost(call: Call, *, is_held_here: bool, is_asking: bool = False) -> bool:
    """Whether digits of a sealed number went with the stream: those keyed, and in a crash those passed on.

    Those that the carrier collects went if it comes back without a word of them.
    """
    one = call.privacy.collection
    if one is not None and one.sink == "pay":
        return one.is_passed and not is_asking
    return one is not None and (not is_held_here if one.is_passed else one.keys > 0)


Row = tuple[str, Callable[[Return], bool], Callable[[Return], str]]


def _no_line(_back: Return) -> str:
    return ""


TABLE: tuple[Row, ...] = (
    ("lost", lambda back: bool(back.lost), _lost_line),
    ("last_resort", _is_last_resort, _no_line),
    ("taken_over", lambda back: back.call.taken_over is not None, _no_line),
    ("consent", lambda back: back.call.privacy.consent == "asked", _consent_line),
    ("opening", lambda back: not back.call.is_greeted, _no_line),
    ("ending", lambda back: bool(back.call.ending), _no_line),
    ("collecting", lambda back: back.call.privacy.collection is not None, _key_line),
    ("playing", lambda back: bool(back.call.prompts), _no_line),
    ("answering", lambda back: back.call.turn is not None, _no_line),
    ("working", _is_working, _after_silence(WORKING_LINE)),
    ("stale", _is_stale, _stale_line),
    (
        "interrupted",
        lambda back: back.call.is_caller_speaking,
        lambda back: INTERRUPTED_LINE if _has_lost_words(back) else "",
    ),
    ("keying", lambda back: bool(back.call.digits_pending), _no_line),
    ("silence", lambda _back: True, _after_silence(SILENCE_LINE)),
)


def resume(back: Return) -> Plan:
    """Return the row of the table that applies, and its line."""
    name, _, line = next(row for row in TABLE if row[1](back))
    collection = back.call.privacy.collection
    asks = {
        "stale": STILL_RIGHT,
        "consent": CONSENT,
        "collecting": collection.field if collection else "",
    }
    return Plan(name, line(back), asks.get(name, ""))
