"""What the API says of every call; service.chaos.judging.judge then says what must hold between two readings.

before = await taken(ground)
…
losses(before, await taken(ground))
"""

import asyncio

import httpx2

from service.chaos.judging.judge import Journals
from service.simulator.webhook import trust
from tests.fleet.ground import BEARER, Ground

AT_ONCE = 8
ATTEMPTS_MAX = 15  # a second apart; a store that was away for long is judged elsewhere
ASK_S_MAX = 20.0


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
