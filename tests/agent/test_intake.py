import pytest

from service.agent.intake import NO_TICKET, READ_BACK, WHICH_FIELD, Intake
from service.call import acts as a, events as e, inputs as i
from service.call.resume import LOST_LINE
from service.call.state import Call, Field, Turn
from tests.call.story import Story

KNOWN = {"client_name": "Maria Lopez", "company": "Acme", "ticket_id": "TKT-1234"}
REQUESTED = ("name", "company", "ticket_id", "problem")


class Dialogue:
    """A caller and the intake agent, over as many streams as it takes."""

    def __init__(self, **parameters: str) -> None:
        self.story = Story()
        self.story.opened(**parameters)
        self.streams = 0

    @property
    def call(self) -> Call:
        return self.story.call

    @property
    def said(self) -> str:
        """Our last line."""
        return next(line.text for line in reversed(self.call.transcript) if line.who == "agent")

    async def begin(self) -> None:
        """The first stream attaches, and the greeting is heard."""
        await self.come_back()

    async def come_back(self, *, gap_ms: int = 500, lost: str = "") -> None:
        """A stream attaches; what is to be said is heard."""
        self.streams += 1
        self.story.attach(f"MZ{self.streams}", gap_ms=gap_ms, lost=lost)
        await self._answer()

    async def say(self, text: str) -> None:
        """The caller says something and hears the answer."""
        self.story.happen(i.SpeechBegan())
        self.story.happen(i.Utterance(text, duration_ms=1_000))
        await self._answer()

    async def key(self, keys: str) -> None:
        """The caller presses keys and hears the answer."""
        for key in keys:
            self.story.happen(i.Key(key))
        await self._answer()

    def half_say(self, text: str) -> None:
        """The line goes in the middle of what the caller says."""
        self.story.happen(i.SpeechBegan())
        self.story.happen(i.Utterance(text, duration_ms=1_000, is_partial=True))
        self.story.drop()

    async def _answer(self) -> None:
        while (turn := self.call.turn) is not None:
            acts = [act async for act in Intake().reply(self.call, turn)]
            self.story.happen(i.Answered(turn.number, tuple(acts)))
        self.story.hear_out()

    def values(self) -> dict[str, str]:
        return {name: field.value for name, field in self.call.fields.items()}


async def reply(call: Call, turn: Turn) -> list[a.Act]:
    return [act async for act in Intake().reply(call, turn)]


@pytest.mark.asyncio
async def test_a_known_caller_is_asked_for_the_problem_alone() -> None:
    talk = Dialogue(**KNOWN)
    await talk.begin()
    assert talk.call.transcript[0].text == (
        "Hello Maria Lopez from Acme, thank you for calling support. "
        "I see this is about ticket TKT-1234."
    )
    assert talk.call.asked == "problem"
    await talk.say("The printer smokes.")
    assert talk.call.stage == "confirming"
    assert talk.said == (
        "Let me read that back: your name is Maria Lopez, you are calling from Acme, "
        "your ticket is TKT-1234, the problem is The printer smokes. Is that right?"
    )
    await talk.say("Yes, that's right.")
    assert talk.story.effects == [i.EndCall()]
    assert all(field.confirmed for field in talk.call.fields.values())
    assert (talk.call.stage, talk.call.fields["name"].source) == ("done", "directory")


@pytest.mark.asyncio
async def test_an_unknown_caller_is_asked_for_everything() -> None:
    talk = Dialogue()
    await talk.begin()
    assert talk.call.transcript[0].text == "Hello, thank you for calling support."
    assert talk.call.asked == "name"
    await talk.say("Hi, my name is Maria Lopez.")
    assert talk.call.asked == "company"
    await talk.say("I'm calling from Acme.")
    assert talk.call.asked == "ticket_id"
    await talk.say("It's T K T one two three four.")
    assert talk.call.asked == "problem"
    await talk.say("The printer smokes.")
    await talk.say("Yes.")
    assert talk.values() == {
        "name": "Maria Lopez",
        "company": "Acme",
        "ticket_id": "TKT-1234",
        "problem": "The printer smokes.",
    }
    assert talk.story.effects == [i.EndCall()]


@pytest.mark.asyncio
async def test_what_was_not_understood_is_asked_again() -> None:
    talk = Dialogue()
    await talk.begin()
    await talk.say("")
    assert talk.said.startswith("Sorry, I didn't get your name")
    await talk.say("What?")
    assert (talk.call.asked, talk.values()) == ("name", {})
    await talk.key("12#")
    assert (talk.call.asked, talk.values()) == ("name", {})


@pytest.mark.asyncio
async def test_who_has_no_ticket_needs_none_and_does_not_hear_of_it() -> None:
    talk = Dialogue(client_name="Maria", company="Acme")
    await talk.begin()
    await talk.say("I don't have one.")
    await talk.say("It smokes.")
    assert talk.values()["ticket_id"] == NO_TICKET
    assert "ticket" not in talk.said


