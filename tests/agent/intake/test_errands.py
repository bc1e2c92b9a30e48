import json
from pathlib import Path

import pytest

from service.agent.intake import errands
from service.agent.intake.form import NO_TICKET
from service.agent.intake.readback import READ_BACK
from service.call import inputs as i
from service.call.acts import UseTool
from service.call.events import Status
from service.call.state import Call, Field, Operation
from service.tools.schema import Schema
from tests.agent.dialogue import TOOLS, Dialogue, Outcome

KNOWN = {"client_name": "Sarah Johnson", "company": "Acme", "ticket_id": "TKT-1234"}
FOUND = (
    '{"ticket_id":"TKT-1234","status":"in progress","subject":"The label printer stops.",'
    '"client_name":"Sarah Johnson","company":"Acme","notes":[]}'
)
NEWS = "I found your ticket: The label printer stops. Its status is: in progress."


async def known(tools: frozenset[str] = TOOLS) -> Dialogue:
    talk = Dialogue(tools, **KNOWN)
    await talk.begin()
    return talk


@pytest.mark.asyncio
async def test_a_known_ticket_is_looked_up_while_the_caller_is_greeted() -> None:
    talk = await known()
    assert (talk.pending.tool, talk.pending.arguments) == (
        "ticket_lookup",
        {"ticket_id": "TKT-1234"},
    )
    assert len(talk.lines) == 1
    await talk.tool_answers(FOUND)
    assert talk.lines[1:] == [NEWS, "Please tell me in a sentence what the problem is."]


@pytest.mark.asyncio
async def test_a_ticket_that_is_told_is_looked_up_and_its_status_is_told() -> None:
    talk = Dialogue(TOOLS)
    await talk.begin()
    await talk.say("Sarah Johnson", "Acme", "My ticket number is tkt1234.")
    assert talk.said == errands.LOOKING_LINE
    await talk.tool_answers(FOUND)
    assert talk.lines[-2:] == [NEWS, "Please tell me in a sentence what the problem is."]
    await talk.say("It smokes.")
    assert talk.call.asked == READ_BACK
    assert len(talk.call.operations) == 1


@pytest.mark.asyncio
async def test_the_callers_report_is_passed_on_and_only_then_is_it_said_to_be() -> None:
    talk = await known()
    await talk.tool_answers(FOUND)
    await talk.say("It smokes.", "Yes.")
    assert (talk.said, talk.story.effects[-1:] == [i.EndCall()]) == (errands.SAVING_LINE, False)
    assert talk.pending.arguments == {
        "ticket_id": "TKT-1234",
        "text": "Sarah Johnson of Acme: It smokes.",
    }
    await talk.tool_answers()
    assert talk.said == (
        "Your report is now in your ticket, for the people who work on it. "
        "Thank you for calling. Goodbye."
    )
    assert (talk.call.stage, talk.story.effects[-1]) == ("done", i.EndCall())


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        ("failed", "I'm sorry, I couldn't save your report. I'll put you through to a colleague."),
        (
            "unanswered",
            (
                "I'm sorry, I can't be sure that your report was saved. "
                "I'll put you through to a colleague."
            ),
        ),
    ],
)
async def test_a_report_that_was_not_surely_saved_is_owned_up_to(
    outcome: Outcome, line: str
) -> None:
    talk = await known()
    await talk.tool_answers(FOUND)
    await talk.say("It smokes.", "Yes.")
    await talk.tool_answers(outcome=outcome)
    assert talk.said == line
    assert (talk.call.stage, talk.call.ending) == ("transferring", "transfer")


@pytest.mark.asyncio
async def test_a_caller_without_a_ticket_is_called_back() -> None:
    talk = Dialogue(TOOLS)
    await talk.begin()
    await talk.say("Maria", "Acme", "I don't have one.", "It smokes.")
    assert talk.call.asked == "callback_number"
    await talk.say("four one five, double five five, oh one nine two")
    assert "We can call you back on 415 555 0192. Is that right?" in talk.said
    await talk.say("Yes.")
    assert (talk.pending.tool, talk.pending.arguments) == (
        "callback_request",
        {"number": "4155550192", "about": "Maria of Acme: It smokes."},
    )
    await talk.tool_answers()
    assert talk.said.startswith("I have asked a colleague to call you back on 415 555 0192.")
    assert talk.story.effects[-1] == i.EndCall()


