"""What a model tells, made into inputs: it hears the caller, speaks, calls functions, and fails.

An item of the model's is a prompt of ours. Its first audio begins it, its words are passed on about once a
second, and its last words end it. It can be heard only once it is written that it began.
"""

from collections.abc import Callable
from typing import assert_never

from service.agent import duplex as d
from service.agent.duplex import SpeechEvent
from service.call import inputs as i
from service.call.state import Call
from service.clock import Clock
from service.session.duplex.briefing import Briefing
from service.session.duplex.calls import ModelCalls
from service.session.duplex.input_tail import InputTail
from service.session.duplex.link import Link
from service.session.speaking.model_voice import ModelVoice

WORDS_EVERY_MS = 1_000  # a record for each word would be a hundred records a minute
FAILURES_MAX = 2  # answers that fail one after the other; then the caller is told
FAILED_LINE = "I'm sorry, I didn't manage that. Could you say it again, please?"


class Interpreter:
    """Takes the events of one call's sessions.

    `owes`: the caller has spoken, and nothing has come yet. `is_interrupted`: the session was lost while
    the caller spoke, and the next one is not there yet.
    """

    def __init__(
        self,
        *,
        voice: ModelVoice,
        tail: InputTail,
        link: Link,
        briefing: Briefing,
        calls: ModelCalls,
        clock: Clock,
        post: Callable[[i.Input], None],
        call: Callable[[], Call],
    ) -> None:
        self.is_caller_speaking = False
        self.is_interrupted = False
        self.owes = False
        self._voice = voice
        self._tail = tail
        self._link = link
        self._briefing = briefing
        self._calls = calls
        self._clock = clock
        self._post = post
        self._call = call
        self._prompts: dict[str, str] = {}
        self._growing: dict[str, str] = {}
        self._early: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._made = 0
        self._told_ms = 0
        self._answer = ""
        self._spoke_ms = 0
        self._failures = 0

    def happened(self, event: SpeechEvent) -> None:
        """Take the next event of the present session."""
        match event:
            case d.CallerBegan() | d.CallerEnded() | d.CallerSaid() | d.Took():
                self._of_caller(event)
            case d.AudioOut():
                self._audio_out(event)
            case d.WordsOut():
                self._words_out(event)
            case d.ToolCalled():
                self._answered()
                self._calls.take(event)
            case d.Finished():
                self._finished(event.trouble)
            case d.ResumeToken():
                self._post(i.TokenGiven(event.token))
            case d.GoAway() | d.Failed():
                return  # The link's own business.
            case _:
                assert_never(event)

    def closed(self) -> None:
        """The session is over: what was half said is all of it, and the next session goes on from there."""
        for prompt in tuple(self._growing):
            if prompt in self._voice:
                self._briefing.is_broken = True
                self._end(prompt)
        self._growing.clear()
        self._told.clear()
        self._prompts.clear()
        self.is_interrupted = self.is_interrupted or self.is_caller_speaking
        self.is_caller_speaking = False

    def opened(self) -> None:
        """A new session hears what the last one did not get to the end of."""
        self.is_interrupted = False

    def rest(self) -> None:
        """The model is out of the talk: nobody waits for it, and what the caller says is not its business."""
        self.is_caller_speaking = self.is_interrupted = self.owes = False

    @property
    def is_idle(self) -> bool:
        """Whether nobody speaks to the model, and nothing said waits for it."""
        return not (self.is_caller_speaking or self.is_interrupted or self.owes)

    def _of_caller(self, event: d.CallerBegan | d.CallerEnded | d.CallerSaid | d.Took) -> None:
        match event:
            case d.CallerBegan():
                self.is_caller_speaking = True
                self._post(i.SpeechBegan())
                self._pass_on()  # What is cut now is cut to words that are known.
                if self._call().prompts:
                    self._post(i.BargedIn())
            case d.CallerEnded():
                self.is_caller_speaking = False
                self.owes, self._answer, self._spoke_ms = True, "", event.duration_ms
                self._link.expect()
            case d.CallerSaid():
                # Written down late, the words stand before the answer that they got.
                self._post(i.Transcribed(event.text, self._spoke_ms, before=self._answer))
                if not self.owes and not self._answer:
                    self._post(i.ModelActed((), is_answer=True))  # A call of a tool answered it.
            case _:
                self._tail.took(event.samples)

    def _audio_out(self, event: d.AudioOut) -> None:
        prompt = self._prompts.get(event.item) or self._begin(event.item)
        if prompt in self._voice and not self._voice.add(prompt, event.ulaw):
            self._end(prompt)

    def _begin(self, item: str) -> str:
        self._made += 1
        prompt = f"m{self._call().epoch}-{self._made}"
        self._prompts[item], self._briefing.items[prompt] = prompt, item
        self._voice.begin(prompt)
        text = self._early.pop(item, "")
        self._growing[prompt] = text
        self._voice.tell(prompt, text, is_last=False)
        self._told_ms, self._told[prompt] = self._clock.now_ms(), text
        self._answer = self._answer or prompt
        self._answered()
        self._post(i.ModelSpoke(prompt, text))
        return prompt

    def _words_out(self, event: d.WordsOut) -> None:
        prompt = self._prompts.get(event.item)
        if prompt is None:
            self._early = {event.item: event.text}  # The words may come before the voice.
            return
        if prompt not in self._growing:
            return
        self._growing[prompt] = event.text
        self._voice.tell(prompt, event.text, is_last=event.is_last)
        if event.is_last:
            self._end(prompt)
        else:
            self.pass_words_on()

    def pass_words_on(self) -> None:
        """Have the words written that came since a second ago: a model may pause in its sentence."""
        if self._clock.now_ms() - self._told_ms >= WORDS_EVERY_MS:
            self._pass_on()

    def _pass_on(self) -> None:
        for prompt, text in self._growing.items():
            if self._told.get(prompt) != text:
                self._told_ms = self._clock.now_ms()
                self._told[prompt] = text
                self._post(i.ModelContinued(prompt, text, is_last=False))

    def _end(self, prompt: str) -> None:
        text = self._growing.pop(prompt, "")
        self._told.pop(prompt, None)
        self._voice.tell(prompt, text, is_last=True)
        self._post(i.ModelContinued(prompt, text, is_last=True))

    def _answered(self) -> None:
        self.owes = False
        self._failures = 0
        self._link.answered()

    def _finished(self, trouble: str) -> None:
        """An answer is over. One that failed is asked for again, and in the end apologised for."""
        is_owed = self.owes or self._link.is_expecting or self._call().turn is not None
        self._link.answered()
        if not trouble or not is_owed:
            return
        self._failures += 1
        if self._failures <= FAILURES_MAX:
            self._briefing.ask("")
            return
        self._failures, self.owes = 0, False
        self._post(i.ModelAway(FAILED_LINE))
        self._post(i.ModelActed((), is_answer=True))
