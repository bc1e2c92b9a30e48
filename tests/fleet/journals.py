"""What the API says of every call, and what must hold between two readings.

    before = await taken(ground)
    …
    after = await taken(ground)
    losses(before, after)            acknowledged records that are gone or stand elsewhere
    unkept(phones, after)            what callers were told and the journal doesn't know, and the like

A caller who heard "Noted 017." was told after the write, so the journal must hold the code, once.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import httpx2

from service.simulator.webhook import trust
from tests.fleet.crowd import LightPhone
from tests.fleet.ground import BEARER, Ground

AT_ONCE = 8
ATTEMPTS_MAX = 15  # a second apart; a store that was away for long is judged elsewhere
ASK_S_MAX = 20.0
FOUND_MAX = 20  # enough to see what is wrong

Json = dict[str, Any]
Journals = dict[str, list[Json]]


class Unanswered(Exception):
    """The API did not tell a call's records."""


async def taken(ground: Ground) -> Journals:
    """Return the records of every call, read from any server that is ready. Raises Unanswered."""
    for _ in range(ATTEMPTS_MAX - 1):
        try:
            return await asked(ground)
        except Unanswered:
            await asyncio.sleep(1)
    return await asked(ground)


async def asked(ground: Ground) -> Journals:
    """Ask once. Raises Unanswered when any call's records can't be had."""
    if not ground.balancer.ready:
        raise Unanswered("no server is ready")
    gate = asyncio.Semaphore(AT_ONCE)
    found: Journals = {}
    headers = {"Authorization": f"Bearer {BEARER}"}

    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{ground.balancer.ready[-1]}",
        headers=headers,
        verify=trust(),
        trust_env=False,
        timeout=ASK_S_MAX,
    ) as http:

        async def one(call_sid: str) -> None:
            try:
                async with gate:
                    answer = await http.get(f"/api/calls/{call_sid}/events")
            except httpx2.HTTPError as trouble:
                raise Unanswered(f"{call_sid}: {type(trouble).__name__}") from trouble
            if answer.status_code != 200:
                raise Unanswered(f"{call_sid}: {answer.status_code} {answer.text}")
            found[call_sid] = answer.json()["events"]

        questions = [one(phone.call_sid) for phone in ground.crowd.callers]
        outcomes = await asyncio.gather(*questions, return_exceptions=True)
        for trouble in filter(None, outcomes):
            raise trouble
    return found


def losses(before: Journals, after: Journals) -> list[str]:
    """Return how the later reading contradicts the earlier one: it must go on from it."""
    found = []
    for call_sid, records in before.items():
        later = after.get(call_sid, [])
        for index, record in enumerate(records):
            if index >= len(later) or later[index] != record:
                now = later[index] if index < len(later) else None
                found.append(f"{call_sid}: was {record}, is {now}")
                break
        positions = [record["position"] for record in later]
        if positions != list(range(1, len(later) + 1)):
            found.append(f"{call_sid}: the positions have gaps")
    return found[:FOUND_MAX]


def unkept(phones: Iterable[LightPhone], journals: Journals) -> list[str]:
    """Return every code that a caller was told to be noted and that the journal doesn't hold once."""
    found = []
    for phone in phones:
        entered = [one["digits"] for one in _of(journals, phone, "digits_entered")]
        told = list(dict.fromkeys(phone.noted()))
        found += [
            f"{phone.call_sid}: {code} noted, in the journal {entered.count(code)} times"
            for code in told
            if entered.count(code) != 1
        ]
        if [code for code in entered if code in told] != told:
            found.append(f"{phone.call_sid}: told in the order {told}, kept as {entered}")
    return found[:FOUND_MAX]


def second_greetings(phones: Iterable[LightPhone], journals: Journals) -> list[str]:
    """Return the calls that were greeted twice, in the journal or in the caller's ear."""
    return [
        f"{phone.call_sid}: greeted {written} times, heard {phone.greetings} times"
        for phone in phones
        if (written := len(_of(journals, phone, "greeted"))) != 1 or phone.greetings > 1
    ][:FOUND_MAX]


def interleaved(journals: Journals) -> list[str]:
    """Return the calls in whose journal an owner wrote after a newer one did."""
    found = []
    for call_sid, records in journals.items():
        newest = 0
        for record in records:
            epoch = record["epoch"]
            if epoch and epoch < newest:
                found.append(f"{call_sid}: epoch {epoch} after {newest}")
                break
            newest = max(newest, epoch)
    return found[:FOUND_MAX]


def _of(journals: Journals, phone: LightPhone, kind: str) -> list[Json]:
    return [one for one in journals.get(phone.call_sid, []) if one["kind"] == kind]