@pytest.mark.asyncio
async def test_who_wants_no_call_back_is_promised_none() -> None:
    talk = Dialogue(TOOLS)
    await talk.begin()
    await talk.say("Maria", "Acme", "I don't have one.", "It smokes.", "No.", "Yes.")
    assert talk.values()["callback_number"] == NO_TICKET
    assert talk.said == errands.NOTED_FAREWELL
    assert talk.call.operations == ()


@pytest.mark.asyncio
async def test_a_lookup_that_took_too_long_may_be_tried_again_once() -> None:
    talk = await known()
    await talk.tool_is_late()
    assert (talk.call.asked, talk.said) == ("wants_lookup", errands.AGAIN.first)
    await talk.say("Hm?")
    assert talk.said == errands.AGAIN.again
    await talk.say("Yes, please.")
    assert talk.said == errands.LOOKING_LINE
    await talk.tool_is_late()
    assert talk.lines[-2].startswith("I'm sorry, I still can't look up your ticket.")
    assert talk.call.asked == "problem"


@pytest.mark.asyncio
async def test_a_lookup_that_took_too_long_need_not_be_tried_again() -> None:
    talk = await known()
    await talk.tool_is_late()
    await talk.key("2#")
    assert (talk.call.asked, len(talk.call.operations)) == ("problem", 1)


@pytest.mark.asyncio
async def test_a_failed_lookup_is_owned_up_to_and_the_talk_goes_on() -> None:
    talk = await known()
    await talk.tool_answers(outcome="failed", detail="It answered 500.")
    assert talk.lines[-2] == "I'm sorry, I couldn't look up your ticket. We can go on without."
    assert talk.call.asked == "problem"


@pytest.mark.asyncio
async def test_a_ticket_that_is_not_there_is_asked_about() -> None:
    talk = await known()
    await talk.tool_answers(outcome="failed", detail="It answered 404.")
    assert talk.said == "I can't find a ticket with the number TKT-1234. Is that number right?"
    await talk.say("Banana.")
    assert talk.said.startswith("Sorry, I need a yes or a no. I can't find")
    await talk.say("No.")
    assert talk.call.asked == "ticket_id"
    await talk.say("TKT-4821")
    assert talk.pending.arguments == {"ticket_id": "TKT-4821"}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("words", "ticket", "asked"),
    [("Yes.", "TKT-1234", "problem"), ("No, it's T K T 4 8 2 1.", "TKT-4821", "confirm_ticket_id")],
)
async def test_a_ticket_that_is_not_there_may_be_right_or_put_right_at_once(
    words: str, ticket: str, asked: str
) -> None:
    talk = await known()
    await talk.tool_answers(outcome="failed", detail="It answered 404.")
    await talk.say(words)
    assert (talk.values()["ticket_id"], talk.call.asked) == (ticket, asked)
    assert talk.call.fields["ticket_id"].confirmed is (ticket == "TKT-1234")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("reply", "company"), [("Yes.", "Blue River Bakery"), ("No.", "Blue Rival Bakery")]
)
async def test_a_name_that_resembles_the_tickets_is_asked_about_alone(
    reply: str, company: str
) -> None:
    talk = Dialogue(TOOLS, client_name="Sarah Johnson")
    await talk.begin()
    await talk.say("Blue Rival Bakery.", "TKT-1234")
    await talk.tool_answers('{"company": "Blue River Bakery", "client_name": 7}')
    assert talk.lines[-2:] == ["I found your ticket.", "Is the company Blue River Bakery?"]
    await talk.say(reply)
    assert (talk.values()["company"], talk.call.asked) == (company, "problem")


@pytest.mark.asyncio
@pytest.mark.parametrize(("reply", "company"), [("1#", "Acme"), ("2#", "Acne")])
async def test_a_company_that_resembles_the_tickets_is_asked_about_when_it_is_told(
    reply: str, company: str
) -> None:
    talk = Dialogue(TOOLS, client_name="Sarah Johnson", ticket_id="TKT-1234")
    await talk.begin()
    await talk.tool_answers(FOUND)
    await talk.say("I'm calling from Acne.")
    assert (talk.said, talk.call.fields["company"].confidence_milli) == (
        "Is the company Acme?",
        600,
    )
    await talk.key(reply)
    assert (talk.values()["company"], talk.call.asked) == (company, "problem")
    assert talk.call.fields["company"].confirmed is (company == "Acme")


