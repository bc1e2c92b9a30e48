import pytest

from service.agent.intake.form import NO_TICKET
from service.agent.intake.readback import READ_BACK, WHICH_FIELD
from service.agent.intake.repair import GIVING_UP_LINE, PERSON_LINE, TIME_LINE, UNHEARD_LINE
from service.call import acts as a, events as e, inputs as i
from service.call.decisions.ending import UNDIALABLE_LINE
from service.call.decisions.resume import LOST_LINE, SILENCE_LINE, STALE_MS, STILL_RIGHT
from service.call.state import FROM_PAGE, Call, Field, Turn
from tests.agent.dialogue import Dialogue, reply

KNOWN = {"client_name": "Maria Lopez", "company": "Acme", "ticket_id": "TKT-1234"}
REQUESTED = ("name", "company", "ticket_id", "problem")


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
        "your ticket is TKT-1234. You said: The printer smokes. Is that right?"
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
    known = talk.call.fields["ticket_id"]
    assert (known.value, known.source, known.confidence_milli) == ("1234", "keys", 1000)


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


@pytest.mark.asyncio
async def test_answers_bear_how_sure_they_are() -> None:
    talk = Dialogue(company="Acme")
    await talk.begin()
    await talk.say("Maria Lopes, that's L O P E Z.", "It's T K T 1 2 3 4.", "It smokes.")
    found = {name: (one.source, one.confidence_milli) for name, one in talk.call.fields.items()}
    assert found == {
        "company": ("directory", 900),
        "name": ("speech", 950),
        "ticket_id": ("speech", 950),
        "problem": ("speech", 800),
    }


@pytest.mark.asyncio
async def test_digits_alone_are_completed_with_the_letters_that_the_directory_knows() -> None:
    talk = Dialogue(**KNOWN)
    await talk.begin()
    await talk.say("It smokes.", "No, the ticket is wrong.")
    await talk.key("4821#")
    assert talk.values()["ticket_id"] == "TKT-4821"


@pytest.mark.asyncio
async def test_several_answers_at_once_are_taken_at_once() -> None:
    talk = Dialogue()
    await talk.begin()
    await talk.say("My name is Maria Lopez, I'm calling from Acme, it's about T K T 1234.")
    assert talk.call.asked == "problem"
    assert talk.values() == {"name": "Maria Lopez", "company": "Acme", "ticket_id": "TKT-1234"}


@pytest.mark.asyncio
async def test_a_name_is_put_right_when_the_next_question_was_asked_already() -> None:
    talk = Dialogue()
    await talk.begin()
    await talk.say("Mario Lopez", "No, my name is Maria Lopez.")
    assert (talk.values()["name"], talk.call.asked) == ("Maria Lopez", "company")
    await talk.say("I'm calling from Acme.")
    assert talk.values()["company"] == "Acme"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("No, my name is Mario Lopez.", "name", "Mario Lopez"),
        ("no, the company is called globex", "company", "globex"),
        ("No, the company name is Globex.", "company", "Globex"),
        ("No, it's T K T 9 9 9.", "ticket_id", "TKT-999"),
        ("the ticket is four eight two one", "ticket_id", "TKT-4821"),
    ],
)
async def test_a_correction_in_the_answer_to_the_read_back_is_taken(
    words: str, field: str, value: str
) -> None:
    talk = Dialogue(**KNOWN)
    await talk.begin()
    await talk.say("It smokes.", words)
    assert talk.values() == {**talk.values(), field: value}
    assert talk.values()["name"] == ("Mario Lopez" if field == "name" else "Maria Lopez")
    assert talk.call.asked == READ_BACK


@pytest.mark.asyncio
async def test_what_is_not_understood_gets_more_help_each_time_and_then_a_person() -> None:
    talk = Dialogue()
    await talk.begin()
    await talk.say("", "")
    assert talk.said == (
        "Sorry, I still didn't get it. Could you spell your name for me, letter by letter?"
    )
    await talk.say("")
    assert talk.said == GIVING_UP_LINE
    assert (talk.call.stage, talk.story.effects) == ("transferring", [i.TransferCall("")])


