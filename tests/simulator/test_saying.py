from service.simulator.account import Pace
from service.simulator.saying import Said, said
from service.simulator.timeline import Kind
from service.simulator.twiml import verbs as v

PACE = Pace(wait_ms=500, digit_ms=200, say_ms_per_letter=10, say_ms_max=100)


def test_what_is_said_or_played_takes_its_time() -> None:
    assert said(v.PlayDigits("1w2"), PACE) == Said(900, "1w2", Kind.DIGITS_SENT)
    assert said(v.Say("hello"), PACE) == Said(50, "says: hello")
    assert said(v.Say("hello" * 9), PACE).length_ms == 100
    assert said(v.Pause(700), PACE) == Said(700)
    assert said(v.Ignored("Gather"), PACE).text.startswith("does not perform Ignored")