@pytest.mark.asyncio
async def test_a_company_that_is_like_one_we_named_already_is_taken_as_it_is_said() -> None:
    talk = Dialogue(TOOLS, **KNOWN)
    await talk.begin()
    await talk.tool_answers(FOUND)
    await talk.say("It smokes.", "No, the company.", "Acne.")
    assert (talk.values()["company"], talk.call.asked) == ("Acne", READ_BACK)


@pytest.mark.asyncio
async def test_thanks_while_a_ticket_is_looked_up_are_no_ticket() -> None:
    talk = Dialogue(TOOLS, client_name="Sarah Johnson", company="Acme")
    await talk.begin()
    await talk.say("TKT-1234", "Great, thank you very much.")
    assert (talk.values()["ticket_id"], talk.call.asked) == ("TKT-1234", "problem")


@pytest.mark.asyncio
async def test_the_tickets_own_number_completes_what_was_said() -> None:
    talk = Dialogue(TOOLS, client_name="Sarah Johnson", company="Acme")
    await talk.begin()
    await talk.say("one two three four")
    await talk.tool_answers(FOUND)
    field = talk.call.fields["ticket_id"]
    assert (field.value, field.source) == ("TKT-1234", "tool")
    assert len(talk.call.operations) == 1


@pytest.mark.asyncio
async def test_who_speaks_while_a_ticket_is_looked_up_goes_on_with_the_form() -> None:
    talk = await known()
    await talk.say("Hello there.")
    assert talk.call.asked == "problem"
    await talk.tool_answers(FOUND)
    assert talk.lines[-2:] == [NEWS, "Please tell me in a sentence what the problem is."]


@pytest.mark.asyncio
async def test_a_problem_that_is_told_before_it_is_asked_for_is_not_asked_for() -> None:
    talk = await known()
    await talk.say("Hi, my printer smokes since this morning.")
    assert talk.values()["problem"] == "Hi, my printer smokes since this morning."
    assert talk.call.asked == READ_BACK


@pytest.mark.asyncio
async def test_news_of_a_ticket_that_is_the_wrong_one_by_now_is_not_told() -> None:
    talk = Dialogue(TOOLS, client_name="Sarah Johnson", company="Acme")
    await talk.begin()
    await talk.say("TKT-1234", "No, sorry, it's TKT-4821.")
    first, second = (one.operation for one in talk.call.operations)
    talk.story.happen(i.OperationDone(first, 1, "succeeded", FOUND))
    await talk.answer()
    assert NEWS not in talk.lines
    talk.story.happen(i.OperationDone(second, 1, "succeeded", '{"status": "open"}'))
    await talk.answer()
    assert "I found your ticket. Its status is: open." in talk.lines


@pytest.mark.asyncio
async def test_news_that_nobody_heard_is_told_again_with_the_next_answer() -> None:
    talk = await known()
    talk.story.happen(i.OperationDone(talk.pending.operation, 1, "succeeded", FOUND))
    turn = talk.call.turn
    assert turn is not None
    acts = [act async for act in talk.intake.reply(talk.call, turn)]
    talk.story.happen(i.Answered(turn.number, tuple(acts)))
    await talk.say("It smokes.")
    assert talk.lines[-2] == NEWS
    assert talk.call.asked == READ_BACK


@pytest.mark.asyncio
async def test_news_that_comes_while_the_read_back_is_open_does_not_lose_it() -> None:
    talk = await known()
    await talk.say("Hello there.", "It smokes.")
    assert talk.call.asked == READ_BACK
    await talk.tool_answers(FOUND)
    assert talk.said.startswith("Let me read that back")
    await talk.say("Yes.")
    assert talk.pending.tool == "ticket_note"


@pytest.mark.asyncio
async def test_who_speaks_while_the_report_is_passed_on_is_asked_for_patience_or_let_go() -> None:
    talk = await known()
    await talk.tool_answers(FOUND)
    await talk.say("It smokes.", "Yes.", "The printer is blue.")
    assert talk.said == errands.STILL_SAVING_LINE
    await talk.say("Goodbye.")
    assert (talk.said, talk.call.ending) == (errands.FAREWELL, "hangup")


