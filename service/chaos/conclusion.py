"""The judgement on one wave of calls: all is quiet, and everything is held against everything.

silent = await settle(…)      every call is cut off once more, says all that it has to say, and answers
await conclude(…, tally)      what callers heard, what was acknowledged, what the journals say
"""

import asyncio

from service.chaos.callers.crowd import LightPhone
from service.chaos.callers.settling import all_answer
from service.chaos.evidence import keep
from service.chaos.ground import Ground
from service.chaos.harms import Dropped, Harms
from service.chaos.judging import judge
from service.chaos.judging.hearing import faults
from service.chaos.judging.ledger import Unanswered, lost
from service.chaos.tally import Tally
from service.chaos.waiting import until

SETTLE_S_MAX = 60.0
CALM_US = 1_000_000
TALK_S_MAX = 20.0  # what is still to be said when the last stream is back: three clauses at most
TALK_GAP_S = 2.0  # between two of our sentences it is quiet for less, also on a busy machine
CUT_APART_S = 0.1
CUT_S = (
    2.6  # most of an answer lasts longer: a code is noted in 0.6 s, and remarked on for three more
)
STALE_MS = 1_000  # the service may need this long to see that another stream took over


async def settle(ground: Ground, harms: Harms) -> list[str]:
    """Wait until each call has a sound stream and has said all; returns those who answer no key then.

    Each was cut off once more before, with nobody to interrupt what is still to be said.
    """
    phones = ground.crowd.callers
    await until(lambda: _is_calm(ground, harms), within_s=SETTLE_S_MAX)
    if ground.plan.is_talker:
        cuts = [_cut(phone, number, harms) for number, phone in enumerate(phones)]
        await asyncio.gather(*cuts)
        await until(lambda: _is_calm(ground, harms), within_s=SETTLE_S_MAX)
    is_said = await _all_said(phones)
    for phone in phones:
        phone.quiet_ms = phone.now_ms() if is_said else 0
    if not ground.plan.is_talker:
        return []
    silent = await all_answer([phone for phone in phones if not phone.is_over])
    await _all_said(phones)
    return silent


async def conclude(ground: Ground, harms: Harms, silent: list[str], tally: Tally) -> None:
    """Judge the calls that are there."""
    callers, ledger = ground.crowd.callers, ground.ledger
    _tell_drops(ground, harms, tally)
    ended = [f"{one.call_sid}: {one.course.ended_by}" for one in ground.crowd.ended]
    tally.count("calls ended", ended)
    without = [one for one in callers if not one.is_over and one.span.strand is None]
    tally.count(
        "calls without a stream at the end", [f"{it.call_sid}\n{it.story()}" for it in without]
    )
    tally.count("calls that answer no key at the end", silent)
    try:
        journals = await ledger.whole(phone.call_sid for phone in callers)
    except Unanswered as trouble:
        tally.count("calls whose records can't be read", [str(trouble)])
        return
    tally.count("acknowledged records", sum(map(len, ledger.seen.values())), at_most=None)
    tally.count("acknowledged records lost", lost(ledger.seen, journals))
    tally.count("notes accepted", sum(map(len, ledger.notes.values())), at_most=None)
    tally.count("accepted notes not kept once", judge.unnoted(ledger.notes, journals))
    tally.count("second greetings", judge.second_greetings(callers, journals))
    tally.count("written by an owner that was replaced", judge.interleaved(journals))
    tally.count("messages that the carrier refused", judge.violations(callers))
    tally.count("streams sent to after they were replaced", late(harms.dropped))
    if ground.plan.is_talker:
        _tell_talk(ground, journals, tally)
    keep(ground.folder, tally.found(), callers, harms.dropped, journals)


async def _cut(phone: LightPhone, number: int, harms: Harms) -> None:
    """Have a caller cut off in the midst of an answer, who presses nothing more: the rest must be said."""
    await asyncio.sleep(number * CUT_APART_S)
    phone.press_code()
    await asyncio.sleep(CUT_S)
    harms.cut_off(phone)


def _is_calm(ground: Ground, harms: Harms) -> bool:
    """Say whether every call has a stream that nothing was done to, and had it for a moment."""
    old_us = ground.clock.now_us() - CALM_US
    for phone in ground.crowd.callers:
        strand, link = phone.span.strand, harms.link(phone)
        is_sound = strand is not None and strand.started_us < old_us and link and not link.harm
        if not phone.is_over and not is_sound:
            return False
    return True


