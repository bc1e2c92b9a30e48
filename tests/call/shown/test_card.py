import json

from service.call import events as e, inputs as i
from service.call.shown.card import LINE_LETTERS_MAX, WORDS_LETTERS_MAX, card, words
from service.call.shown.timeline import Timeline
from tests.call.story import Story, greeted

KEYS = {
    "call_sid", "phase", "stage", "client_name", "company", "ticket_id", "from", "to", "opened_at",
    "updated_at", "ended_at", "drops", "incidents", "streams", "last_cause", "gap_ms_last", "last_line",
    "taken_over_by", "server", "position", "incarnation", "agent_waits",
}  # fmt: skip


def told(story: Story) -> Timeline:
    timeline = Timeline()
    timeline.add_all(story.journal)
    return timeline


def test_a_call_that_rings_has_every_key() -> None:
    story = Story()
    story.opened(client_name="Maria", ticket_id="T-1")
    shown = card(told(story), incarnation="i1")
    assert set(shown) == KEYS
    assert (shown["client_name"], shown["company"], shown["ticket_id"]) == ("Maria", "", "T-1")
    assert (shown["last_line"], shown["last_cause"], shown["server"]) == (None, None, "")
    assert json.loads(json.dumps(shown)) == shown


def test_drops_and_the_last_words_are_told() -> None:
    story = greeted()
    story.drop()
    story.attach("MZ2", gap_ms=812)
    story.happen(i.Utterance("My name is Maria."))
    shown = card(told(story), incarnation="i1")
    assert (shown["drops"], shown["streams"], shown["last_cause"]) == (1, 2, "drop")
    assert (shown["gap_ms_last"], shown["server"]) == (812, "s1")
    assert shown["last_line"] == {"who": "caller", "text": "My name is Maria."}
    story.happen(i.SpeechBegan())
    story.happen(i.PartlyHeard("And " * 100))
    line = card(told(story), incarnation="i1")["last_line"]
    assert (line["who"], len(line["text"])) == ("caller", LINE_LETTERS_MAX)


def test_a_person_in_the_agents_place_is_named() -> None:
    story = greeted()
    story.write(e.TakeoverRequested(request="r1", by="Ana", seat="s1"), is_outside=True)
    assert card(told(story), incarnation="i1")["taken_over_by"] == "Ana"


def test_a_line_without_words_is_not_the_last_one() -> None:
    story = greeted()
    story.write(e.AgentSpoke(prompt="p7", clauses=(), voice="model", is_open=True))
    assert card(told(story), incarnation="i1")["last_line"]["text"] == "Hello, who is there?"


def test_an_end_and_a_tool_that_waits_are_told() -> None:
    story = greeted()
    story.write(
        e.OperationRequested(
            operation="o1", tool="refund", arguments={}, turn=1, is_idempotent=False,
            attempts_max=1, deadline_ms=story.now_ms + 1, approval_ms=story.now_ms + 1,
        )
    )  # fmt: skip
    assert card(told(story), incarnation="i1")["agent_waits"]
    story.write(e.OperationDenied(operation="o1"), e.CallEnded(reason="completed"))
    shown = card(told(story), incarnation="i1")
    assert not shown["agent_waits"]
    assert shown["ended_at"] is not None


def test_a_call_is_found_by_all_that_is_known_of_it() -> None:
    story = greeted()
    story.write(e.FieldFilled(name="city", value="Straße", source="speech"))
    story.happen(i.Utterance("It is URGENT."))
    found = words(story.call)
    for word in ("ca1", "maria", "acme", "strasse", "urgent", "who is there"):
        assert word in found


def test_of_a_long_talk_the_newest_words_are_searched() -> None:
    story = greeted()
    for text in ("oldest " * 2_000, "middle " * 4_000, "newest " * 4_000):
        story.write(e.CallerSpoke(text=text.strip()))
    found = words(story.call)
    assert "newest" in found
    assert "oldest" not in found
    assert len(found) <= WORDS_LETTERS_MAX
