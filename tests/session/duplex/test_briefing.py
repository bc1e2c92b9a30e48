from service.agent.realtime.hints import BROKEN_OFF
from service.call import events as e, inputs as i
from service.call.acts import UseTool
from service.call.decisions.model import STEPS
from service.call.policy import Policy, ToolTerms
from service.session.duplex.briefing import Briefing
from service.session.speaking.model_voice import ModelVoice
from tests.call.folds.test_carrying import CARRIED
from tests.call.story import Story
from tests.session.recorder import NotingLink


class Desk:
    """A live call, and a session of the model's that is kept in line with it."""

    def __init__(self) -> None:
        terms = ToolTerms(is_idempotent=True, attempts_max=1, timeout_ms=1_000)
        self.story = Story(Policy(tools={"lookup": terms}))
        self.story.opened()
        self.story.attach(door="voice")
        self.link, self.voice = NotingLink(), ModelVoice()
        self.briefing = Briefing(self.link, self.voice)

    def model(self, happened: i.Input) -> None:
        story = self.story
        decision = STEPS[type(happened)](story.call, happened, story.now_ms, story.policy)
        story.write(*decision.facts)

    def says(self, prompt: str, item: str, text: str = "One two") -> None:
        self.voice.begin(prompt)
        self.voice.add(prompt, b"a" * 8_000)
        self.voice.tell(prompt, text, is_last=True)
        self.briefing.items[prompt] = item
        self.model(i.ModelSpoke(prompt, text))
        self.model(i.ModelContinued(prompt, text, is_last=True))
        self.follow()

    def hears(self, prompt: str, samples: int) -> None:
        self.story.happen(
            i.Progress((self.voice.played(prompt, heard=samples, sent=samples, queued=samples),))
        )

    def follow(self) -> list[str]:
        self.briefing.follow(self.story.call)
        return self.link.asked()


def test_the_turn_that_is_owed_is_asked_for_once() -> None:
    desk = Desk()
    desk.briefing.begin(desk.story.call)
    (asked,) = desk.follow()
    assert "Greet" in asked
    assert desk.link.is_expected
    assert desk.follow() == []


def test_what_the_model_heard_itself_it_answers_unasked_but_a_new_session_is_asked() -> None:
    desk = Desk()
    desk.briefing.begin(desk.story.call)
    desk.says("m1-1", "a")
    desk.follow()
    desk.link.is_expected = False
    desk.model(i.Transcribed("Hello?", 500))
    assert desk.follow() == []
    assert not desk.link.is_expected  # The answer may be here already: nobody would end the wait.
    desk.briefing.begin(desk.story.call)
    assert desk.follow() == ["respond"]


def test_how_far_it_was_heard_is_reported_and_a_cut_is_told_to_the_millisecond() -> None:
    desk = Desk()
    desk.briefing.begin(desk.story.call)
    desk.says("m1-1", "a")
    desk.follow()
    desk.hears("m1-1", 1_600)
    assert desk.follow() == ["heard a 200"]
    assert desk.follow() == []
    desk.story.happen(i.BargedIn())
    assert desk.follow() == ["truncate a 200"]
    assert "m1-1" not in desk.voice


def test_what_was_heard_to_its_end_is_never_cut() -> None:
    desk = Desk()
    desk.briefing.begin(desk.story.call)
    desk.says("m1-1", "a")
    desk.follow()
    desk.hears("m1-1", 8_000)
    assert desk.follow() == []
    assert "m1-1" not in desk.voice


def test_an_item_of_an_older_session_is_not_cut_but_noted() -> None:
    desk = Desk()
    desk.briefing.begin(desk.story.call)
    desk.says("m1-1", "a")
    desk.follow()
    assert desk.briefing.begin(desk.story.call)
    desk.hears("m1-1", 4_400)
    assert desk.follow() == []
    desk.story.happen(i.BargedIn())
    (asked,) = desk.follow()
    assert asked.startswith("note [The caller did not hear")


def test_other_voices_are_told_when_they_were_heard() -> None:
    desk = Desk()
    desk.briefing.begin(desk.story.call)
    desk.says("m1-1", "a")
    desk.hears("m1-1", 8_000)
    desk.model(i.ModelAway("One moment, please."))
    desk.follow()
    desk.story.write(e.Played(prompt="p2", clauses=1, heard_samples=8_000))
    assert desk.follow() == ["note One moment, please."]


def test_keys_are_told_and_answered() -> None:
    desk = Desk()
    desk.briefing.begin(desk.story.call)
    desk.says("m1-1", "a")
    desk.follow()
    for key in "12#":
        desk.story.happen(i.Key(key))
    assert desk.follow() == ["truncate a 0", "note [keyed 12]", "respond"]


def test_a_tools_end_is_told_at_once_and_answered_when_somebody_listens() -> None:
    desk = Desk()
    desk.story.happen(i.Answered(1, (UseTool("lookup", {}),)))
    desk.briefing.begin(desk.story.call)
    desk.follow()
    desk.story.happen(i.Detached("MZ1", "closed", 0))
    desk.story.happen(i.OperationDone("t1.1", 1, "succeeded", "{}"))
    assert desk.follow() == ["result t1.1 {}"]
    desk.story.attach("MZ2")
    assert [asked.split()[0] for asked in desk.follow()] == ["respond"]


def test_a_broken_answer_goes_on_when_nothing_else_is_owed() -> None:
    desk = Desk()
    desk.briefing.begin(desk.story.call)
    desk.says("m1-1", "a")
    desk.follow()
    desk.briefing.is_broken = True
    desk.briefing.begin(desk.story.call)
    assert desk.follow() == [f"respond {BROKEN_OFF}"]
    assert desk.follow() == []


def test_nobody_is_asked_for_more_once_the_call_is_ending() -> None:
    desk = Desk()
    desk.briefing.begin(desk.story.call)
    desk.briefing.is_broken = True
    desk.story.write(e.EndingPlanned(ending="hangup"))
    assert desk.follow() == []


def test_an_earlier_call_is_told_as_soon_as_its_caller_goes_on_with_it() -> None:
    desk = Desk()
    desk.briefing.begin(desk.story.call)
    desk.story.write(e.Greeted(prompt="p"), CARRIED)
    assert "Ma" not in str(desk.follow())
    desk.story.write(e.EarlierTaken())
    told = str(desk.follow())
    assert "name: Ma" in told
    assert str(desk.follow()).count("name: Ma") <= told.count("name: Ma")