async def _all_said(phones: list[LightPhone]) -> bool:
    async def is_quiet() -> bool:
        if any(phone.is_spoken_to for phone in phones):
            return False
        await asyncio.sleep(TALK_GAP_S)
        return not any(phone.is_spoken_to for phone in phones)

    return await until(is_quiet, within_s=TALK_S_MAX)


def _tell_drops(ground: Ground, harms: Harms, tally: Tally) -> None:
    turn_ms = ground.crowd.terms.pace.turn_ms
    told = [one for one in harms.dropped if one.kind not in ("blackhole", "kill")]
    killed = [one for one in harms.dropped if one.kind == "kill"]
    dark = [one for one in harms.dropped if one.kind == "blackhole"]
    tally.spread("drop to the next stream", backs_ms(told))
    tally.spread("  beyond the carrier's own time", [it - turn_ms for it in backs_ms(told)])
    tally.spread("  of servers that were killed", backs_ms(killed))
    doubly = [one for one in dark if has_died(one, harms)]
    tally.spread("  of blackholes", backs_ms([one for one in dark if one not in doubly]))
    tally.spread("  of blackholes whose server was killed, too", backs_ms(doubly))
    if ground.plan.is_talker:
        tally.spread("start to sound, where there was more to say", sounds_ms(harms.dropped))
        tally.spread("key to answer", _answers_ms(ground.crowd.callers))


def _tell_talk(ground: Ground, journals: judge.Journals, tally: Tally) -> None:
    callers, shop = ground.crowd.callers, ground.shop
    tally.count("codes noted", sum(len(one.noted()) for one in callers), at_least=1)
    tally.count("told to a caller and not kept once", judge.unkept(callers, journals))
    found = faults(callers, journals)
    tally.count("words heard", found.words, at_least=1)
    tally.count("never heard and not given up", found.skipped)
    tally.count("begun again before the clause that was cut", found.again)
    tally.count("heard out of their place", found.unplaced)
    tally.count("counted as heard and never heard", found.overclaimed)
    tally.count("calls with a branch, where order is not judged", found.apart, at_most=None)
    tally.count("stale words heard", judge.stale(callers))
    tally.count("said again though known to be heard", judge.said_again(callers, journals))
    sids = {one.call_sid for one in callers}
    done = sum(times for (sid, _), times in shop.effects.items() if sid in sids)
    tally.count("bookings done", done, at_most=None)
    tally.count("told as booked and not done once", judge.unbooked(callers, shop))


def _answers_ms(phones: list[LightPhone]) -> list[int]:
    """Return how long those waited for an answer who pressed a code while nobody spoke."""
    return [
        took_us // 1_000
        for phone in phones
        for asked_us, took_us in phone.answers
        if asked_us not in phone.talked_over
    ]


def has_died(dropped: Dropped, harms: Harms) -> bool:
    """Say whether the server was killed before the call had another stream."""
    strands = dropped.phone.span.strands[dropped.strand : dropped.strand + 1]
    back_us = strands[0].started_us if strands else dropped.phone.now_ms() * 1_000
    return any(
        port == dropped.link.port and dropped.at_us <= at_us <= back_us
        for port, at_us in harms.killed
    )


def backs_ms(dropped: list[Dropped]) -> list[int]:
    """Return how long it took each time from the drop to the next stream."""
    return [
        (one.phone.span.strands[one.strand].started_us - one.at_us) // 1_000
        for one in dropped
        if len(one.phone.span.strands) > one.strand
    ]


def sounds_ms(dropped: list[Dropped]) -> list[int]:
    """Return how long it took from the start of a stream to its first sound, when it had something to say."""
    following = [
        (one.phone.span.strands[one.strand - 1], one.phone.span.strands[one.strand])
        for one in dropped
        if len(one.phone.span.strands) > one.strand
    ]
    return [
        (after.first_media_us - after.started_us) // 1_000
        for before, after in following
        if before.was_cut and after.first_media_us
    ]


def late(dropped: list[Dropped]) -> list[str]:
    """Return the streams on which audio still came when another one had long taken over."""
    found = []
    for one in dropped:
        if len(one.phone.span.strands) <= one.strand:
            continue
        since_ms = one.phone.span.strands[one.strand].started_us // 1_000
        stale = [at_ms - since_ms for at_ms in one.link.media_after if at_ms > since_ms + STALE_MS]
        if stale:
            found.append(
                f"{one.phone.call_sid}: stream {one.strand}, {one.kind}: up to {stale[-1]} ms"
            )
    return found
