from service.agent import duplex as d
from service.agent.functions import Functions
from service.audio import samples
from service.call import inputs as i
from service.call.state import Call, Prompt, Turn
from service.clock import Clock
from service.session.duplex.briefing import Briefing
from service.session.duplex.calls import ModelCalls
from service.session.duplex.input_tail import InputTail
from service.session.duplex.interpreter import FAILED_LINE, FAILURES_MAX, Interpreter
from service.session.speaking.model_voice import UNHEARD_MAX, ModelVoice
from tests.session.recorder import NotingLink


class Desk:
    """The events of one model, and the inputs that they become."""

    def __init__(self, call: Call | None = None) -> None:
        self.call = call or Call(epoch=3)
        self.now_ns = 0
        self.link, self.voice, self.tail = NotingLink(), ModelVoice(), InputTail()
        self.posted: list[i.Input] = []
        self.briefing = Briefing(self.link, self.voice)
        self.model = Interpreter(
            voice=self.voice,
            tail=self.tail,
            link=self.link,
            briefing=self.briefing,
            calls=ModelCalls(
                Functions(), self.link, self.briefing, self.posted.append, lambda: self.call
            ),
            clock=Clock(lambda: 0, lambda: self.now_ns),
            post=self.posted.append,
            call=lambda: self.call,
        )

    def tell(self, *events: d.SpeechEvent) -> list[i.Input]:
        self.posted.clear()
        for event in events:
            self.model.happened(event)
        return list(self.posted)

    def wait(self, duration_ms: int) -> None:
        self.now_ns += duration_ms * 1_000_000


def test_an_item_is_a_prompt_from_its_first_sound_to_its_last_word() -> None:
    desk = Desk()
    assert desk.tell(d.WordsOut("a", "One")) == []  # Words alone can't be heard.
    assert desk.tell(d.AudioOut("a", b"x" * 800)) == [i.ModelSpoke("m3-1", "One")]
    assert desk.briefing.items == {"m3-1": "a"}
    assert desk.tell(d.WordsOut("a", "One two")) == []
    desk.wait(1_000)
    more = desk.tell(d.WordsOut("a", "One two three"))
    assert more == [i.ModelContinued("m3-1", "One two three", is_last=False)]
    last = desk.tell(d.WordsOut("a", "One two three four", is_last=True))
    assert last == [i.ModelContinued("m3-1", "One two three four", is_last=True)]
    assert desk.tell(d.WordsOut("a", "and more", is_last=True)) == []
    assert desk.voice.take("m3-1", 0) == b"x" * 800
    assert desk.tell(d.AudioOut("b", b"y")) == [i.ModelSpoke("m3-2", "")]


def test_the_caller_interrupts_only_what_is_being_said() -> None:
    desk = Desk()
    assert desk.tell(d.CallerBegan()) == [i.SpeechBegan()]
    desk.call = Call(epoch=3, prompts=(Prompt("m3-1", 1, ("One",)),))
    assert desk.tell(d.CallerBegan()) == [i.SpeechBegan(), i.BargedIn()]
    assert desk.model.is_caller_speaking
    assert not desk.model.is_idle


def test_the_words_that_came_meanwhile_are_passed_on_before_anything_is_cut() -> None:
    desk = Desk()
    desk.tell(d.AudioOut("a", b"x"), d.WordsOut("a", "One two"))
    desk.call = Call(epoch=3, prompts=(Prompt("m3-1", 1, ("",)),))
    known = i.ModelContinued("m3-1", "One two", is_last=False)
    assert desk.tell(d.CallerBegan()) == [i.SpeechBegan(), known, i.BargedIn()]
    assert desk.tell(d.CallerBegan()) == [i.SpeechBegan(), i.BargedIn()]


def test_the_words_of_a_model_that_pauses_are_passed_on_a_second_later() -> None:
    desk = Desk()
    desk.tell(d.AudioOut("a", b"x"), d.WordsOut("a", "One two"))
    desk.posted.clear()
    desk.model.pass_words_on()
    assert desk.posted == []
    desk.wait(1_000)
    desk.model.pass_words_on()
    desk.model.pass_words_on()
    assert desk.posted == [i.ModelContinued("m3-1", "One two", is_last=False)]


