import typing

from service.call import events as e
from service.call.facts import talk as talk_events


def test_every_fact_of_the_talk_is_a_fact_of_the_call() -> None:
    own = {kind for kind in vars(talk_events).values() if isinstance(kind, type)}
    assert {kind.__name__ for kind in own & set(typing.get_args(e.Known))} == {
        "Greeted", "AgentSpoke", "AgentContinued", "Played", "SpeechCut", "CallerBegan",
        "CallerPartlyHeard", "CallerSpoke", "CallerSilent", "DigitPressed", "DigitsEntered",
        "LevelsMeasured",
    }  # fmt: skip
