"""A person takes the agent's place and gives it back, decided. Pure.

Meanwhile the caller is heard as ever, and what they say waits for an answer: the person's next line is
one. Nothing that the agent thought of before, or that a model says unasked, is said or done.
"""

from service.call import events as e, inputs as i
from service.call.decisions.caller import advanced
from service.call.inputs import Decision, Input
from service.call.state import Call, Prompt

OF_THE_AGENT = (i.Answered, i.ModelSpoke, i.ModelCalled, i.ModelActed, i.ModelAway)


def is_silenced(call: Call, happened: Input) -> bool:
    """Whether this is the agent's doing, while a person has its place."""
    return call.taken_over is not None and isinstance(happened, OF_THE_AGENT)


def next_step(call: Call, played: tuple[e.Played, ...]) -> Decision:
    """Silence the agent for whoever asked for its place, or let it go on."""
    held = call.taken_over
    if held is None:
        return Decision()
    if held.is_leaving:
        return Decision((e.HandedBack(by=held.by, reason="asked"),))
    if held.is_taken:
        return Decision()
    cuts = (
        e.SpeechCut(prompt=prompt.prompt, reason="taken_over")
        for prompt in call.prompts
        if not _is_of_person(call, prompt)
    )
    taken = e.TakenOver(by=held.by, seat=held.seat)
    return Decision((*advanced(call, played), *cuts, taken))


def woke(call: Call, now_ms: int) -> Decision:
    """Let the agent go on when the person has shown no sign of life for too long."""
    held = call.taken_over
    if held is None or now_ms < held.unseen_ms:
        return Decision()
    return Decision((e.HandedBack(by=held.by, reason="unseen"),))


def deadline_ms(call: Call) -> int | None:
    """Return when the person counts as gone; None when nobody has the agent's place."""
    return call.taken_over.unseen_ms if call.taken_over is not None else None


def _is_of_person(call: Call, prompt: Prompt) -> bool:
    """A colleague's line is said to its end: only the agent falls silent."""
    return any(line.position == prompt.position and line.who == "human" for line in call.transcript)
