import json

from service.call import events as e, inputs as i
from service.call.decisions.operation import requested
from service.call.place import Place
from service.call.policy import ToolTerms
from service.call.shown.view import record_view, timestamp, view
from service.call.state import Call
from tests.call.story import START_MS, Story

KEYS = {
    "call_sid", "tenant", "phase", "stage", "epoch", "incarnation", "position", "from", "from_page", "to",
    "opened_at", "updated_at", "ended_at", "parameters", "fields", "digits_pending", "transcript",
    "operations", "streams", "playback",
}  # fmt: skip
LINE_KEYS = {"position", "who", "text", "heard", "cut", "at"}
STREAM_KEYS = {"stream_sid", "epoch", "cause", "attached_at", "detached_at", "gap_ms"}
STREAM_KEYS |= {"gap_heard_ms"}
PLAYBACK_KEYS = {"prompt", "generated_ms", "synthesised_ms", "sent_ms", "heard_ms"}


def test_a_timestamp_is_rfc_3339_in_utc() -> None:
    assert timestamp(0) == "1970-01-01T00:00:00.000Z"
    assert timestamp(START_MS + 7) == "2023-11-14T22:13:20.007Z"


def test_a_new_call_has_every_key_of_the_contract() -> None:
    shown = view(Call(call_sid="CA1"), incarnation="i1")
    assert set(shown) >= KEYS
    assert (shown["incarnation"], shown["phase"], shown["ended_at"]) == ("i1", "ringing", None)
    assert shown["parameters"] == {"client_name": "", "company": "", "ticket_id": ""}
    assert set(shown["playback"]) == PLAYBACK_KEYS


def test_a_whole_call_is_shown_as_the_contract_says() -> None:
    story = Story()
    story.opened(client_name="Maria", tier="gold")
    story.attach("MZ1", door="voice")
    story.tell(i.Key("1"))
    story.write(
        e.StageChanged(stage="intake"),
        e.FieldFilled(name="name", value="Maria", source="directory"),
        e.AgentSpoke(prompt="p1", clauses=("Hello Maria, how are you?",)),
        e.Played(
            prompt="p1",
            clauses=0,
            synthesised_samples=807,
            sent_samples=800,
            part_samples=407,
            part_of_samples=807,
            heard_samples=407,
        ),
        e.NoteAdded(text="VIP", by="ann"),
    )
    story.drop()
    story.now_ms += 812
    story.attach("MZ2", gap_ms=812)
    story.write(e.CallEnded(reason="completed"))
    shown = view(story.call, incarnation="i1")
    assert json.loads(json.dumps(shown)) == shown
    assert shown["parameters"] == {
        "client_name": "Maria", "company": "", "ticket_id": "", "tier": "gold",
    }  # fmt: skip
    assert shown["fields"] == {
        "name": {"value": "Maria", "confirmed": False, "source": "directory", "confidence": 1.0}
    }
    assert shown["saying"] == ""
    assert (shown["digits_pending"], shown["stage"], shown["phase"]) == ("1", "intake", "ended")
    assert shown["ended_at"] == "2023-11-14T22:13:20.812Z"
    line = shown["transcript"][0]
    assert set(line) >= LINE_KEYS
    assert (line["heard"], line["at"]) == ("Hello Maria,", "2023-11-14T22:13:20.000Z")
    first, second = shown["streams"]
    assert set(first) >= STREAM_KEYS
    assert (first["cause"], second["cause"], second["gap_ms"]) == ("new", "drop", 812)
    assert (first["detached_at"], second["epoch"]) == ("2023-11-14T22:13:20.000Z", 2)
    assert shown["playback"]["heard_ms"] == 50
    assert shown["notes"][0]["text"] == "VIP"


def test_an_open_stream_has_no_end() -> None:
    story = Story()
    story.attach()
    assert view(story.call, incarnation="")["streams"][0]["detached_at"] is None


def test_a_record_is_shown_with_its_place_and_its_kind() -> None:
    assert record_view(e.DigitPressed(digit="1"), Place(12, 2, START_MS)) == {
        "position": 12,
        "epoch": 2,
        "at": "2023-11-14T22:13:20.000Z",
        "kind": "digit_pressed",
        "digit": "1",
        "v": 1,
    }