@pytest.mark.asyncio
async def test_a_ticket_may_be_keyed_even_across_a_drop() -> None:
    talk = Dialogue(client_name="Maria", company="Acme")
    await talk.begin()
    await talk.key("12")
    talk.story.drop()
    await talk.come_back()
    await talk.key("34#")
    assert talk.call.fields["ticket_id"] == Field("1234", source="keys")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "objection", ["No, the ticket is wrong.", "No.|The ticket.", "No.|Hm?|My ticket number"]
)
async def test_a_wrong_ticket_is_corrected_and_read_back_again(objection: str) -> None:
    talk = Dialogue(**KNOWN)
    await talk.begin()
    await talk.say("It smokes.")
    for words in objection.split("|"):
        await talk.say(words)
    assert talk.call.asked == "ticket_id"
    assert "ticket_id" not in talk.values()
    await talk.say("T K T 9 9 9")
    assert talk.call.asked == READ_BACK
    assert "your ticket is TKT-999" in talk.said
    await talk.say("No, that's right.")
    assert talk.call.stage == "done"
    assert talk.values()["ticket_id"] == "TKT-999"


@pytest.mark.asyncio
async def test_the_read_back_needs_a_yes_or_a_no_in_words_or_keys() -> None:
    talk = Dialogue(**KNOWN)
    await talk.begin()
    await talk.say("It smokes.")
    await talk.say("What do you mean?")
    assert talk.said.startswith("Sorry, I need a yes or a no. Let me read that back: your name")
    await talk.key("2#")
    assert talk.call.asked == WHICH_FIELD
    await talk.say("The company name.")
    assert talk.call.asked == "company"
    await talk.say("Globex.")
    await talk.key("1#")
    assert talk.call.stage == "done"
    assert talk.values()["company"] == "Globex"


@pytest.mark.asyncio
@pytest.mark.parametrize("field", REQUESTED)
async def test_a_drop_in_the_middle_of_any_answer_costs_nothing(field: str) -> None:
    answers = {
        "name": ("My name is", "Maria Lopez."),
        "company": ("I'm calling", "from Acme."),
        "ticket_id": ("T K T one two", "three four."),
        "problem": ("The printer", "It smokes."),
    }
    whole = {"name": "It's Maria Lopez.", "company": "Acme.", "ticket_id": "TKT-1234"}
    talk = Dialogue()
    await talk.begin()
    for asked in REQUESTED:
        assert talk.call.asked == asked
        if asked != field:
            await talk.say(whole.get(asked, "It smokes."))
            continue
        first, rest = answers[asked]
        talk.half_say(first)
        await talk.come_back()
        assert talk.said.startswith("Sorry, I lost you for a second")
        assert talk.call.asked == asked
        await talk.say(rest)
    await talk.say("Yes.")
    assert talk.values() == {
        "name": "Maria Lopez",
        "company": "Acme",
        "ticket_id": "TKT-1234",
        "problem": "The printer It smokes." if field == "problem" else "It smokes.",
    }
    assert sum(isinstance(fact, e.Greeted) for fact, _ in talk.story.journal) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("asked", REQUESTED)
async def test_a_drop_while_any_question_is_asked_goes_on_with_it(asked: str) -> None:
    talk = Dialogue()
    await talk.begin()
    for field, words in (("name", "Maria."), ("company", "Acme."), ("ticket_id", "123"), ("", "")):
        if talk.call.asked == asked:
            break
        assert talk.call.asked == field
        await talk.say(words)
    talk.story.happen(i.Utterance("", duration_ms=1_000))
    turn = talk.call.turn
    assert turn is not None
    talk.story.happen(i.Answered(turn.number, tuple(await reply(talk.call, turn))))
    unheard = talk.call.prompts
    talk.story.drop()
    talk.story.attach("MZ9", gap_ms=5_000)
    assert talk.call.prompts == unheard
    assert talk.call.asked == asked


@pytest.mark.asyncio
async def test_a_lost_context_starts_from_the_directory_without_a_greeting() -> None:
    talk = Dialogue(**KNOWN)
    await talk.come_back(lost="the journal was gone")
    lines = [line.text for line in talk.call.transcript]
    assert lines == [LOST_LINE, "Please tell me in a sentence what the problem is."]
    await talk.say("It smokes.")
    await talk.say("Yes.")
    assert talk.call.stage == "done"
    assert talk.values()["name"] == "Maria Lopez"
    assert not any(isinstance(fact, e.Greeted) for fact, _ in talk.story.journal)


@pytest.mark.asyncio
async def test_a_caller_who_speaks_first_is_greeted_all_the_same() -> None:
    talk = Dialogue(**KNOWN)
    talk.story.attach("MZ0")
    await talk.say("Hello? Is anybody there?")
    assert talk.call.transcript[1].text.startswith("Hello Maria Lopez")


@pytest.mark.asyncio
async def test_a_caller_who_goes_on_after_the_farewell_is_not_asked_again() -> None:
    talk = Dialogue(**KNOWN)
    await talk.begin()
    await talk.say("It smokes.")
    await talk.say("Yes.")
    await talk.say("Thank you, bye.")
    assert talk.said.endswith("Goodbye.")


@pytest.mark.asyncio
async def test_a_call_without_a_question_open_asks_the_first_one_that_is() -> None:
    fields = {name: Field("x") for name in REQUESTED}
    turn = Turn(3, "speech", "Hello")
    assert await reply(Call(), turn) == [a.Ask("May I have your name, please?", "name")]
    acts = await reply(Call(fields=fields, asked="elsewhere"), turn)
    assert acts[0] == a.Enter("confirming")
    assert isinstance(acts[1], a.Ask)
    assert "your name is x, you are calling from x" in acts[1].text
