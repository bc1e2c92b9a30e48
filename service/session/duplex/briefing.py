"""What the model's present session knows of the call, and what it has still to be told.

A session begins with the history of one moment. From then on the model knows by itself what it hears
and says; all else is told to it as the state changes: how far it was heard when it was cut, lines of other
voices, what tools brought, keys, and the turn that it would not answer unasked.
"""

from service.agent.duplex import Past
from service.agent.realtime.hints import BROKEN_OFF, hint
from service.agent.realtime.past import earlier, history, result, spoken, told
from service.audio import milliseconds
from service.call.state import Call, Prompt, Turn
from service.session.duplex.link import Link
from service.session.speaking.model_voice import ModelVoice


class Briefing:
    """Keeps the model's memory in line with the state. `items` names the items of its present session."""

    def __init__(self, link: Link, voice: ModelVoice) -> None:
        self.items: dict[str, str] = {}
        self.is_broken = False
        self._link = link
        self._voice = voice
        self._position = 0
        self._turn = 0
        self._operations: set[str] = set()
        self._playing: dict[str, Prompt] = {}
        self._heard: dict[str, int] = {}
        self._knows_earlier = False

    def begin(self, call: Call) -> tuple[Past, ...]:
        """A session is about to be opened: return what it has to know."""
        self._position = call.position
        self._turn = 0
        self._operations = {one.operation for one in call.operations if one.status != "pending"}
        self._playing = {prompt.prompt: prompt for prompt in call.prompts}
        self._heard.clear()
        self.items.clear()
        self._knows_earlier = bool(earlier(call))
        return history(call)

    def follow(self, call: Call) -> None:
        """Tell what is new."""
        self._tell_of_prompts(call)
        if not self._knows_earlier:
            for entry in earlier(call):
                self._knows_earlier = True
                self._note(entry)
        for one in call.operations:
            if one.turn and one.status != "pending" and one.operation not in self._operations:
                self._operations.add(one.operation)
                self._give(one.operation, result(one))
        if call.phase == "live" and not call.ending:
            self._have_answered(call)

    def _tell_of_prompts(self, call: Call) -> None:
        now = {prompt.prompt: prompt for prompt in call.prompts}
        for name, prompt in self._playing.items():
            if name not in now:
                self._tell_of_end(call, prompt)
        for name in now:
            heard_ms = milliseconds(self._voice.heard_samples(name))
            if name in self.items and heard_ms > self._heard.get(name, 0):
                self._heard[name] = heard_ms
                self._report(self.items[name], heard_ms)
        self._playing = now

    def _tell_of_end(self, call: Call, prompt: Prompt) -> None:
        """A prompt was heard to its end, or cut. The model's own items are cut where it has them."""
        is_heard = self._voice.is_heard(prompt.prompt)
        heard_ms = milliseconds(self._voice.heard_samples(prompt.prompt))
        item = self.items.pop(prompt.prompt, "")
        self._voice.drop(prompt.prompt)
        if item:
            if not is_heard:
                self._cut(item, heard_ms)
            return
        line = next((line for line in call.transcript if line.position == prompt.position), None)
        for entry in told(line) if line is not None else ():
            # What was being said when the session began stands in its history in full.
            if prompt.position > self._position or entry.who == "note":
                self._note(entry)

    def _have_answered(self, call: Call) -> None:
        """Ask for the answer that is owed, unless the model owes it by itself."""
        turn = call.turn
        if turn is None:
            if self.is_broken:
                self.ask(BROKEN_OFF)
        elif turn.number != self._turn:
            self._turn = turn.number
            self._ask_about(call, turn)

    def _ask_about(self, call: Call, turn: Turn) -> None:
        is_news = turn.position > self._position
        if is_news and turn.reason == "speech":
            return  # It has heard the caller itself, and may have answered before this was written.
        if is_news and turn.reason == "keys":
            self._note(spoken(turn.text))
        self.ask(hint(call, turn))

    def ask(self, about: str) -> None:
        """Ask for an answer now."""
        self.is_broken = False
        self._link.order(lambda session: session.respond(about))
        self._link.expect()

    def _give(self, operation: str, outcome: str) -> None:
        self._link.order(lambda session: session.tool_result(operation, outcome))

    def _cut(self, item: str, heard_ms: int) -> None:
        self._link.order(lambda session: session.truncate(item, heard_ms))

    def _report(self, item: str, heard_ms: int) -> None:
        self._link.order(lambda session: session.heard(item, heard_ms))

    def _note(self, entry: Past) -> None:
        self._link.order(lambda session: session.note(entry))