@pytest.mark.asyncio
async def test_silence_gets_more_help_each_time_and_then_a_person() -> None:
    talk = Dialogue(client_name="Maria", company="Acme")
    await talk.begin()
    await talk.be_silent()
    assert talk.said.startswith("Are you still there? What is your ticket number?")
    await talk.be_silent()
    assert talk.said == (
        "I can't hear you. You can also key in the digits of the ticket number, and press hash."
    )
    await talk.be_silent()
    assert (talk.said, talk.call.ending) == (UNHEARD_LINE, "transfer")


@pytest.mark.asyncio
async def test_help_begins_anew_with_the_next_question() -> None:
    talk = Dialogue()
    await talk.begin()
    await talk.say("", "", "Maria", "")
    assert talk.said == "Sorry, which company was that?"


@pytest.mark.asyncio
async def test_a_person_is_given_to_whoever_asks_for_one_at_any_time() -> None:
    for words in ("Can I talk to a real person?", "Agent.", "No. I want to speak to someone."):
        talk = Dialogue(**KNOWN)
        await talk.begin()
        await talk.say(words)
        assert (talk.said, talk.call.ending) == (PERSON_LINE, "transfer")
    talk = Dialogue()
    await talk.begin()
    await talk.key("0#")
    assert (talk.said, talk.call.ending) == (PERSON_LINE, "transfer")


@pytest.mark.asyncio
async def test_a_caller_on_a_page_is_told_that_there_is_nobody_and_asked_again() -> None:
    talk = Dialogue(**KNOWN)
    opened = e.CallOpened(call_sid="PA1", direction=FROM_PAGE, parameters=KNOWN)
    talk.story.write(opened, is_outside=True)
    await talk.begin()
    question = talk.said
    await talk.say("Can I talk to a real person?")
    assert talk.said.startswith(UNDIALABLE_LINE)
    assert question.endswith(talk.said.removeprefix(UNDIALABLE_LINE).strip())
    assert (talk.call.ending, PERSON_LINE in talk.lines) == ("", False)


@pytest.mark.asyncio
async def test_who_says_goodbye_is_let_go_and_nothing_is_promised() -> None:
    talk = Dialogue(**KNOWN)
    await talk.begin()
    await talk.say("That's all, thank you, goodbye.")
    assert (talk.said, talk.story.effects) == (
        "Thank you for calling. Goodbye.",
        [i.EndCall()],
    )
    assert "problem" not in talk.values()


@pytest.mark.asyncio
async def test_a_yes_with_a_goodbye_is_a_yes() -> None:
    talk = Dialogue(**KNOWN)
    await talk.begin()
    await talk.say("It smokes.", "Yes, thank you, bye.")
    assert talk.said == "Thank you, I have noted everything. Thank you for calling. Goodbye."
    assert all(field.confirmed for field in talk.call.fields.values())


@pytest.mark.asyncio
async def test_who_did_not_hear_hears_the_last_words_again() -> None:
    talk = Dialogue(**KNOWN)
    await talk.begin()
    await talk.say("What did you say?")
    assert talk.said.startswith("Hello Maria Lopez from Acme")
    assert talk.said.endswith("Please tell me in a sentence what the problem is.")
    talk.story.drop()
    await talk.come_back(gap_ms=3_000)
    assert talk.said == SILENCE_LINE
    await talk.say("It smokes.", "Sorry, can you repeat that?")
    assert talk.said.startswith("Let me read that back: your name is Maria Lopez")
    assert talk.call.asked == READ_BACK


@pytest.mark.asyncio
async def test_nobody_goes_round_in_circles_for_ever() -> None:
    for words in ("What?", "Hello?"):
        talk = Dialogue()
        await talk.begin()
        for _ in range(9):
            await talk.say(words)
        assert (talk.said, talk.call.ending) == (UNHEARD_LINE, "transfer")


