"""The intake agent: asks a caller for what a support team needs, and reads it back.

Form-driven: the questions are the table of form.py, top to bottom. What is known, from the directory or
from before a drop, is not asked. The agent keeps nothing itself: which field was asked last, what is
filled and what tools brought stand in the call's state. It never waits, so each answer is one write.

    opening ──> name ──> company ──> ticket_id ──> problem ──> read back ──> passed on ──> end
                                         └─ looked up         └─ no ──> which part ──> asked again
"""

from collections.abc import AsyncIterator, Callable

from service.agent.intake import errands, readback, reading, welcome
from service.agent.intake.draft import Draft
from service.agent.intake.form import (
    ALIKE_MILLI,
    NO_TICKET,
    Question,
    missing,
    question,
)
from service.agent.intake.judging import Judging
from service.agent.intake.readback import READ_BACK, WHICH_FIELD
from service.agent.intake.repair import (
    TIME_LINE,
    Wordings,
    repaired,
    repeated,
    restated,
    wanted,
)
from service.agent.intake.sayings import SAYINGS
from service.agent.intake.wish import wish
from service.call.acts import Act, Ask, Enter, Fill, GoOn, HangUp, Say, StartAfresh, Transfer
from service.call.decisions import resume
from service.call.decisions.ending import UNDIALABLE_LINE
from service.call.decisions.resume import STILL_RIGHT
from service.call.state import Call, Turn

PERSON_KEY = "0"  # what callers press everywhere when they want a person; no ticket is 0

_JUDGING = frozenset({READ_BACK, STILL_RIGHT, WHICH_FIELD, errands.WANTS_LOOKUP, welcome.GO_ON})
_LINES_OF_RULES = frozenset(
    {
        resume.LOST_LINE,
        resume.INTERRUPTED_LINE,
        resume.SILENCE_LINE,
        resume.WORKING_LINE,
        UNDIALABLE_LINE,
    }
)


class Intake:
    """Takes name, company, ticket ID and the problem; confirms them; passes them on.

    `tools` names the tools that the deployment has; errands.py knows what to do with which.
    """

    phrases = SAYINGS
    offers_earlier = True

    def __init__(self, tools: frozenset[str] = frozenset()) -> None:
        self._tools = tools

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        """Answer one turn."""
        for act in _Reply(call, turn, self._tools).acts():
            yield act


