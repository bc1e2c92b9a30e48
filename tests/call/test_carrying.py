import pytest

from service.call import carrying, events as e
from service.call.afterwards import Afterwards
from service.call.carrying import carried, has_matter, is_cut_off, is_own_number, tickets
from service.call.earlier import Earlier
from service.call.facts.ring import CarriedField, CarriedLine, CarriedTool
from service.call.state import Call, Field, Line, Operation


def line(who: e.Who, text: str, heard: str | None = None) -> Line:
    return Line(1, who, text, text if heard is None else heard, cut=False, at_ms=1)


def ended(reason: str = "completed", **more: object) -> Call:
    return Call(call_sid="CA1", phase="ended", end_reason=reason, ended_ms=7, **more)  # type: ignore[arg-type] # any field


@pytest.mark.parametrize("number", ["+15550001", "+447700900123", "+4912345"[:8] + "67"])
def test_a_number_in_full_stands_for_one_line(number: str) -> None:
    assert is_own_number(number)


@pytest.mark.parametrize(
    "number",
    ["", "anonymous", "unknown", "client:ada", "sip:a@b", "15550001", "+0123456789", "+1555",
     "+1234567890123456", "+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253"],
)  # fmt: skip
def test_a_withheld_or_strange_number_stands_for_nobody(number: str) -> None:
    assert not is_own_number(number)


def test_a_conversation_is_worth_going_on_with_once_its_caller_told_something() -> None:
    assert not has_matter(Call(transcript=(line("agent", "Hello."), line("caller", ""))))
    assert not has_matter(Call(fields={"name": Field("Ma", source="directory")}))
    assert has_matter(Call(fields={"name": Field("Ma", source="speech")}))
    assert has_matter(Call(transcript=(line("caller", "Hi."),)))
    assert has_matter(Call(earlier=Earlier("CA0", "number", 1)))
    assert not has_matter(Call(earlier=Earlier("CA0", "number", 1, standing="declined")))


@pytest.mark.parametrize("reason", sorted(carrying.CUT_OFF))
def test_a_call_that_the_line_ended_was_cut_off(reason: str) -> None:
    assert is_cut_off(ended(reason))
    assert not is_cut_off(ended(reason, ending="hangup"))


@pytest.mark.parametrize("reason", ["hung_up", "transferred", "voicemail", "stream_closed", ""])
def test_a_call_that_we_ended_was_not(reason: str) -> None:
    assert not is_cut_off(ended(reason))
    assert is_cut_off(ended(reason, is_drop_limited=True))
    assert not is_cut_off(Call(end_reason="completed"))


def test_who_a_human_spoke_to_was_seen_to() -> None:
    answered = Afterwards(dial_outcome="completed")
    assert not is_cut_off(ended("drop_limit", is_drop_limited=True, afterwards=answered))
    busy = Afterwards(dial_outcome="busy")
    assert is_cut_off(ended("drop_limit", is_drop_limited=True, afterwards=busy))


@pytest.mark.parametrize(
    ("ticket", "names"),
    [("tkt-1234", ("TKT1234", "1234")), ("1234", ("1234",)), ("none", ()), ("", ())],
)
def test_a_ticket_goes_by_its_whole_name_and_by_its_digits(
    ticket: str, names: tuple[str, ...]
) -> None:
    assert tickets(Call(parameters={"ticket_id": ticket})) == names
    told = {"ticket_id": Field(ticket, source="speech")}
    assert tickets(Call(fields=told, parameters={"ticket_id": "OTHER-1"})) == names


def test_one_company_is_known_by_its_letters_and_nobody_is_of_an_unknown_one() -> None:
    known = Call(parameters={"company": "Acme Ltd."})
    told = Call(fields={"company": Field("ACME ltd", source="speech")})
    assert carrying.is_same_company(known, told)
    assert not carrying.is_same_company(known, Call(parameters={"company": "Other"}))
    assert not carrying.is_same_company(Call(), Call())


def test_what_is_carried_is_what_was_heard_and_bounded() -> None:
    lines = [line("caller", str(number)) for number in range(20)]
    half = line("agent", "What is the problem?", "What is")
    tool = Operation("t1.1", "lookup", {"id": 1}, 1, True, 1, 9, status="succeeded", result="{}")  # noqa: FBT003 - a record
    own_rule = Operation("summary", "summary", {}, 0, True, 1, 9)  # noqa: FBT003 - a record
    long = Operation("t2.1", "page", {}, 2, True, 1, 9, status="succeeded", result="x" * 9_000)  # noqa: FBT003 - a record
    call = ended(
        fields={"name": Field("Ma", confirmed=True, source="speech", at_ms=3)},
        stage="intake",
        asked="problem",
        transcript=(*lines, half, line("agent", "Unheard.", "")),
        operations=(tool, own_rule, long),
    )
    made = carried(call, "number")
    assert (made.call_sid, made.by, made.ended_ms) == ("CA1", "number", 7)
    assert made.fields == {"name": CarriedField("Ma", confirmed=True, source="speech", at_ms=3)}
    assert (made.stage, made.asked) == ("intake", "problem")
    assert len(made.transcript) == carrying.LINES_MAX
    assert made.transcript[-1] == CarriedLine("agent", "What is")
    assert [(one.tool, one.result) for one in made.tools] == [("lookup", "{}"), ("page", "")]


def test_a_call_cut_off_before_its_caller_said_hands_on_what_it_was_handed() -> None:
    earlier = Earlier(
        "CA0",
        "number",
        1,
        fields={"name": CarriedField("Ma"), "ticket_id": CarriedField("TKT-1")},
        stage="intake",
        asked="problem",
        transcript=(CarriedLine("caller", "It's Ma."),),
        tools=(CarriedTool("lookup", {}, "succeeded"),),
    )
    own = {"name": Field("Maria", source="directory"), "company": Field("Acme", source="speech")}
    call = ended(
        earlier=earlier, fields=own, asked="wants_to_go_on", transcript=(line("caller", "What?"),)
    )
    made = carried(call, "ticket")
    assert {name: one.value for name, one in made.fields.items()} == {
        "name": "Ma", "company": "Acme", "ticket_id": "TKT-1",
    }  # fmt: skip
    assert (made.call_sid, made.asked, made.stage) == ("CA1", "problem", "intake")
    assert [one.text for one in made.transcript] == ["It's Ma.", "What?"]
    assert len(made.tools) == 1


def test_a_call_whose_end_nobody_saw_is_dated_by_its_last_fact() -> None:
    assert carried(Call(updated_ms=9), "callback").ended_ms == 9
