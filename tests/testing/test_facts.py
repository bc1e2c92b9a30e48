from service.testing.facts import Facts
from service.testing.stayline import Stayline
from tests.testing.agents import Echo


def test_the_facts_of_a_call_are_those_of_the_api(stayline: Stayline) -> None:
    call = stayline.call(Echo, client_name="Maria", ticket_id="TKT-1")
    call.hears("what can I do for you")
    call.says("my printer is broken")
    call.hears("You said: my printer is broken")
    assert call.state["call_sid"] == call.call_sid
    assert call.state["parameters"]["ticket_id"] == "TKT-1"
    assert [line["who"] for line in call.transcript] == ["agent", "caller", "agent"]
    assert call.transcript[1]["text"] == "my printer is broken"
    assert call.fields == {}
    assert call.operations == []
    assert call.greetings == 1


def test_records_have_their_kind_and_their_place(stayline: Stayline) -> None:
    call = stayline.call(Echo)
    call.hears("Hello")
    assert [one["position"] for one in call.journal()][:3] == [1, 2, 3]
    (attached,) = call.journal("stream_attached")
    assert (attached["kind"], attached["epoch"], attached["cause"]) == ("stream_attached", 1, "new")


def test_of_an_unknown_call_nothing_is_known(stayline: Stayline) -> None:
    house = stayline.call(Echo).house
    unknown = Facts("CA0", house)
    assert unknown.state == {}
    assert unknown.journal() == []
    assert unknown.greetings == 0
    assert unknown.transcript == []