class _Reply:
    """The answer to one turn."""

    def __init__(self, call: Call, turn: Turn, tools: frozenset[str]) -> None:
        self._draft = Draft(call, turn, tools)
        self._judging = Judging(self._draft, self._onward, self._repaired)

    def acts(self) -> list[Act]:
        """What is said and done."""
        if self._draft.turn.reason == "opening":
            return self._opening()
        if self._draft.turn.reason == "context_lost":
            return [*self._draft.from_directory(), *self._onward()]
        news = errands.news(self._draft.call, self._draft.turn.operations)
        return [*self._draft.filled(*news.fills), *map(Say, news.lines), *self._after(news)]

    def _opening(self) -> list[Act]:
        call = self._draft.call
        filled = self._draft.from_directory()
        if welcome.is_open(call):
            return [Enter("intake"), *filled, *self._offered()]
        if welcome.is_taken(call):
            return [*filled, Say(welcome.BACK), *self._gone_on()]
        hello = Say(welcome.greeting(call))
        return [Enter("intake"), *filled, hello, *self._onward(is_waiting=False)]

    def _offered(self) -> list[Act]:
        return [Ask(welcome.offer(self._draft.call).first, welcome.GO_ON)]

    def _gone_on(self) -> list[Act]:
        """Go on with the earlier call: what is old is read back first, then its open question is asked."""
        call = self._draft.call
        is_stale = call.earlier is not None and call.earlier.is_stale
        if is_stale and call.fields:
            return [Enter("confirming"), Ask(readback.summary(call), READ_BACK)]
        return self._onward()

    def _offer_heard(self) -> list[Act]:
        """Take the answer to whether the caller wants to go on with the earlier call."""
        call, wanted = self._draft.call, welcome.agreed(self._draft.turn)
        if wanted:
            return [GoOn()]  # The next turn knows what the earlier call knew.
        if wanted is None and call.asks < welcome.ASKS_MAX:
            return self._repaired()
        self._draft.decline()
        told = self._draft.filled(*reading.corrections(self._draft.call, self._draft.turn))
        return [StartAfresh(), *told, Say(welcome.AFRESH), *self._onward()]

    def _after(self, news: errands.News) -> list[Act]:
        """Go on once it is told what tools brought."""
        if news.ending == "transfer":
            return [Enter("transferring"), Transfer(is_last_resort=True)]
        if news.ending == "done":
            return [HangUp()]
        reason = self._draft.turn.reason
        if news.ask is not None and (reason == "operation" or self._is_settled()):
            return [news.ask]
        if reason in ("operation", "earlier"):
            return self._open_again() if reason == "operation" else self._gone_on()
        if errands.is_closing(self._draft.call):
            return self._heard_at_the_end()
        if reason == "silence":
            return self._onward() if self._is_settled() else self._repaired()
        if reason == "keys" and self._draft.turn.text == PERSON_KEY:
            return self._person_wanted()
        return self._wished() or self._heard()

    def _onward(self, *, is_waiting: bool = True) -> list[Act]:
        """Take the next step of the form: a lookup, a question, the read-back, or the end.

        While nobody waits for the lookup, because something is being said anyway, it is not announced.
        """
        call = self._draft.call
        if welcome.is_open(call):
            return self._offered()
        lookup = errands.lookup(call, self._draft.tools)
        if lookup is not None:
            return [Say(errands.LOOKING_LINE), lookup] if is_waiting else [lookup]
        asked = missing(call, self._draft.tools)
        if asked is not None:
            return [Ask(asked.wordings.first, asked.field)]
        if not all(field.confirmed for field in call.fields.values()):
            return [Enter("confirming"), Ask(readback.summary(call), READ_BACK)]
        before = errands.closed_before(call)
        if before is not None:
            end = Transfer(is_last_resort=True) if before.ending == "transfer" else HangUp()
            return [Enter("done"), *map(Say, before.lines), end]
        errand = errands.closing(call, self._draft.tools)
        if errand is None:
            return [Enter("done"), Say(errands.NOTED_FAREWELL), HangUp()]
        return [Enter("done"), Say(errands.SAVING_LINE), errand]

    def _open_again(self) -> list[Act]:
        """Come back to the question that was open when a tool's news came in."""
        asked = self._draft.call.asked
        is_judging = asked in (READ_BACK, STILL_RIGHT, WHICH_FIELD, welcome.GO_ON)
        return [Ask(self._wordings().first, asked)] if is_judging else self._onward()

    def _heard_at_the_end(self) -> list[Act]:
        """Everything is confirmed and being passed on; the farewell follows when that is done."""
        if self._draft.turn.reason == "speech" and wish(self._draft.turn.text) == "goodbye":
            return [Say(errands.FAREWELL), HangUp()]
        return [Say(errands.STILL_SAVING_LINE)]

    def _wished(self) -> list[Act]:
        """What the caller may wish at any time; nothing when they wish for nothing of it."""
        wished = wish(self._draft.turn.text) if self._draft.turn.reason == "speech" else ""
        if wished == "person":
            return self._person_wanted()
        if wished == "goodbye" and not self._agrees():
            return [Enter("done"), Say(errands.FAREWELL), HangUp()]
        if wished == "repeat":
            return repeated(self._draft.call, self._wordings().first, _LINES_OF_RULES)
        if wished == "presence" and not self._is_settled():
            return restated(self._draft.call, self._wordings())
        return [Say(TIME_LINE)] if wished == "time" else []

    def _person_wanted(self) -> list[Act]:
        is_settled = self._is_settled()
        return wanted(self._draft.call, self._wordings(), is_settled=is_settled)

    def _agrees(self) -> bool:
        is_asked = self._draft.call.asked in (READ_BACK, STILL_RIGHT)
        return is_asked and readback.agreed(self._draft.turn) is True

    def _heard(self) -> list[Act]:
        """Take words or keys as the answer to what was asked last."""
        asked = self._draft.call.asked
        ways: dict[str, Callable[[], list[Act]]] = {
            welcome.GO_ON: self._offer_heard,
            READ_BACK: self._judging.read_back_heard,
            STILL_RIGHT: self._judging.read_back_heard,
            WHICH_FIELD: self._judging.which_heard,
            errands.WANTS_LOOKUP: self._judging.lookup_heard,
        }
        if asked in ways:
            return ways[asked]()
        doubted = question(asked.removeprefix(errands.CONFIRM))
        if doubted is None:
            return self._ahead()
        is_doubted = asked.startswith(errands.CONFIRM)
        return self._judging.confirmation_heard(doubted) if is_doubted else self._answered(doubted)

    def _answered(self, asked: Question) -> list[Act]:
        """Take the turn as the answer to a question of the form."""
        heard = reading.answer(self._draft.call, self._draft.turn, asked)
        others = reading.volunteered(self._draft.call, self._draft.turn, asked)
        if self._is_settled() and heard.value in ("", NO_TICKET):
            return self._ahead()
        if not heard.value:
            return [*self._draft.filled(*others), *self._onward()] if others else self._repaired()
        source = "keys" if self._draft.turn.reason == "keys" else "speech"
        fill = Fill(asked.field, heard.value, source, heard.confidence_milli)
        filled = self._draft.filled(fill, *others)
        alike = errands.candidate(self._draft.call, asked.field)
        if not alike or self._draft.was_told(alike):
            return [*filled, *self._onward()]
        doubtful = Fill(asked.field, heard.value, source, ALIKE_MILLI)
        return [doubtful, *filled[1:], errands.doubt(self._draft.call, asked.field)]

    def _ahead(self) -> list[Act]:
        """Go on after words that answer no open question, unless they answer the next one."""
        following = missing(self._draft.call, self._draft.tools)
        return [
            *self._draft.filled(*reading.ahead(self._draft.call, self._draft.turn, following)),
            *self._onward(),
        ]

    def _repaired(self) -> list[Act]:
        return repaired(
            self._draft.call, self._draft.turn, self._wordings(), self._draft.call.asked
        )

    def _wordings(self) -> Wordings:
        """The ways to ask what was asked last."""
        asked = self._draft.call.asked
        if asked == welcome.GO_ON:
            return welcome.offer(self._draft.call)
        if asked == errands.WANTS_LOOKUP:
            return errands.AGAIN
        if asked.startswith(errands.CONFIRM):
            return errands.confirmation(self._draft.call, asked.removeprefix(errands.CONFIRM))
        found = question(asked)
        return readback.wordings(self._draft.call, asked) if found is None else found.wordings

    def _is_settled(self) -> bool:
        """Whether what was asked last needs no answer any more."""
        asked = self._draft.call.asked
        if question(asked) is not None:
            return asked in self._draft.call.fields
        return asked not in _JUDGING and not asked.startswith(errands.CONFIRM)
