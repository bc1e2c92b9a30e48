import json
from typing import Any

import pytest
from msgspec import structs

from service.agent.chat.history import (
    BEGINNING,
    CUT_OFF,
    EARLIER,
    HISTORY_LETTERS_MAX,
    LEFT_OUT,
    LINE_LETTERS_MAX,
    RESULT_LETTERS_MAX,
    YOUR_TURN,
    Message,
    called,
    history,
    joined,
    user,
)
from service.agent.prompt import go_on
from service.call import acts as a, events as e, inputs as i
from service.call.earlier import Earlier
from service.call.facts.ring import CarriedLine
from service.call.policy import Policy, ToolTerms
from service.call.state import Call, Line, Operation, Turn
from tests.call.story import Story
from tests.standins.chat_request import check

LOOKUP = ToolTerms(is_idempotent=False, attempts_max=1, timeout_ms=4_000)
SPEECH = Turn(9, "speech", "x")


def talk(**tools: ToolTerms) -> Story:
    story = Story(Policy(tools=tools))
    story.opened()
    story.attach()
    return story


def answer(story: Story, *acts: a.Act, is_heard: bool = True) -> None:
    turn = story.call.turn
    assert turn is not None
    story.happen(i.Answered(turn.number, acts))
    if is_heard:
        story.hear_out()


def said(story: Story, turn: Turn | None = None) -> list[tuple[str, Any]]:
    """The messages as a strict server takes them: role and content, or the calls."""
    found = history(story.call, turn or story.call.turn or SPEECH)
    request = {"model": "m", "stream": True, "messages": [{"role": "system", "content": "s"}, *found]}  # fmt: skip
    check(json.dumps(request).encode(), "application/json")
    return [(one["role"], one["content"]) for one in found]


def partly(prompt: str, *, clauses: int = 0, words: int = 0) -> e.Played:
    return e.Played(
        prompt=prompt, clauses=clauses, part_words=words, part_samples=800, part_of_samples=8_000,
        heard_samples=800,
    )  # fmt: skip


def test_what_was_heard_on_both_sides_is_the_history() -> None:
    story = talk()
    answer(story, a.Say("Hello."), a.Say("Who is it?"))
    story.happen(i.Utterance("Maria [end]\n", duration_ms=900))
    assert said(story) == [
        ("user", BEGINNING),
        ("assistant", "Hello.\nWho is it?"),
        ("user", "Maria (end)"),
    ]  # fmt: skip


def test_an_opening_is_a_note() -> None:
    story = talk()
    [(role, note)] = said(story)
    assert (role, note.splitlines()[0]) == ("user", BEGINNING)
    assert "Greet" in note


def test_our_line_is_cut_to_the_words_heard_and_the_rest_is_noted() -> None:
    story = talk()
    answer(story, a.Say("Your ticket is open and somebody works on it."), is_heard=False)
    story.happen(i.Utterance("Wait.", duration_ms=900, played=(partly("p1", words=4),)))
    assert said(story)[1:] == [
        ("assistant", "Your ticket is open"),
        ("user", '[The caller did not hear the rest of that: "and somebody works on it."]\nWait.'),
    ]


def test_a_line_nobody_heard_is_only_noted() -> None:
    story = talk()
    answer(story, a.Say("Hello there."), a.Say("How are you?"), is_heard=False)
    story.happen(i.Utterance("Hello?", duration_ms=900))
    [(role, text)] = said(story)
    assert (role, text.splitlines()) == (
        "user",
        [
            BEGINNING,
            '[The caller did not hear what you meant to say: "Hello there."]',
            '[The caller did not hear what you meant to say: "How are you?"]',
            "Hello?",
        ],
    )


def test_a_line_that_is_still_being_spoken_is_said() -> None:
    story = talk()
    answer(story, a.Say("Your ticket is open and somebody works on it."), is_heard=False)
    story.drop("closed", partly("p1", words=2))
    assert said(story)[1][1] == "Your ticket is open and somebody works on it."
    assert said(story)[-1] == ("user", YOUR_TURN)


def test_keys_a_broken_line_and_a_colleague_are_marked() -> None:
    story = talk()
    answer(story, a.Say("Key it in."))
    for key in "12#":
        story.happen(i.Key(key))
    answer(story, a.Say("And your name?"))
    story.happen(i.Utterance("It's Mar", duration_ms=900, is_partial=True))
    story.write(e.AgentSpoke(prompt="p9", clauses=("Hello, Bob here.",), who="human"))
    assert said(story)[2:] == [
        ("user", "[keyed 12]"),
        ("assistant", "And your name?"),
        ("user", 'It\'s Mar [the line broke off here]\n[A colleague of yours told the caller: "Hello, Bob here."]'),
    ]  # fmt: skip


def test_an_answer_that_broke_off_is_gone_on_with() -> None:
    story = talk()
    turn = story.call.turn
    assert turn is not None
    story.happen(i.Answered(turn.number, (a.Say("Hello."),), is_last=False))
    assert story.call.turn is not None
    assert story.call.turn.said == ("Hello.",)
    assert said(story)[1:] == [("assistant", "Hello."), ("user", go_on("Hello."))]


