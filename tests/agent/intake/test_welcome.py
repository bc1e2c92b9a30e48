import pytest

from service.agent.intake.readback import READ_BACK
from service.agent.intake.welcome import AFRESH, BACK, GO_ON, agreed, greeting, offer
from service.call import events as e, inputs as i
from service.call.decisions.resume import STALE_MS
from service.call.earlier import Earlier
from service.call.facts.ring import CarriedField, CarriedTool, Proof
from service.call.state import Call, Turn
from tests.agent.dialogue import TOOLS, Dialogue
from tests.call.story import START_MS


def carried(by: Proof = "number", **changes: object) -> e.EarlierCarried:
    told = {
        "name": CarriedField("Maria Lopez", source="speech", at_ms=START_MS),
        "company": CarriedField("Acme", source="speech", at_ms=START_MS),
        "ticket_id": CarriedField("TKT-1234", source="speech", at_ms=START_MS),
    }
    settings = {"fields": told, "stage": "intake", "asked": "problem", **changes}
    return e.EarlierCarried(call_sid="CA0", by=by, ended_ms=START_MS, **settings)  # type: ignore[arg-type] # its fields


async def back(*facts: e.Known, **known: str) -> Dialogue:
    talk = Dialogue(**known)
    talk.story.write(*(facts or (carried(),)), is_outside=True)
    await talk.begin()
    return talk


@pytest.mark.asyncio
async def test_who_rings_back_is_offered_to_go_on_and_is_told_nothing_before() -> None:
    talk = await back()
    assert talk.said == f"{BACK} Shall we go on where we stopped?"
    assert talk.call.asked == GO_ON
    assert "Maria" not in str(talk.call.transcript)


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", ["Yes.", "Yes, please.", "Sure, go on.", "Let's continue."])
async def test_yes_goes_on_with_the_very_question(answer: str) -> None:
    talk = await back()
    await talk.say(answer)
    assert talk.said == "Please tell me in a sentence what the problem is."
    assert talk.values()["name"] == "Maria Lopez"
    await talk.say("The printer smokes.")
    assert talk.call.asked == READ_BACK
    assert "Maria Lopez" in talk.said


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "answer", ["No.", "No, let's start over.", "I don't want to.", "It's about something else."]
)
async def test_no_begins_afresh(answer: str) -> None:
    talk = await back()
    await talk.say(answer)
    assert talk.call.asked == "name"
    assert AFRESH in [line.text for line in talk.call.transcript]
    assert talk.values() == {}
    assert "Lopez" not in str(talk.call.transcript)


@pytest.mark.asyncio
async def test_a_key_answers_too() -> None:
    talk = await back()
    await talk.key("1#")
    assert talk.call.asked == "problem"
    talk = await back()
    await talk.key("2#")
    assert talk.call.asked == "name"


@pytest.mark.asyncio
async def test_what_is_neither_is_asked_once_more_and_then_it_begins_afresh() -> None:
    talk = await back()
    await talk.say("The weather is nice.")
    assert talk.said.startswith("Sorry, I need a yes or a no.")
    await talk.say("My name is Eva Klein.")
    assert talk.values() == {"name": "Eva Klein"}
    assert talk.call.asked == "company"


@pytest.mark.asyncio
async def test_after_a_long_time_everything_is_read_back_first() -> None:
    talk = Dialogue()
    talk.story.write(carried(), is_outside=True)
    talk.story.now_ms += STALE_MS
    await talk.begin()
    await talk.say("Yes.")
    assert talk.call.asked == READ_BACK
    assert "your name is Maria Lopez" in talk.said
    await talk.say("Yes, that's right.")
    assert talk.call.asked == "problem"


@pytest.mark.asyncio
async def test_where_it_is_the_rule_it_goes_on_at_once() -> None:
    talk = await back(carried(), e.EarlierTaken())
    assert [line.text for line in talk.call.transcript] == [
        BACK, "Please tell me in a sentence what the problem is.",
    ]  # fmt: skip


@pytest.mark.asyncio
async def test_a_question_of_judgement_is_asked_anew_on_its_way() -> None:
    told = {**carried().fields, "problem": CarriedField("It smokes.", source="speech")}
    talk = await back(carried(fields=told, asked=READ_BACK))
    await talk.say("Yes.")
    assert talk.call.asked == READ_BACK


@pytest.mark.asyncio
async def test_a_call_found_by_its_ticket_in_the_middle_is_offered_before_the_next_question() -> (
    None
):
    talk = Dialogue(company="Acme")
    await talk.begin()
    await talk.say("My name is Eva Klein.")
    assert talk.call.asked == "ticket_id"
    talk.story.happen(i.EarlierFound(carried("ticket")))
    await talk.answer()
    assert talk.said == (
        "An earlier call about this ticket was cut off. Shall we go on where we stopped?"
    )
    await talk.say("Yes.")
    assert talk.call.asked == "problem"
    assert talk.values()["name"] == "Eva Klein"


@pytest.mark.asyncio
async def test_a_ticket_that_was_looked_up_is_not_looked_up_again() -> None:
    looked = CarriedTool(
        "ticket_lookup", {"ticket_id": "TKT-1234"}, "succeeded", '{"subject": "x"}'
    )
    for tools, expected in (((looked,), []), ((), ["ticket_lookup"])):
        talk = Dialogue(TOOLS)
        talk.story.write(carried(tools=tools), is_outside=True)
        await talk.begin()
        await talk.say("Yes.")
        assert [one.tool for one in talk.call.operations] == expected


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "words"),
    [("succeeded", "Your report is now in your ticket"), ("pending", "I can't be sure")],
)
async def test_what_was_passed_on_is_not_passed_on_twice(status: e.Status, words: str) -> None:
    told = {
        name: CarriedField(one.value, confirmed=True, source="speech")
        for name, one in {**carried().fields, "problem": CarriedField("It smokes.")}.items()
    }
    done = CarriedTool("ticket_note", {"ticket_id": "TKT-1234", "text": "x"}, status)
    looked = CarriedTool("ticket_lookup", {"ticket_id": "TKT-1234"}, "succeeded", "{}")
    talk = Dialogue(TOOLS)
    talk.story.write(carried(fields=told, tools=(looked, done), asked=""), is_outside=True)
    await talk.begin()
    await talk.say("Yes.")
    assert words in talk.said
    assert talk.call.operations == ()
    assert talk.call.ending in ("hangup", "transfer")


def test_the_offer_says_who_rang_and_the_greeting_too() -> None:
    ours = Call(direction="outbound-api", parameters={"client_name": "Maria"})
    assert offer(ours).first == (
        "Hello Maria, this is support calling you back. We were cut off earlier. "
        "Shall we go on where we stopped?"
    )
    assert greeting(Call()) == "Hello, thank you for calling support."
    by_ticket = Call(earlier=Earlier("CA0", "ticket", 1))
    assert offer(by_ticket).first.startswith("Hello, thank you for calling support. An earlier")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Yes.", True), ("go on", True), ("no", False), ("a new problem", False), ("Maria", None)],
)
def test_yes_and_no_have_many_words(text: str, *, expected: bool | None) -> None:
    assert agreed(Turn(1, "speech", text)) is expected
    assert agreed(Turn(1, "silence")) is None
