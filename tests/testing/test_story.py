from service.testing.stayline import Stayline
from service.testing.story import EVENTS_SHOWN, told
from tests.testing.agents import Echo


def test_the_story_has_the_timeline_the_talk_and_what_is_known(stayline: Stayline) -> None:
    call = stayline.call(Echo, client_name="Maria")
    call.hears("Hello Maria")
    call.drop_stream("eof")
    call.comes_back()
    call.hears("do for you")
    call.until(lambda it: it.transcript[0]["heard"].endswith("you?"), "the service knows, too")
    lines = call.story().splitlines()
    assert lines[0] == f"call {call.call_sid}, live"
    text = "\n".join(lines)
    assert "fault          eof stream 1" in text
    assert "stream_opened" in text
    assert "mark" not in text
    assert lines[-2:] == [
        "heard: Hello Maria, what can I do for you?",
        "  agent: Hello Maria, what can I do for you?",
    ]


def test_what_was_not_heard_of_a_line_is_seen(stayline: Stayline) -> None:
    phone = stayline.call(Echo).phone
    state = {
        "phase": "live",
        "transcript": [
            {"who": "agent", "text": "One two.", "heard": "One"},
            {"who": "agent", "text": "Three.", "heard": ""},
            {"who": "caller", "text": "Four.", "heard": "Four."},
        ],
        "fields": {"problem": {"value": "printer"}},
        "operations": [{"tool": "note", "status": "failed", "detail": "Closed."}],
    }
    assert told(phone, state, "One", [ValueError("stumbled")]).splitlines()[-7:] == [
        "heard: One",
        "  agent: One two.  [heard: One]",
        "  agent: Three.  [heard: nothing]",
        "  caller: Four.",
        "fields: {'problem': 'printer'}",
        "  operation note failed Closed.",
        "the agent raised ValueError: stumbled",
    ]


def test_a_long_story_keeps_its_end(stayline: Stayline) -> None:
    call = stayline.call(Echo)
    for _ in range(EVENTS_SHOWN):
        call.drop_stream("stall=1ms")
    lines = call.story().splitlines()
    heard = next(at for at, line in enumerate(lines) if line.startswith("heard:"))
    assert "earlier events" in lines[1]
    assert heard == 2 + EVENTS_SHOWN


def test_a_call_that_the_service_does_not_know_has_a_story(stayline: Stayline) -> None:
    phone = stayline.call(Echo).phone
    assert told(phone, {}, "", []).startswith(f"call {phone.call_sid}, unknown to the service")
