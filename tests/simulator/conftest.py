from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.simulator.account import Account, Pace, Terms
from service.simulator.exchange.exchange import Exchange
from tests.simulator.talker import ACCOUNT, TOKEN, Talker, serving

QUICK = Pace(
    turn_ms=10,
    say_ms_per_letter=1,
    digit_ms=10,
    wait_ms=20,
    ring_ms=10,
    dial_ms=20,
    silence_ms=20,
    redial_ms=50,
    notice_ms=100,
    hold_ms=300,
    late_ms=50,
)


@pytest_asyncio.fixture
async def talker() -> AsyncIterator[Talker]:
    async with serving(Talker()) as running:
        yield running


@pytest.fixture
def terms() -> Terms:
    return Terms(pace=QUICK)


@pytest_asyncio.fixture
async def exchange(talker: Talker, terms: Terms) -> AsyncIterator[Exchange]:
    account = Account(ACCOUNT, TOKEN)
    async with Exchange(account, server_url=talker.url, terms=terms) as running:
        talker.api_url = running.api_url
        yield running
