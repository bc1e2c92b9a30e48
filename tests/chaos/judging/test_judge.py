"""The checker finds what it is there for. A caller's audio and a journal are made up by hand."""

import json
from collections.abc import Mapping

import pytest

from service.chaos.callers.crowd import Crowd, LightPhone
from service.chaos.judging import judge
from service.chaos.servers.shop import Shop
from service.simulator.streams.carrier import Warned
from service.testing.talker import GREETING
from service.testing.textspeech import spoken

pytestmark = pytest.mark.asyncio

LONG_AGO_MS = 60_000


async def heard(crowd: Crowd, *pieces: bytes) -> LightPhone:
    """Return a caller who heard this, a minute ago and before the service spoke for itself."""
    (phone,) = await crowd.gather(1)
    leg = phone.span.strands[0].leg
    leg._pieces.clear()
    leg._dry_at = 0
    for piece in pieces:
        leg.buffer(piece, phone.now_ms() - LONG_AGO_MS)
    return phone


def journal(*bodies: Mapping[str, object]) -> list[dict[str, object]]:
    return [{"position": n, "epoch": 1, **body} for n, body in enumerate(bodies, 1)]


def entered(code: str) -> dict[str, object]:
    return {"kind": "digits_entered", "digits": code}


async def test_what_was_told_must_be_kept_once_and_in_order(crowd: Crowd) -> None:
    phone = await heard(crowd, spoken("Noted 001."), spoken("Noted 002."))
    sid = phone.call_sid
    assert judge.unkept([phone], {sid: journal(entered("001"), entered("002"))}) == []
    assert judge.unkept([phone], {sid: journal(entered("001"))})
    assert judge.unkept([phone], {sid: journal(entered("002"), entered("001"))})
    twice = journal(entered("001"), entered("002"), entered("002"))
    assert judge.unkept([phone], {sid: twice})


async def test_what_another_owner_kept_out_stands_beside(crowd: Crowd) -> None:
    phone = await heard(crowd, spoken("Noted 001."), spoken("Noted 001."))
    sid, branch = phone.call_sid, {"kind": "branch_orphaned", "lost": [json.dumps(entered("001"))]}
    assert judge.unkept([phone], {sid: journal(branch)}) == []
    assert judge.unkept([phone], {sid: journal(entered("001"), branch)})
    assert judge.beside({sid: journal(branch)}, sid, "note_added") == []
    assert judge.said_again([phone], {sid: journal(entered("001"))})
    assert judge.said_again([phone], {sid: journal(branch)}) == []


async def test_a_greeting_is_heard_and_written_once(crowd: Crowd) -> None:
    phone = await heard(crowd, spoken(GREETING))
    sid, greeted = phone.call_sid, {"kind": "greeted"}
    assert judge.second_greetings([phone], {sid: journal(greeted)}) == []
    assert judge.second_greetings([phone], {sid: journal(greeted, greeted)})
    phone.span.strands[0].leg.buffer(spoken(GREETING), phone.now_ms() - LONG_AGO_MS)
    assert judge.second_greetings([phone], {sid: journal(greeted)})


async def test_a_word_out_of_its_place_is_stale(crowd: Crowd) -> None:
    clause = spoken("Noted 001. And more.")
    phone = await heard(crowd, clause, spoken("Noted 002."))
    assert judge.stale([phone]) == []
    rest = clause[clause.ends[1] :]
    phone.span.strands[0].leg.buffer(rest, phone.now_ms() - LONG_AGO_MS)
    assert judge.stale([phone])


async def test_what_was_known_to_be_heard_is_not_said_again(crowd: Crowd) -> None:
    phone = await heard(crowd, spoken("Noted 001."))
    assert judge.said_again([phone], {}) == []
    phone.span.strands[0].leg.buffer(spoken("Noted 001."), phone.now_ms() - LONG_AGO_MS)
    assert judge.said_again([phone], {}) == [f"{phone.call_sid}: Noted 001"]
    phone.span.strands[0].harms_us = [1]  # the service may not have learnt that it was heard
    assert judge.said_again([phone], {}) == []


async def test_a_booking_that_was_told_is_done_once(crowd: Crowd) -> None:
    phone, shop = await heard(crowd, spoken("Booked 007.")), Shop()
    assert judge.unbooked([phone], shop)
    shop.effects[phone.call_sid, "007"] = 1
    assert judge.unbooked([phone], shop) == []


async def test_the_carriers_warnings_are_told(crowd: Crowd) -> None:
    phone = await heard(crowd)
    assert judge.violations([phone]) == []
    phone.span.strands[0].leg.warnings.append(Warned(31_951, "no"))
    assert judge.violations([phone]) == [f"{phone.call_sid}: 31951 no"]


async def test_journals_are_held_against_each_other() -> None:
    one, two = {"kind": "one"}, {"kind": "two"}
    assert judge.losses({"CA1": journal(one)}, {"CA1": journal(one, two)}) == []
    assert judge.losses({"CA1": journal(one, two)}, {"CA1": journal(one)})
    assert judge.losses({"CA1": []}, {"CA1": [{"position": 2}]})
    assert judge.interleaved({"CA1": [{"epoch": 1}, {"epoch": 0}, {"epoch": 2}]}) == []
    assert judge.interleaved({"CA1": [{"epoch": 2}, {"epoch": 1}]})


async def test_an_accepted_note_is_kept_once() -> None:
    note = {"kind": "note_added", "text": "n"}
    assert judge.unnoted({"CA1": ["n"]}, {"CA1": journal(note)}) == []
    assert judge.unnoted({"CA1": ["n"]}, {"CA1": journal(note, note)})
    assert judge.unnoted({"CA1": ["n"]}, {})
