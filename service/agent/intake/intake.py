"""The intake agent: asks a caller for what a support team needs, and reads it back.

Form-driven: the questions are the table of form.py, top to bottom. What is known, from the directory or
from before a drop, is not asked. The agent keeps nothing itself: which field was asked last, what is
filled and what tools brought stand in the call's state. It never waits, so each answer is one write.

    opening ──> name ──> company ──> ticket_id ──> problem ──> read back ──> passed on ──> end
                                         └─ looked up         └─ no ──> which part ──> asked again
"""

from collections.abc import AsyncIterator, Callable

from msgspec.structs import replace

from service.agent.intake import errands, readback, reading
from service.agent.intake.form import (
    ALIKE_MILLI,
    DIRECTORY_MILLI,
    FROM_PARAMETERS,
    NO_TICKET,
    SPELLED_MILLI,
    Question,
    missing,
    question,
)
from service.agent.intake.readback import READ_BACK, WHICH_FIELD
from service.agent.intake.repair import (
    PERSON_LINE,
    TIME_LINE,
    Wordings,
    repaired,
    repeated,
    restated,
    to_person,
)
from service.agent.intake.sayings import SAYINGS
from service.agent.intake.wish import wish
from service.call.acts import Act, Ask, Confirm, Enter, Fill, Forget, HangUp, Say, Transfer
from service.call.decisions import resume
from service.call.decisions.resume import STILL_RIGHT
from service.call.state import Call, Field, Turn

PERSON_KEY = "0"  # what callers press everywhere when they want a person; no ticket is 0

_JUDGING = frozenset({READ_BACK, STILL_RIGHT, WHICH_FIELD, errands.WANTS_LOOKUP})
_LINES_OF_RULES = frozenset(
    {resume.LOST_LINE, resume.INTERRUPTED_LINE, resume.SILENCE_LINE, resume.WORKING_LINE}
)


class Intake:
    """Takes name, company, ticket ID and the problem; confirms them; passes them on.

    `tools` names the tools that the deployment has; errands.py knows what to do with which.
    """

    phrases = SAYINGS

    def __init__(self, tools: frozenset[str] = frozenset()) -> None:
        self._tools = tools

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        """Answer one turn."""
        for act in _Reply(call, turn, self._tools).acts():
            yield act