def test_an_answer_is_owed_from_the_callers_last_word_to_the_models_first() -> None:
    desk = Desk()
    desk.tell(d.CallerBegan(), d.CallerEnded(700))
    assert desk.model.owes
    assert desk.link.is_expected
    assert desk.tell(d.CallerSaid("Hello?")) == [i.Transcribed("Hello?", 700)]
    desk.tell(d.AudioOut("a", b"x"))
    assert not desk.model.owes
    assert not desk.link.is_expected
    assert desk.model.is_idle


def test_words_that_come_late_name_the_answer_that_they_stand_before() -> None:
    desk = Desk()
    desk.tell(d.CallerEnded(700), d.AudioOut("a", b"x"), d.AudioOut("b", b"x"))
    assert desk.tell(d.CallerSaid("Hello?")) == [i.Transcribed("Hello?", 700, before="m3-1")]


def test_words_whose_answer_was_a_tool_leave_no_turn_open() -> None:
    desk = Desk()
    desk.tell(d.CallerEnded(700), d.ToolCalled("c1", "hang_up", "{}"))
    said = desk.tell(d.CallerSaid("Bye."))
    assert said == [i.Transcribed("Bye.", 700), i.ModelActed((), is_answer=True)]


def test_what_the_model_has_taken_in_is_kept_no_longer() -> None:
    desk = Desk()
    desk.tail.add(b"abcd", is_idle=False)
    assert desk.tell(d.Took(3)) == []
    assert desk.tail.again() == b"d"


def test_a_model_that_speaks_for_minutes_is_ended() -> None:
    desk = Desk()
    desk.tell(d.AudioOut("a", b"x" * UNHEARD_MAX), d.WordsOut("a", "On and on"))
    assert desk.tell(d.AudioOut("a", b"x")) == [i.ModelContinued("m3-1", "On and on", is_last=True)]
    assert desk.tell(d.AudioOut("a", b"x")) == []


def test_a_session_that_ends_in_mid_answer_leaves_what_was_said_of_it() -> None:
    desk = Desk()
    desk.tell(d.AudioOut("a", b"x" * samples(500)), d.WordsOut("a", "One two"), d.CallerBegan())
    desk.posted.clear()
    desk.model.closed()
    assert desk.posted == [i.ModelContinued("m3-1", "One two", is_last=True)]
    assert desk.briefing.is_broken
    assert desk.voice.take("m3-1", samples(500)) == b""
    assert not desk.model.is_caller_speaking
    assert not desk.model.is_idle  # What the caller was saying is for the next session.
    desk.model.opened()
    assert desk.model.is_idle


def test_what_was_cut_is_not_broken() -> None:
    desk = Desk()
    desk.tell(d.AudioOut("a", b"x" * 800))
    desk.voice.drop("m3-1")
    assert desk.tell(d.AudioOut("a", b"x")) == []
    desk.model.closed()
    assert desk.posted == []
    assert not desk.briefing.is_broken


def test_an_answer_that_fails_is_wished_for_again_and_in_the_end_apologised_for() -> None:
    desk = Desk()
    assert desk.tell(d.Finished("server_error")) == []  # Nobody waits for it.
    assert desk.link.asked() == []
    desk.call = Call(epoch=3, turn=Turn(2, "speech", "Hello?"))
    for _ in range(FAILURES_MAX):
        assert desk.tell(d.Finished("server_error")) == []
        assert desk.link.asked() == ["respond"]
    assert desk.tell(d.Finished("server_error")) == [
        i.ModelAway(FAILED_LINE),
        i.ModelActed((), is_answer=True),
    ]
    assert desk.tell(d.Finished()) == []


def test_handles_are_kept_and_the_links_own_news_left_to_it() -> None:
    desk = Desk()
    assert desk.tell(d.ResumeToken(b"t")) == [i.TokenGiven(b"t")]
    assert desk.tell(d.GoAway(1), d.Failed("gone")) == []
