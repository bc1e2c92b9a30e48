import json

from service.call import acts as a, events as e, inputs as i
from service.call.place import Place
from service.call.policy import Policy, ToolTerms
from service.call.shown.timeline import Timeline
from tests.call.story import START_MS, Story, greeted, speaking

KEYS = {
    "from_ms",
    "to_ms",
    "position",
    "streams",
    "gaps",
    "speech",
    "keys",
    "tools",
    "acts",
    "levels",
    "incidents",
}


def drawn(story: Story) -> Timeline:
    timeline = Timeline()
    timeline.add_all(story.journal)
    return timeline


def test_a_call_that_only_rang_has_every_key_and_no_server() -> None:
    story = Story()
    story.opened(client_name="Maria")
    timeline = drawn(story)
    shown = timeline.shown()
    assert set(shown) == KEYS
    assert (shown["from_ms"], shown["to_ms"], shown["position"]) == (START_MS, START_MS, 1)
    assert shown["streams"] == shown["gaps"] == shown["speech"] == []
    assert timeline.server == ""


def test_the_state_is_the_fold_of_the_same_facts() -> None:
    story = speaking()
    story.drop()
    story.attach("MZ2", gap_ms=900)
    assert drawn(story).call.transcript == story.call.transcript
    assert drawn(story).call.streams == story.call.streams


def test_streams_are_bars_with_their_servers_and_gaps_lie_between() -> None:
    story = speaking()
    story.now_ms += 1_000
    story.drop("closed")
    story.now_ms += 812
    story.attach("MZ2", gap_ms=812)
    timeline = drawn(story)
    shown = timeline.shown()
    first, second = shown["streams"]
    assert (first["stream_sid"], first["server"], first["epoch"]) == ("MZ1", "s1", 1)
    assert (first["to_ms"], first["reason"]) == (START_MS + 1_000, "closed")
    assert (second["from_ms"], second["to_ms"], second["cause"]) == (START_MS + 1_812, None, "drop")
    (gap,) = shown["gaps"]
    assert (gap["after_epoch"], gap["before_epoch"], gap["is_open"]) == (1, 2, False)
    assert gap["playing"]["text"].startswith("Thank you")
    assert timeline.server == "s1"
    assert json.loads(json.dumps(shown)) == shown


def test_a_gap_that_is_not_over_is_shown_as_open() -> None:
    story = greeted()
    story.now_ms += 500
    story.drop()
    (gap,) = drawn(story).shown()["gaps"]
    assert (gap["is_open"], gap["before_epoch"], gap["playing"]) == (True, None, None)


def test_keys_and_what_people_ask_for_stand_at_their_times() -> None:
    story = greeted()
    story.now_ms += 100
    story.happen(i.Key("4"))
    asked = (
        e.SayRequested(request="r1", text="Hello."),
        e.DigitsRequested(request="r2", digits="1w2"),
        e.TransferRequested(request="r3", to_number="+15550009"),
        e.HangupRequested(request="r4"),
        e.EndingRefused(detail="a page"),
        e.NoteAdded(text="VIP", by="ann"),
        e.OperationApproved(operation="o1", by="ben"),
        e.OperationDenied(operation="o1", by="cas"),
        e.TakenOver(by="dee", seat="s1"),
        e.HandedBack(by="dee", reason="asked"),
        e.CallbackRequested(by="person"),
    )
    story.write(*asked, is_outside=True)
    shown = drawn(story).shown()
    assert [(one["digit"], one["at_ms"]) for one in shown["keys"]] == [("4", START_MS + 100)]
    assert [(one["kind"], one["by"], one["text"]) for one in shown["acts"]] == [
        ("say", "", "Hello."),
        ("digits", "", "1w2"),
        ("transfer", "", "+15550009"),
        ("hangup", "", ""),
        ("not_transferred", "", "a page"),
        ("note", "ann", "VIP"),
        ("approve", "ben", "o1"),
        ("deny", "cas", "o1"),
        ("takeover", "dee", ""),
        ("handback", "dee", "asked"),
        ("callback", "person", ""),
    ]


def test_tools_last_from_their_request_to_their_end() -> None:
    terms = {"look_up": ToolTerms(is_idempotent=True, attempts_max=1, timeout_ms=5_000)}
    story = greeted(Policy(tools=terms))
    story.happen(i.Utterance("It's me."))
    story.happen(i.Answered(2, (a.UseTool("look_up"),)))
    (open_one,) = drawn(story).shown()["tools"]
    assert (open_one["tool"], open_one["status"], open_one["to_ms"]) == ("look_up", "pending", None)
    story.now_ms += 700
    story.happen(i.OperationDone(open_one["id"], 1, "succeeded", result='"found"'))
    story.write(e.OperationEnded(operation=open_one["id"], status="failed"))
    (one,) = drawn(story).shown()["tools"]
    assert (one["status"], one["from_ms"], one["to_ms"]) == ("succeeded", START_MS, START_MS + 700)


def test_levels_are_strips_from_their_time_on() -> None:
    story = greeted()
    story.write(e.LevelsMeasured(at_ms=START_MS + 7, caller="AAA=", ours="/w=="))
    assert drawn(story).shown()["levels"] == [
        {"at_ms": START_MS + 7, "step_ms": 100, "caller": "AAA=", "ours": "/w=="}
    ]


def test_facts_of_newer_code_are_passed_over() -> None:
    timeline = Timeline()
    timeline.add(e.Unknown("sang", b'{"kind":"sang"}'), Place(1, 0, START_MS))
    assert timeline.shown()["position"] == 1


def test_what_the_talk_shows_to_be_lost_stands_with_its_place() -> None:
    story = greeted()
    story.now_ms += 500
    story.happen(i.Utterance("I already told you."))
    (loss,) = drawn(story).shown()["incidents"]
    (line,) = [one for one in story.call.transcript if one.who == "caller"]
    assert loss == {"position": line.position, "at_ms": START_MS + 500, "kind": "told_already"}
