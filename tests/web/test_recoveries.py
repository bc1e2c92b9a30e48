import pytest

from service.errors import Refused
from service.trust.recovery import RecoveryMint
from service.web.recoveries import Recoveries
from tests.web.front import Front

pytestmark = pytest.mark.asyncio

SID = "WB" + "0" * 32


@pytest.fixture
def recoveries(front: Front) -> Recoveries:
    parts = front.parts
    return Recoveries(parts.journal, RecoveryMint(["secret"], 600_000), parts.clock)


async def test_of_two_that_follow_one_the_first_to_be_used_stands(recoveries: Recoveries) -> None:
    first = recoveries.read(SID, recoveries.first(SID, "n" * 16))
    one, other = (recoveries.read(SID, recoveries.next(SID, first, name)) for name in "ab")
    await recoveries.use(SID, first)
    await recoveries.use(SID, other)
    for retired in (one, first):
        with pytest.raises(Refused) as refusal:
            await recoveries.use(SID, retired)
        assert refusal.value.status == 401
    await recoveries.use(SID, other)


async def test_a_token_of_another_call_is_refused(recoveries: Recoveries) -> None:
    with pytest.raises(Refused):
        recoveries.read(SID[:-1] + "1", recoveries.first(SID, "n" * 16))
