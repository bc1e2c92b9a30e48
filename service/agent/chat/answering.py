"""One turn answered by a model.

    history of the call ──> model ──> sentence, sentence, …        said as soon as each is whole
                              │  └──> notes (remember, enter_stage) ──> the model goes on in a new round
                              └─────> a tool, transfer, hang up     ──> the turn is over

What goes wrong is tried once more where that can help, from behind the sentences that are out already.
An answer that breaks off for good ends there; with nothing said it raises, and the caller hears an
apology. A call of a function that makes no sense is told to the model, once in a turn; after that it is
dropped.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from service.agent.chat.history import Message, answer, called, history, joined, user
from service.agent.chat.model import Finished, Model, Piece, Reading, Unanswered, Wish, Words
from service.agent.chat.question import asked
from service.agent.chat.sentences import Sentences, Unrepeated
from service.agent.chat.settings import ChatSettings
from service.agent.functions import Functions, is_last
from service.agent.prompt import (
    FAREWELL,
    FILLERS,
    PARAMETERS,
    TRANSFER_LINE,
    answered_so_far,
    go_on,
    system,
)
from service.call.acts import Act, Ask, Enter, Fill, HangUp, Say, Transfer, UseTool
from service.call.state import Call, Turn
from service.tools.terms import ToolArguments

ATTEMPTS_MAX = 2  # of one round: the caller waits
ROUNDS_MAX = 4  # notes, a correction, and more notes; then the model goes round in circles
SENTENCES_MAX = 30  # of one turn: two minutes of speech, which nobody listens to
SLOW_MS = 3_000  # after so much silence people say "hello?"
STALL_MS = 4_000  # between two words: then the stream is dead, and there is time for another
RETRY_MS = 250  # before the second attempt, when the server names no time
RETRY_MS_MAX = 2_000  # a server that wants longer is not waited for

NOTED = "Noted. Now go on speaking to the caller."
NOT_DONE = (
    "Not done, because another call beside it was wrong. Call it again if it is still wanted."
)

_log = logging.getLogger(__name__)


class Answering:
    """One turn being answered by a model."""

    def __init__(
        self, settings: ChatSettings, functions: Functions, model: Model, call: Call, turn: Turn
    ) -> None:
        self._functions = functions
        self._model = model
        self._call = call
        self._turn = turn
        self._patience_s = settings.timeout_ms / 1000
        self._messages: list[Message] = [
            {"role": "system", "content": system(call, settings.prompt)},
            *history(call, turn),
        ]
        self._said_before = answered_so_far(turn)
        self._said: list[str] = []
        self._said_in_round = 0
        self._wishes: list[Wish] = []
        self._wishes_made = 0
        self._was_corrected = False
        self._is_over = False
        self._may_fill = not turn.said
        self._loop = asyncio.get_running_loop()
        self._slow_s = self._loop.time() + SLOW_MS / 1000
        self._until_s = self._loop.time() + self._patience_s

    async def acts(self) -> AsyncGenerator[Act, None]:
        """Yield what the model wants; raises BrainError when it gave no answer at all."""
        for act in _known_before(self._call, self._turn):
            yield act
        for _ in range(ROUNDS_MAX):
            self._wishes = []
            self._said_in_round = len(self._said)
            async with aclosing(self._round()) as sentences:
                async for act in sentences:
                    yield act
            acts, goes_on = self._granted()
            for act in acts:
                yield act
            if not goes_on:
                break
        if not self._has_said() and not self._is_over:
            raise Unanswered("the model did nothing but call functions", may_retry=False)

    async def _round(self) -> AsyncGenerator[Act, None]:
        """Ask until there is an answer; what breaks off after words were said ends with them."""
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                async with aclosing(self._attempt()) as acts:
                    async for act in acts:
                        yield act
            except Unanswered as trouble:
                self._note("brain_failed", trouble, attempt=attempt)
                self._wishes = []
                wait_ms = trouble.retry_after_ms or RETRY_MS
                if attempt == ATTEMPTS_MAX or not self._can_wait(trouble, wait_ms):
                    if self._has_said():
                        return
                    raise
            else:
                return
            await asyncio.sleep(wait_ms / 1000)

    def _can_wait(self, trouble: Unanswered, wait_ms: int) -> bool:
        is_in_time = self._loop.time() + wait_ms / 1000 < self._until_s
        return trouble.may_retry and wait_ms <= RETRY_MS_MAX and is_in_time

    async def _attempt(self) -> AsyncGenerator[Act, None]:
        sentences = Sentences()
        new = Unrepeated([*self._said_before, *self._said])
        reading = self._model.ask(self._request(), self._functions.offered(self._call))
        is_flowing = is_finished = False
        try:
            while not is_finished and len(self._said) < SENTENCES_MAX:
                found: list[str] = []
                match await self._next(reading, is_flowing=is_flowing):
                    case None:
                        yield self._filler()
                    case Words(text=text):
                        is_flowing = is_flowing or bool(text)
                        found = sentences.feed(text)
                    case Wish() as wish:
                        self._wishes.append(wish)
                    case Finished():
                        is_finished = True
                        found = sentences.end()
                for sentence in filter(new.is_new, found):
                    yield self._say(sentence)
            if not self._wishes and not self._has_said():
                raise Unanswered("the model gave an empty answer", may_retry=True)
        finally:
            await reading.close()

    async def _next(self, reading: Reading, *, is_flowing: bool) -> Piece | None:
        """Return the next piece, or None when it is time to say "one moment"."""
        until_s = self._until_s
        if is_flowing:
            until_s = min(until_s, self._loop.time() + STALL_MS / 1000)
        if self._may_fill and not self._said and self._slow_s < until_s:
            return await reading.next(self._slow_s)
        piece = await reading.next(until_s)
        if piece is None:
            raise Unanswered("the model did not go on in time", may_retry=True)
        return piece

    def _request(self) -> list[Message]:
        """The messages, and what of this round is out already."""
        said = self._said[self._said_in_round :]
        if not said:
            return joined(self._messages)
        out = {"role": "assistant", "content": " ".join(said)}
        return joined([*self._messages, out, user(go_on(said[-1]))])

    def _say(self, sentence: str) -> Act:
        self._said.append(sentence)
        self._until_s = self._loop.time() + self._patience_s
        field = asked(sentence)
        return Ask(sentence, field) if field else Say(sentence)

    def _filler(self) -> Act:
        self._may_fill = False
        is_first = self._turn.reason == "opening" and not self._call.is_greeted
        return Say(FILLERS[1] if is_first else FILLERS[0])

    def _has_said(self) -> bool:
        return bool(self._said or self._said_before)

    def _granted(self) -> tuple[list[Act], bool]:
        """Return the acts that the model's calls become, and whether it is to go on after them."""
        acts: list[Act] = []
        answers: list[tuple[Wish, str]] = []
        errors: list[tuple[Wish, str]] = []
        for wish in self._wishes:
            try:
                meant = self._functions.acts(
                    wish.name,
                    wish.arguments,
                    self._call,
                    is_keyed=self._turn.reason == "keys",
                )
            except ToolArguments as wrong:
                self._note("call_refused", wrong)
                errors.append((wish, f"Error: {wrong}"))
            else:
                answers.append((wish, NOT_DONE if any(map(is_last, meant)) else NOTED))
                acts.extend(act for act in meant if act not in acts)
        if errors and not self._was_corrected:
            self._was_corrected = True
            self._messages.extend(self._told([*answers, *errors]))
            return [act for act in acts if not is_last(act)], True
        if any(map(is_last, acts)):
            self._is_over = True
            return [*self._words_before(acts), *acts], False
        if not answers or self._is_asking():
            return acts, False
        self._messages.extend(self._told(answers))
        return acts, True

    def _is_asking(self) -> bool:
        """Whether the last words of this round leave the floor to the caller."""
        said = self._said[self._said_in_round :]
        return bool(said) and bool(asked(said[-1]))

    def _words_before(self, acts: list[Act]) -> list[Act]:
        """What the caller hears at the least before a tool works, or a call ends."""
        if self._has_said() or not self._may_fill:
            return []
        lines = [line.text for line in self._call.transcript if line.who == "agent"]
        for act in acts:
            match act:
                case HangUp():
                    return [Say(FAREWELL)]
                case Transfer():
                    return [Say(TRANSFER_LINE)]
                case UseTool() if not lines or lines[-1] not in FILLERS:
                    return [self._filler()]
                case _:
                    continue
        return []

    def _told(self, answers: list[tuple[Wish, str]]) -> list[Message]:
        """The model's own message of this round, and what came of its calls."""
        calls, results = [], []
        for wish, text in answers:
            self._wishes_made += 1
            id_ = f"wish{self._wishes_made:05d}"
            calls.append((id_, *_sound(wish)))
            results.append(answer(id_, text))
        return [called(calls, " ".join(self._said[self._said_in_round :])), *results]

    def _note(self, action: str, trouble: object, **extra: object) -> None:
        told = {"action": action, "call_sid": self._call.call_sid, **extra}
        _log.warning("! the model failed us: %s", trouble, extra=told)


def _sound(wish: Wish) -> tuple[str, str]:
    """A call as any server takes it back, whatever the model made of it."""
    name = "".join(
        sign for sign in wish.name if sign.isascii() and (sign.isalnum() or sign in "_-")
    )
    try:
        is_object = isinstance(json.loads(wish.arguments), dict)
    except (ValueError, RecursionError):
        is_object = False
    return name[:64] or "unknown", wish.arguments if is_object else "{}"


def _known_before(call: Call, turn: Turn) -> list[Act]:
    """What is noted at the beginning of a call without asking: what the directory knows."""
    if turn.reason not in ("opening", "context_lost"):
        return []
    filled = [
        Fill(field, call.parameters[parameter], "directory")
        for field, parameter in PARAMETERS.items()
        if call.parameters.get(parameter) and field not in call.fields
    ]
    return [*([] if call.stage else [Enter("intake")]), *filled]