@pytest.mark.asyncio
async def test_a_ticket_that_was_looked_up_while_the_line_was_gone_is_told_on_return() -> None:
    talk = Dialogue(TOOLS, client_name="Sarah Johnson", company="Acme")
    await talk.begin()
    await talk.say("TKT-1234")
    talk.story.drop()
    talk.story.happen(i.OperationDone(talk.pending.operation, 1, "succeeded", FOUND))
    await talk.come_back(gap_ms=3_000)
    assert talk.lines[-2:] == [NEWS, "Please tell me in a sentence what the problem is."]
    assert len(talk.call.operations) == 1


def call(ticket: str = "TKT-1234", *operations: Operation, **values: str) -> Call:
    told = {"ticket_id": ticket, **values}
    fields = {name: Field(value) for name, value in told.items()}
    return Call(fields=fields, operations=operations)


def lookup(
    status: Status = "succeeded", result: str = "null", ticket: str = "TKT-1234"
) -> Operation:
    arguments = {"ticket_id": ticket}
    return Operation("t1.1", errands.LOOKUP, arguments, 1, True, 1, 0, status, result=result)  # noqa: FBT003


@pytest.mark.parametrize(
    ("told", "tools"),
    [
        (call(), frozenset({"ticket_note"})),
        (call("none"), TOOLS),
        (call("a/b"), TOOLS),
        (call("TKT-1234", lookup("pending")), TOOLS),
        (call("1234", lookup()), TOOLS),
        (call("TKT-1234", *[lookup(ticket=f"TKT-{n}") for n in range(errands.TICKETS_MAX)]), TOOLS),
    ],
)
def test_what_can_not_or_need_not_be_looked_up_is_not(told: Call, tools: frozenset[str]) -> None:
    assert errands.lookup(told, tools) is None


@pytest.mark.parametrize(
    ("told", "tools", "errand"),
    [
        (call(problem="x"), frozenset[str](), None),
        (call(problem="x"), TOOLS, UseTool("ticket_note", {"ticket_id": "TKT-1234", "text": "x"})),
        (call("a/b", problem="x"), TOOLS, None),
        (call(), TOOLS, None),
        (call("none", problem="x", callback_number="none"), TOOLS, None),
        (
            call("none", problem="x", callback_number="5550192"),
            TOOLS,
            UseTool("callback_request", {"number": "5550192", "about": "x"}),
        ),
    ],
)
def test_what_is_done_at_the_end_is_what_can_be_done(
    told: Call, tools: frozenset[str], errand: UseTool | None
) -> None:
    assert errands.closing(told, tools) == errand


@pytest.mark.parametrize(
    "wanted",
    [
        errands.lookup(call("TKT-1234"), TOOLS),
        errands.lookup(call("1"), TOOLS),
        errands.closing(call("TKT-1234", problem="x" * 9_000, name="Maria" * 99), TOOLS),
        errands.closing(call("none", problem="x" * 9_000, callback_number="+442079460123"), TOOLS),
    ],
)
def test_the_tools_that_are_shipped_take_what_they_are_given(wanted: UseTool) -> None:
    shipped = json.loads(Path("service/tools/desk.json").read_text())
    tool = next(one for one in shipped if one["name"] == wanted.tool)
    Schema(tool["parameters"]).check(wanted.arguments)


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (FOUND, NEWS),
        ("", "I found your ticket."),
        ("nonsense", "I found your ticket."),
        ("[" * 100_000, "I found your ticket."),
        ('["a"]', "I found your ticket."),
        ('{"status": 3, "subject": null}', "I found your ticket."),
        (
            '{"status": "waiting_for\\n you."}',
            "I found your ticket. Its status is: waiting for you.",
        ),
        ('{"subject": "%s"}' % ("x" * 900), f"I found your ticket: {'x' * 120}."),
    ],
)
def test_any_answer_of_a_lookup_can_be_told(result: str, line: str) -> None:
    assert errands.news(call("TKT-1234", lookup(result=result)), ("t1.1",)).lines == (line,)


def test_a_lookup_without_an_answer_is_not_claimed() -> None:
    told = errands.news(call("TKT-1234", lookup("unknown")), ("t1.1",))
    assert told.lines == ("I'm sorry, I got no answer about your ticket. We can go on without.",)


def test_news_of_other_tools_and_of_earlier_operations_is_none_of_ours() -> None:
    other = Operation("t1.2", "weather", {}, 1, True, 1, 0, "succeeded")  # noqa: FBT003
    assert errands.news(call("TKT-1234", lookup(), other), ("t1.2",)) == errands.News()
    assert errands.news(call("TKT-1234", lookup()), ()) == errands.News()
