from service.agent.intake.draft import Draft
from service.call.acts import Fill
from service.call.earlier import Earlier
from service.call.state import Call, Field, Line, Turn

TURN = Turn(1, "speech", "x")


def draft(call: Call) -> Draft:
    return Draft(call, TURN, frozenset())


def test_what_is_filled_is_known_at_once() -> None:
    made = draft(Call(fields={"name": Field("Ma")}))
    assert made.filled(Fill("company", "Acme")) == [Fill("company", "Acme")]
    assert set(made.call.fields) == {"name", "company"}


def test_the_directory_fills_what_nobody_told() -> None:
    call = Call(parameters={"client_name": "Ma", "company": "Acme"}, fields={"name": Field("Mia")})
    assert [getattr(act, "field", "") for act in draft(call).from_directory()] == ["company"]


def test_what_we_said_was_told() -> None:
    ours = Line(1, "agent", "Is your name Ma?", "", cut=False, at_ms=1)
    theirs = Line(1, "caller", "Mia", "Mia", cut=False, at_ms=1)
    made = draft(Call(transcript=(ours, theirs)))
    assert made.was_told("Ma")
    assert not made.was_told("Mia")


def test_what_is_declined_is_not_offered_again() -> None:
    made = draft(Call(earlier=Earlier("CA0", "number", 1)))
    made.decline()
    assert made.call.earlier is not None
    assert made.call.earlier.standing == "declined"
    none = draft(Call())
    none.decline()
    assert none.call.earlier is None
