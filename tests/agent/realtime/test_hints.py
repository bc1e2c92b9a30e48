from service.agent.realtime.hints import hint
from service.call.state import Call, Line, Turn


def test_a_model_whose_answer_was_lost_goes_on_from_what_was_heard() -> None:
    line = Line(3, "agent", "One two three.", "One two", cut=True, at_ms=0)
    unheard = Line(5, "agent", "Four.", "", cut=True, at_ms=0)
    note = hint(Call(transcript=(line, unheard)), Turn(6, "cut"))
    assert '"One two"' in note
    assert "three" not in note


def test_a_model_of_whose_answer_nothing_was_heard_gives_it_again() -> None:
    line = Line(3, "agent", "One two three.", "", cut=True, at_ms=0)
    assert "again" in hint(Call(transcript=(line,)), Turn(4, "cut"))
    assert "again" in hint(Call(), Turn(4, "cut"))


def test_a_caller_who_is_new_is_greeted_and_one_who_spoke_needs_no_note() -> None:
    assert "Greet" in hint(Call(), Turn(1, "opening"))
    assert hint(Call(), Turn(2, "speech", "Hello.")) == ""
