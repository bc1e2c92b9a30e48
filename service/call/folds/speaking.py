"""What we said and what of it was heard, folded."""

from msgspec.structs import replace

from service.call import events as e
from service.call.draft import Draft
from service.call.folds import turns
from service.call.place import Placed, Steps
from service.call.state import Line, Playback, Prompt

GENERATED_SAMPLES_PER_LETTER = 520  # 65 ms: our voice's pace, until the audio itself is known


def _greeted(call: Draft, _fact: e.Greeted, _place: Placed) -> None:
    call.is_greeted = True


def _agent_spoke(call: Draft, fact: e.AgentSpoke, place: Placed) -> None:
    turns.meet(call, fact.turn)
    text = " ".join(fact.clauses)
    prompt = Prompt(
        fact.prompt,
        place.position,
        fact.clauses,
        asks=fact.asks,
        turn=fact.turn,
        voice=fact.voice,
        is_open=fact.is_open,
    )
    if fact.clauses or fact.is_open:
        call.prompts = (*call.prompts, prompt)
    call.prompts_made += 1
    call.playback = Playback(fact.prompt, len(text) * GENERATED_SAMPLES_PER_LETTER)
    call.lines().append(Line(place.position, fact.who, text, "", cut=False, at_ms=place.at_ms))
    if fact.request:
        call.requests = tuple(r for r in call.requests if r.request != fact.request)
    if call.taken_over is not None and fact.who == "human":
        turns.leave_to_person(call)
        return
    if fact.asks:
        call.asks = call.asks + 1 if fact.asks == call.asked else 1
        call.asked = fact.asks
    turns.say(call, fact.turn, text)


def _agent_continued(call: Draft, fact: e.AgentContinued, _place: Placed) -> None:
    prompt = _open_prompt(call, fact.prompt)
    if prompt is None or not prompt.is_open:
        return
    longer = replace(prompt, clauses=fact.clauses, is_open=not fact.is_last)
    is_done = longer.clauses_heard >= len(longer.clauses) and fact.is_last
    call.prompts = tuple(
        longer if p is prompt else p for p in call.prompts if p is not prompt or not is_done
    )
    text = " ".join(fact.clauses)
    heard = text if is_done and prompt.voice == "person" else None
    _revise(call, prompt.position, text=text, heard=heard)


def _open_prompt(call: Draft, name: str) -> Prompt | None:
    return next((prompt for prompt in call.prompts if prompt.prompt == name), None)


def _heard_text(prompt: Prompt, fact: e.Played) -> str:
    """Whole clauses, then the words of the cut one: as counted, or in proportion, rounded down."""
    heard = list(prompt.clauses[: fact.clauses])
    if fact.part_samples and fact.clauses < len(prompt.clauses):
        words = prompt.clauses[fact.clauses].split()
        in_proportion = len(words) * fact.part_samples // max(1, fact.part_of_samples)
        heard.extend(words[: fact.part_words if fact.part_words >= 0 else in_proportion])
    return " ".join(heard)


def _revise(
    call: Draft,
    position: int,
    *,
    text: str | None = None,
    heard: str | None = None,
    cut: bool | None = None,
) -> None:
    """Change the one line of the transcript that stands at `position`: among the last, nearly always."""
    lines = call.lines()
    at = next((at for at in range(len(lines) - 1, -1, -1) if lines[at].position == position), -1)
    if at < 0:
        return
    line = lines[at]
    text = line.text if text is None else text
    heard = line.heard if heard is None or len(heard) < len(line.heard) else heard
    lines[at] = replace(
        line,
        text=text,
        heard=text if heard == text else heard,  # One string for both, in a call of thousands.
        cut=line.cut if cut is None else cut,
    )


def _played(call: Draft, fact: e.Played, _place: Placed) -> None:
    prompt = _open_prompt(call, fact.prompt)
    if prompt is None:
        return
    clauses = max(prompt.clauses_heard, fact.clauses)
    further = replace(
        prompt,
        clauses_heard=clauses,
        heard_samples=max(prompt.heard_samples, fact.heard_samples),
        done_samples=max(prompt.done_samples, fact.heard_samples - fact.part_samples),
    )
    is_done = clauses >= len(prompt.clauses) and not prompt.is_open
    call.prompts = tuple(
        further if p is prompt else p for p in call.prompts if not (p is prompt and is_done)
    )
    if further.heard_samples and prompt.turn:
        call.heard_turn = prompt.turn
    call.playback = Playback(
        prompt.prompt,
        max(call.playback.generated_samples, fact.synthesised_samples)
        if call.playback.prompt == prompt.prompt
        else fact.synthesised_samples,
        fact.synthesised_samples,
        fact.sent_samples,
        further.heard_samples,
    )
    _revise(call, prompt.position, heard=_heard_text(prompt, fact))


def _speech_cut(call: Draft, fact: e.SpeechCut, place: Placed) -> None:
    prompt = _open_prompt(call, fact.prompt)
    if prompt is None:
        return
    call.prompts = tuple(p for p in call.prompts if p is not prompt)
    _revise(call, prompt.position, cut=True)
    turns.discard(call, prompt.turn, is_unheard=prompt.turn != call.heard_turn)
    if fact.reason == "lost" and call.turn is None and not call.ending:
        turns.begin(call, "cut", place.position)


STEPS: Steps = {
    e.Greeted: _greeted,
    e.AgentSpoke: _agent_spoke,
    e.AgentContinued: _agent_continued,
    e.Played: _played,
    e.SpeechCut: _speech_cut,
}
