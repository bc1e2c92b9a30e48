"""The talk with a model that hears and speaks by itself.

    caller's audio ──┬─> the model ──> events ──> inputs ──> (decided, written, folded) ──> follow(call)
                     └─> Ear: the first sound holds our voice at once; half sentences survive a crash
    the model's audio ──> ModelVoice ──> Line, once it is written that the model speaks

It stands where `Talk` stands for an agent of words. Rules kept here:

1. Nothing of the model's is heard before it is written; what was not heard stays in `ModelVoice`.
2. The model's ear decides who interrupts and what was said; ours is only quicker, and there in a crash.
3. A lost stream doesn't end the model's session; a lost session doesn't end the call. What the model may
   have missed of the caller is told to the next session; what the caller missed of it is still said.
4. A prompt whose audio isn't here, because another process had it, is cut to what was heard.
5. While a person has the agent's place, or the caller's words are private, there is no session: our own ear
   writes down what may be written, and the next session is told it, and the person's, as the transcript.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from service.agent.duplex import (
    AudioOut,
    CallerBegan,
    CallerEnded,
    ResumeRefused,
    SpeechAgent,
    SpeechEvent,
    SpeechSession,
)
from service.audio import samples
from service.call import inputs as i
from service.call.acts import Transfer
from service.call.state import Call, Prompt
from service.session.conversation.ear import Ear
from service.session.conversation.thinking import GONE_LINE
from service.session.duplex.briefing import Briefing
from service.session.duplex.calls import ModelCalls
from service.session.duplex.input_tail import InputTail
from service.session.duplex.interpreter import Interpreter
from service.session.duplex.link import Link
from service.session.means import Means
from service.session.speaking.model_voice import ModelVoice

REPLAY_SAMPLES = samples(1_000)  # in one message; the whole tail is thirty of them
AWAY_LINE = "One moment, please."


class Speaker(Protocol):
    """What says our prompts to the caller. See Line."""

    def want(self, prompts: tuple[Prompt, ...]) -> None:
        """Say exactly these prompts."""
        ...

    def hold(self) -> None:
        """Fall silent: the caller has the floor."""
        ...

    def release(self) -> None:
        """Go on."""
        ...

    def wake(self) -> None:
        """There is more of the model's audio."""
        ...