@pytest.mark.asyncio
async def test_who_asks_whether_we_are_there_or_for_time_gets_it() -> None:
    talk = Dialogue(**KNOWN)
    await talk.begin()
    await talk.say("Hello, are you still there?")
    assert talk.said == "Yes, I'm here. Please tell me in a sentence what the problem is."
    await talk.say("Well, um, let me think about it.")
    assert (talk.said, talk.call.asked) == (TIME_LINE, "problem")
    await talk.say("It smokes.")
    assert talk.call.asked == READ_BACK


@pytest.mark.asyncio
@pytest.mark.parametrize("words", ["Yes.", "Okay, sure.", "Hm.", "Hi!"])
async def test_what_tells_nothing_is_no_problem(words: str) -> None:
    talk = Dialogue(**KNOWN)
    await talk.begin()
    await talk.say(words)
    assert (talk.call.asked, talk.said) == (
        "problem",
        "Sorry, could you describe the problem again?",
    )


async def stale(**parameters: str) -> Dialogue:
    """A caller who told half and comes back much later."""
    talk = Dialogue(**parameters)
    await talk.begin()
    await talk.say("Maria Lopez", "Acme")
    talk.story.drop()
    talk.story.now_ms += STALE_MS
    await talk.come_back(gap_ms=STALE_MS)
    assert talk.call.asked == STILL_RIGHT
    return talk


@pytest.mark.asyncio
async def test_old_answers_that_are_still_right_are_confirmed_and_only_the_rest_is_asked() -> None:
    talk = await stale()
    await talk.say("Yes, that's right.")
    assert talk.call.asked == "ticket_id"
    assert all(field.confirmed for field in talk.call.fields.values())
    assert len(talk.call.fields) == 2


@pytest.mark.asyncio
async def test_an_old_answer_that_is_wrong_by_now_is_asked_again() -> None:
    talk = await stale()
    await talk.say("No.")
    assert (talk.call.asked, talk.said) == (WHICH_FIELD, "Which part is wrong: name or company?")
    await talk.key("2#")
    assert (talk.call.asked, list(talk.values())) == ("company", ["name"])
    await talk.say("Globex.")
    assert (talk.values()["company"], talk.call.asked) == ("Globex", "ticket_id")


@pytest.mark.asyncio
async def test_a_question_about_old_answers_is_asked_in_other_words_then_by_keys() -> None:
    talk = await stale()
    await talk.say("Hm?")
    assert talk.said == "Sorry, I need a yes or a no. Is everything that I said still right?"
    await talk.be_silent()
    assert talk.said.endswith("You can also press 1 for yes, or 2 for no.")
    await talk.key("1#")
    assert talk.call.asked == "ticket_id"


@pytest.mark.asyncio
async def test_the_read_back_is_asked_again_with_keys_and_then_a_person_comes() -> None:
    talk = Dialogue(**KNOWN)
    await talk.begin()
    await talk.say("It smokes.", "Banana.", "Banana.")
    assert talk.said.endswith("You can also press 1 for yes, or 2 for no.")
    await talk.key("7#")
    assert talk.call.ending == "transfer"


@pytest.mark.asyncio
async def test_the_wrong_part_may_be_answered_with_what_is_right() -> None:
    talk = Dialogue(**KNOWN)
    await talk.begin()
    await talk.say("It smokes.", "No.", "My name is Mario Lopez.")
    assert (talk.values()["name"], talk.call.asked) == ("Mario Lopez", READ_BACK)


@pytest.mark.asyncio
async def test_nothing_is_wrong_after_all() -> None:
    talk = Dialogue(**KNOWN)
    await talk.begin()
    await talk.say("It smokes.", "No.", "Oh, it's all right, yes.")
    assert talk.call.stage == "done"
