from typing_extensions import override

from service.speech.ear.voice import Voice


class Sure(Voice):
    @override
    def feed(self, ulaw: bytes) -> tuple[bool, ...]:
        return (bool(ulaw),)


def test_a_voice_that_is_never_late_tells_nobody() -> None:
    told: list[str] = []
    voice = Sure()
    voice.when_decided(lambda: told.append("late"))
    assert voice.feed(b"\xff") == (True,)
    assert told == []