class Duplex:
    """The talk with a speech-to-speech model. `voice` is what the line's mouth takes its audio from."""

    def __init__(
        self,
        call_sid: str,
        means: Means,
        agent: SpeechAgent,
        line: Speaker,
        voice: ModelVoice,
        post: Callable[[i.Input], None],
        call: Callable[[], Call],
    ) -> None:
        self._agent = agent
        self._line = line
        self._voice = voice
        self._post = post
        self._call = call
        self._ear = Ear(
            call_sid,
            means.speech,
            means.endpointer,
            self._overheard,
            call=call,
            on_onset=self._onset,
            on_false_alarm=self._false_alarm,
        )
        self._link = Link(
            call_sid,
            random.SystemRandom(),
            self._open,
            on_open=self._opened,
            on_event=self._happened,
            on_closed=self._closed,
            on_away=self._away,
            on_gone=self._gone,
        )
        self._briefing = Briefing(self._link, voice)
        self._tail = InputTail()
        self._model = Interpreter(
            voice=voice,
            tail=self._tail,
            link=self._link,
            briefing=self._briefing,
            calls=ModelCalls(agent.functions, self._link, self._briefing, post, call),
            clock=means.clock,
            post=post,
            call=call,
        )
        self._lost: set[str] = set()
        self._is_onset = self._is_noticed = self._is_stale = False
        self._is_resting = self._is_sealed = False

    @property
    def has_floor(self) -> bool:
        """Whether the caller speaks, as the model hears it, or a sound has just begun.

        Not over a farewell: that is said to its end, else nobody would ever hang up.
        """
        is_sounding = self._is_onset or self._model.is_caller_speaking
        return is_sounding and not self._call().ending

    async def run(self) -> None:
        """Listen and speak until cancelled; then the session with the model is over."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._ear.run())
            await self._link.run()

    async def close(self) -> None:
        """Nothing is left but what `run` holds."""

    def taken(self) -> None:
        """See Talk.taken. Here the model's ear says when the caller has the floor."""

    def attach(self) -> None:
        """A new stream begins."""
        self._ear.attach()

    def go_on(self) -> None:
        """A new stream begins, and nothing of the caller was missed. The model has heard it all."""
        self._ear.go_on()

    def detach(self) -> None:
        """The stream is gone. The model's session goes on, and says what it was about to say."""
        self._is_onset = False
        self._ear.detach()

    def hear(self, ulaw: bytes) -> None:
        """Take the caller's next audio."""
        self._ear.hear(ulaw)
        if self._is_sealed:
            self._tail.forget()
        else:
            self._tail.add(ulaw, is_idle=self._is_resting or self._model.is_idle)
        if not (self._call().ending or self._is_resting):
            self._send(ulaw)

    def follow(self, call: Call) -> None:
        """Bring mouth and model in line with the state."""
        self._line.want(call.prompts)
        self._model.pass_words_on()
        elsewhere = {
            prompt.prompt
            for prompt in call.prompts
            if prompt.voice == "model" and prompt.prompt not in self._voice
        }
        for lost in elsewhere - self._lost:
            self._post(i.ModelLost(lost))
        self._lost |= elsewhere
        if self.has_floor:
            self._line.hold()
        else:
            self._line.release()
        is_private = call.privacy.is_private
        self._is_sealed = is_private or (self._is_sealed and self._ear.has_floor)
        # What was said to a person is written down before the model is told of it.
        is_said_to_person = self._is_resting and self._ear.has_floor
        is_ours = call.taken_over is not None or is_private
        self._is_resting = is_ours or is_said_to_person
        if self._is_resting:
            self._rest()
            return
        if call.phase == "live" and not elsewhere:  # The history is to end with what was heard.
            self._link.want()
        if self._link.is_open:
            self._briefing.follow(call)
            self._renew(call)

    def _rest(self) -> None:
        """Whatever the model was about is a person's business now."""
        self._link.rest()
        self._model.rest()
        self._briefing.is_broken = False

    def _renew(self, call: Call) -> None:
        is_quiet = not (self.has_floor or self._model.owes or call.prompts or call.turn)
        if self._link.is_renewal_due and is_quiet:
            self._link.drop("a quiet moment to open the next one")

    # Our own ear: quicker than the model's, and no more.

    def _onset(self) -> None:
        self._is_onset = True
        if self.has_floor:
            self._line.hold()

    def _false_alarm(self) -> None:
        self._is_onset = False
        if not self.has_floor:
            self._line.release()

    def _overheard(self, heard: i.Input) -> None:
        """Pass on what our ear found, but for its words: the model's are better.

        An utterance that the model did not notice is noted without words, so that our voice goes on.
        One that the model is answering already says nothing more: our ear is only slower to end it.
        """
        if self._is_resting:
            self._is_onset = self._is_onset and not isinstance(heard, i.Utterance)
        elif isinstance(heard, i.SpeechBegan):
            self._is_noticed, self._is_stale = self._model.is_caller_speaking, False
        elif isinstance(heard, i.Utterance) and not heard.is_partial:
            self._is_onset = False
            if self._is_noticed:
                return
            heard = replace(heard, text="", duration_ms=0)
        if self._is_resting or not self._is_stale:
            self._post(heard)

    # The model: its sessions, and what they tell.

    async def _open(self) -> SpeechSession:
        call = self._call()
        past = self._briefing.begin(call)
        if call.resume_token:
            try:
                return await self._agent.open(call, call.resume_token, ())
            except ResumeRefused:
                self._post(i.TokenGiven(b""))
        return await self._agent.open(call, None, past)

    def _opened(self) -> None:
        """Let the session hear what the last one may have missed, and know what happened meanwhile."""
        tail = self._tail.again()
        for at in range(0, len(tail), REPLAY_SAMPLES):
            self._send(tail[at : at + REPLAY_SAMPLES])
        self._model.opened()
        if self._model.owes:
            self._link.expect()
        self._briefing.follow(self._call())

    def _send(self, ulaw: bytes) -> None:
        self._link.order(lambda session: session.send_audio(ulaw))

    def _happened(self, event: SpeechEvent) -> None:
        self._model.happened(event)
        if isinstance(event, CallerBegan):
            self._is_noticed = True
            if self.has_floor:
                self._line.hold()
        elif isinstance(event, CallerEnded):
            self._is_onset, self._is_stale = False, self._ear.has_floor
        elif isinstance(event, AudioOut):
            self._is_onset = (
                False  # It answers: whatever our ear still waits for, the floor is ours.
            )
            self._line.wake()

    def _closed(self) -> None:
        self._model.closed()
        if self._is_resting:
            self._rest()
        if not self.has_floor:
            self._line.release()

    def _away(self) -> None:
        if self._is_talking():
            greeting = "" if self._call().is_greeted else "Hello. "
            self._post(i.ModelAway(f"{greeting}{AWAY_LINE}"))

    def _gone(self) -> None:
        if self._is_talking():
            self._post(i.ModelAway(GONE_LINE))
            self._post(i.ModelActed((Transfer(is_last_resort=True),), is_answer=True))

    def _is_talking(self) -> bool:
        call = self._call()
        return call.phase == "live" and not call.ending