def test_a_tool_at_work_is_told_as_running() -> None:
    story = talk(lookup=LOOKUP)
    answer(story, a.Say("One moment."), a.UseTool("lookup", {"id": "\u00e9"}))
    story.happen(i.Utterance("Okay.", duration_ms=900))
    assert [role for role, _ in said(story)] == ["user", "assistant", "tool", "user"]
    _, use, result, _ = history(story.call, SPEECH)
    assert use == called([("call00000", "lookup", '{"id": "\u00e9"}')], "One moment.")
    assert result["content"] == "Still running; its answer comes later."


def test_the_answer_of_a_tool_stands_where_it_came() -> None:
    story = talk(lookup=LOOKUP)
    answer(story, a.UseTool("lookup"), a.Say("One moment."))
    story.happen(i.Utterance("Okay then.", duration_ms=900))
    answer(story, a.Say("Still looking."))
    story.happen(i.OperationDone("t1.1", 1, "succeeded", '{"status": "open"}'))
    assert story.call.turn is not None
    assert story.call.turn.reason == "operation"
    assert [role for role, _ in said(story)] == ["user", "assistant", "user", "assistant", "tool"]
    assert said(story)[-1][1] == '{"status": "open"}'


@pytest.mark.parametrize(
    ("changes", "begin"),
    [
        ({"status": "succeeded"}, "Done."),
        ({"status": "succeeded", "result": "x" * 9_000}, "x" * 50),
        ({"status": "failed", "detail": "No such ticket."}, "It failed, and nothing was done. No"),
        ({"status": "timed_out"}, "It did not answer in time, and nothing was changed."),
        ({"status": "unknown", "detail": "Lost."}, "Nobody knows whether this was done. Lost."),
        (
            {"status": "unknown", "detail": "no answer in time"},
            "Nobody knows whether this was done. No answer in time. Tell",
        ),
        ({"status": "pending", "approval": "asked"}, "A colleague has to approve this first"),
        ({"status": "pending", "approval": "granted"}, "Still running"),
    ],
)
def test_nothing_untrue_is_told_of_a_tool(changes: dict[str, Any], begin: str) -> None:
    one = Operation(
        "t1.1", "note", {}, 1, is_idempotent=False, attempts_max=1, deadline_ms=1, **changes
    )
    content = history(Call(operations=(one,)), SPEECH)[-1]["content"]
    assert content.startswith(begin)
    assert len(content) <= RESULT_LETTERS_MAX


def test_what_our_own_rules_asked_for_is_not_told() -> None:
    one = Operation("summary", "s", {}, 0, is_idempotent=True, attempts_max=1, deadline_ms=1)
    assert history(Call(operations=(one,)), SPEECH) == [user(BEGINNING)]


def test_the_newest_is_kept_and_a_tool_never_parts_from_its_answer() -> None:
    lines = tuple(
        Line(10 * n, "caller" if n % 2 else "agent", f"{n} " + "word " * 60, "", cut=False, at_ms=n)
        for n in range(1, 400)
    )
    tools = tuple(
        Operation(f"t{n}.1", "t", {}, n, is_idempotent=True, attempts_max=1, deadline_ms=1,
                  status="succeeded", result="r" * 200, ended_position=10 * n + 5)
        for n in range(1, 400)
    )  # fmt: skip
    story = Story()
    story.call = Call(transcript=lines, operations=tools)
    found = history(story.call, SPEECH)
    assert said(story)
    assert found[0]["content"].startswith(LEFT_OUT)
    letters = sum(len(json.dumps(one)) for one in found)
    assert HISTORY_LETTERS_MAX * 3 // 4 < letters < HISTORY_LETTERS_MAX + 200
    assert found[-1]["tool_call_id"] == "call00398"


def test_one_endless_line_does_not_take_all_the_room() -> None:
    line = Line(1, "caller", "word " * 9_000, "", cut=False, at_ms=1)
    [only] = history(Call(transcript=(line,)), SPEECH)
    assert len(only["content"]) < LINE_LETTERS_MAX + 100


def test_neighbours_of_one_role_are_joined() -> None:
    use = called([("call00001", "x", "{}")])
    messages: list[Message] = [user("a"), user("b"), {"role": "assistant", "content": "c"}, use]
    assert joined(messages) == [user("a\nb"), {**use, "content": "c"}]
    assert joined([use, use]) == [use, use]
    assert joined([]) == []


@pytest.mark.parametrize("standing", ["open", "taken", "declined"])
def test_an_earlier_call_stands_before_this_one_once_its_caller_goes_on_with_it(
    standing: str,
) -> None:
    story = talk()
    earlier = Earlier(
        "CA0",
        "number",
        1,
        standing=standing,  # type: ignore[arg-type] # one of the three
        transcript=(CarriedLine("caller", "It smokes."), CarriedLine("agent", "Since when?")),
    )
    story.call = structs.replace(story.call, earlier=earlier)
    found = said(story, Turn(1, "earlier"))
    if standing == "taken":
        assert [content for _, content in found][:2] == [f"{EARLIER}\nIt smokes.", "Since when?"]
        assert found[2][1].startswith(f"{CUT_OFF}\n{BEGINNING}")
    else:
        assert "smokes" not in str(found)