def test_a_record_of_a_newer_version_is_shown_as_it_is() -> None:
    place = Place(1, 1, 0)
    newer = e.decode(b'{"kind":"moon_landed","by":"us"}')
    assert record_view(newer, place)["by"] == "us"
    assert record_view(e.decode(b"[1]"), place)["kind"] == ""
    assert record_view(e.decode(b"{}"), place)["kind"] == ""


def test_no_record_says_otherwise_about_its_place() -> None:
    sly = e.decode(b'{"kind":"x","position":99,"epoch":9,"at":"never"}')
    shown = record_view(sly, Place(1, 1, 0))
    assert (shown["position"], shown["epoch"], shown["at"]) == (1, 1, "1970-01-01T00:00:00.000Z")


def test_tools_are_shown_with_their_state_and_what_they_brought() -> None:
    story = Story()
    story.attach()
    terms = ToolTerms(is_idempotent=False, attempts_max=1, timeout_ms=500, approval_ms=1_000)
    story.write(
        requested("t1.1", "lookup", {"id": "TKT-1"}, 1, terms, START_MS),
        e.OperationApproved(operation="t1.1"),
        e.OperationDispatched(operation="t1.1", attempt=1),
    )
    shown = view(story.call, incarnation="")["operations"][0]
    assert (shown["status"], shown["approval"], shown["result"]) == ("pending", "granted", None)
    story.write(e.OperationEnded(operation="t1.1", status="succeeded", result='{"a":1}'))
    assert view(story.call, incarnation="")["operations"] == [
        {
            "id": "t1.1",
            "tool": "lookup",
            "arguments": {"id": "TKT-1"},
            "status": "succeeded",
            "attempts": 1,
            "approval": "granted",
            "deadline_at": "2023-11-14T22:13:21.500Z",
            "result": {"a": 1},
            "detail": "",
        }
    ]


def test_what_came_after_a_transfer_is_shown() -> None:
    story = Story()
    story.attach()
    shown = view(story.call, incarnation="")
    assert (shown["dial_outcome"], shown["voicemail"]) == ("", None)
    story.write(e.DialEnded(outcome="busy"), e.VoicemailLeft(url="https://x/1", duration_ms=900))
    shown = view(story.call, incarnation="")
    assert shown["dial_outcome"] == "busy"
    assert shown["voicemail"] == {
        "url": "https://x/1",
        "duration_ms": 900,
        "at": "2023-11-14T22:13:20.000Z",
    }


def test_a_ringing_back_is_shown_with_how_far_it_got() -> None:
    story = Story()
    story.opened()
    story.write(e.CallbackRequested(by="rule"), e.CarriedOn(call_sid="CA3"))
    story.write(e.CallbackDialled(attempt=1), e.CallbackPlaced(attempt=1, call_sid="CA2"))
    shown = view(story.call, incarnation="i")
    assert shown["carried_on"] == "CA3"
    assert shown["callback"] == {
        "step": "placed", "attempts": 1, "call_sid": "CA2", "outcome": None,
        "at": timestamp(START_MS),
    }  # fmt: skip


def test_who_has_taken_the_call_over_is_shown() -> None:
    story = Story()
    assert view(story.call, incarnation="i1")["taken_over"] is None
    story.write(e.TakeoverRequested(request="t", by="Ana", seat="a"))
    shown = view(story.call, incarnation="i1")["taken_over"]
    assert shown == {"by": "Ana", "named": False, "seat": "a", "since": timestamp(START_MS)}


def test_of_a_number_under_seal_there_are_dots() -> None:
    story = Story()
    assert view(story.call, incarnation="i1")["collection"] is None
    story.write(
        e.ConsentGiven(by="key"),
        e.CollectionBegan(collection="c1", field="card", keys_min=13, keys_max=19),
        e.KeysMasked(collection="c1", count=3),
    )
    shown = view(story.call, incarnation="i1")
    one = {"field": "card", "keys": "•••", "is_passed": False, "sink": "http"}
    assert shown["collection"] == one
    assert shown["consent"] == "given"