class _Reply:
    """The answer to one turn. `_call` is the call as this answer will have made it."""

    def __init__(self, call: Call, turn: Turn, tools: frozenset[str]) -> None:
        self._call = call
        self._turn = turn
        self._tools = tools

    def acts(self) -> list[Act]:
        """What is said and done."""
        if self._turn.reason == "opening":
            filled = self._from_directory()
            greeting = Say(_greeting(self._call))
            return [Enter("intake"), *filled, greeting, *self._onward(is_waiting=False)]
        if self._turn.reason == "context_lost":
            return [*self._from_directory(), *self._onward()]
        news = errands.news(self._call, self._turn.operations)
        return [*self._filled(*news.fills), *map(Say, news.lines), *self._after(news)]

    def _after(self, news: errands.News) -> list[Act]:
        """Go on once it is told what tools brought."""
        if news.ending == "transfer":
            return [Enter("transferring"), Transfer()]
        if news.ending == "done":
            return [HangUp()]
        reason = self._turn.reason
        if news.ask is not None and (reason == "operation" or self._is_settled()):
            return [news.ask]
        if reason == "operation":
            return self._open_again()
        if errands.is_closing(self._call):
            return self._heard_at_the_end()
        if reason == "silence":
            return self._onward() if self._is_settled() else self._repaired()
        if reason == "keys" and self._turn.text == PERSON_KEY:
            return to_person(PERSON_LINE)
        return self._wished() or self._heard()

    def _onward(self, *, is_waiting: bool = True) -> list[Act]:
        """Take the next step of the form: a lookup, a question, the read-back, or the end.

        While nobody waits for the lookup, because something is being said anyway, it is not announced.
        """
        call = self._call
        lookup = errands.lookup(call, self._tools)
        if lookup is not None:
            return [Say(errands.LOOKING_LINE), lookup] if is_waiting else [lookup]
        asked = missing(call, self._tools)
        if asked is not None:
            return [Ask(asked.wordings.first, asked.field)]
        if not all(field.confirmed for field in call.fields.values()):
            return [Enter("confirming"), Ask(readback.summary(call), READ_BACK)]
        errand = errands.closing(call, self._tools)
        if errand is None:
            return [Enter("done"), Say(errands.NOTED_FAREWELL), HangUp()]
        return [Enter("done"), Say(errands.SAVING_LINE), errand]

    def _open_again(self) -> list[Act]:
        """Come back to the question that was open when a tool's news came in."""
        asked = self._call.asked
        is_judging = asked in (READ_BACK, STILL_RIGHT, WHICH_FIELD)
        return [Ask(self._wordings().first, asked)] if is_judging else self._onward()

    def _heard_at_the_end(self) -> list[Act]:
        """Everything is confirmed and being passed on; the farewell follows when that is done."""
        if self._turn.reason == "speech" and wish(self._turn.text) == "goodbye":
            return [Say(errands.FAREWELL), HangUp()]
        return [Say(errands.STILL_SAVING_LINE)]

    def _wished(self) -> list[Act]:
        """What the caller may wish at any time; nothing when they wish for nothing of it."""
        wished = wish(self._turn.text) if self._turn.reason == "speech" else ""
        if wished == "person":
            return to_person(PERSON_LINE)
        if wished == "goodbye" and not self._agrees():
            return [Enter("done"), Say(errands.FAREWELL), HangUp()]
        if wished == "repeat":
            return repeated(self._call, self._wordings().first, _LINES_OF_RULES)
        if wished == "presence" and not self._is_settled():
            return restated(self._call, self._wordings())
        return [Say(TIME_LINE)] if wished == "time" else []

    def _agrees(self) -> bool:
        is_asked = self._call.asked in (READ_BACK, STILL_RIGHT)
        return is_asked and readback.agreed(self._turn) is True

    def _heard(self) -> list[Act]:
        """Take words or keys as the answer to what was asked last."""
        asked = self._call.asked
        ways: dict[str, Callable[[], list[Act]]] = {
            READ_BACK: self._read_back_heard,
            STILL_RIGHT: self._read_back_heard,
            WHICH_FIELD: self._which_heard,
            errands.WANTS_LOOKUP: self._lookup_heard,
        }
        if asked in ways:
            return ways[asked]()
        doubted = question(asked.removeprefix(errands.CONFIRM))
        if doubted is None:
            return self._ahead()
        is_doubted = asked.startswith(errands.CONFIRM)
        return self._confirmation_heard(doubted) if is_doubted else self._answered(doubted)

    def _answered(self, asked: Question) -> list[Act]:
        """Take the turn as the answer to a question of the form."""
        heard = reading.answer(self._call, self._turn, asked)
        others = reading.volunteered(self._call, self._turn, asked)
        if self._is_settled() and heard.value in ("", NO_TICKET):
            return self._ahead()
        if not heard.value:
            return [*self._filled(*others), *self._onward()] if others else self._repaired()
        source = "keys" if self._turn.reason == "keys" else "speech"
        fill = Fill(asked.field, heard.value, source, heard.confidence_milli)
        filled = self._filled(fill, *others)
        alike = errands.candidate(self._call, asked.field)
        if not alike or self._was_told(alike):
            return [*filled, *self._onward()]
        doubtful = Fill(asked.field, heard.value, source, ALIKE_MILLI)
        return [doubtful, *filled[1:], errands.doubt(self._call, asked.field)]

    def _ahead(self) -> list[Act]:
        """Go on after words that answer no open question, unless they answer the next one."""
        following = missing(self._call, self._tools)
        return [*self._filled(*reading.ahead(self._call, self._turn, following)), *self._onward()]

    def _read_back_heard(self) -> list[Act]:
        is_right = readback.agreed(self._turn)
        if is_right:
            return self._confirmed()
        corrections = self._corrected()
        if corrections or is_right is None:
            return corrections or self._repaired()
        wrong = readback.named(self._turn, self._call) if self._turn.reason == "speech" else None
        if wrong is not None:
            return self._forgotten(wrong)
        return [Ask(readback.wordings(self._call, WHICH_FIELD).first, WHICH_FIELD)]

    def _which_heard(self) -> list[Act]:
        """Find the part that is wrong, by its new value or by its name; perhaps it is none after all."""
        corrections = self._corrected()
        if corrections:
            return corrections
        wrong = readback.named(self._turn, self._call)
        if wrong is not None:
            return self._forgotten(wrong)
        is_speech = self._turn.reason == "speech"
        return self._confirmed() if is_speech and readback.agreed(self._turn) else self._repaired()

    def _corrected(self) -> list[Act]:
        """Take the new values that the caller told as such; nothing when there are none."""
        corrections = reading.corrections(self._call, self._turn)
        return [*self._filled(*corrections), *self._onward()] if corrections else []

    def _confirmed(self) -> list[Act]:
        fields = {name: replace(field, confirmed=True) for name, field in self._call.fields.items()}
        self._call = replace(self._call, fields=fields)
        return [*map(Confirm, fields), *self._onward()]

    def _forgotten(self, wrong: Question) -> list[Act]:
        kept = {name: one for name, one in self._call.fields.items() if name != wrong.field}
        self._call = replace(self._call, fields=kept)
        return [Forget(wrong.field), Ask(wrong.wordings.first, wrong.field)]

    def _lookup_heard(self) -> list[Act]:
        is_wanted = readback.agreed(self._turn)
        if is_wanted is None:
            return self._repaired()
        again = errands.lookup(self._call, self._tools, is_again=True) if is_wanted else None
        return [Say(errands.LOOKING_LINE), again] if again else self._onward()

    def _confirmation_heard(self, asked: Question) -> list[Act]:
        """A doubtful answer was read out alone: is it right? Who says no has said what they said."""
        field = asked.field
        is_right, alike = readback.agreed(self._turn), errands.candidate(self._call, field)
        if is_right and alike:
            filled = self._filled(Fill(field, alike, "speech", SPELLED_MILLI))
            return [*filled, Confirm(field), *self._onward()]
        if is_right:
            return [Confirm(field), *self._onward()]
        corrections = self._corrected()
        if corrections or is_right is None:
            return corrections or self._repaired()
        return self._onward() if alike else self._forgotten(asked)

    def _repaired(self) -> list[Act]:
        return repaired(self._call, self._turn, self._wordings(), self._call.asked)

    def _wordings(self) -> Wordings:
        """The ways to ask what was asked last."""
        asked = self._call.asked
        if asked == errands.WANTS_LOOKUP:
            return errands.AGAIN
        if asked.startswith(errands.CONFIRM):
            return errands.confirmation(self._call, asked.removeprefix(errands.CONFIRM))
        found = question(asked)
        return readback.wordings(self._call, asked) if found is None else found.wordings

    def _is_settled(self) -> bool:
        """Whether what was asked last needs no answer any more."""
        asked = self._call.asked
        if question(asked) is not None:
            return asked in self._call.fields
        return asked not in _JUDGING and not asked.startswith(errands.CONFIRM)

    def _was_told(self, value: str) -> bool:
        """Whether we said it before: who answers otherwise then knows better."""
        return any(value in line.text for line in self._call.transcript if line.who != "caller")

    def _from_directory(self) -> list[Act]:
        return self._filled(
            *(
                Fill(field, self._call.parameters[parameter], "directory", DIRECTORY_MILLI)
                for field, parameter in FROM_PARAMETERS.items()
                if self._call.parameters.get(parameter) and field not in self._call.fields
            )
        )

    def _filled(self, *fills: Fill) -> list[Act]:
        """Fill fields; what follows in this answer knows them already."""
        fields = {one.field: Field(one.value, source=one.source) for one in fills}
        self._call = replace(self._call, fields={**self._call.fields, **fields})
        return list(fills)


def _greeting(call: Call) -> str:
    name, company, ticket = (call.parameters.get(one, "") for one in FROM_PARAMETERS.values())
    hello = f"Hello {name}" if name else "Hello"
    at = f" from {company}" if company else ""
    about = f" I see this is about ticket {ticket}." if ticket else ""
    return f"{hello}{at}, thank you for calling support.{about}"
