import pytest
from starlette.requests import Request

from service.errors import Refused
from service.trust.api_token import ApiToken
from service.web.door.bearer import Bearers
from service.web.reading.admitted import Admitted, no_call
from service.web.reading.showing import Showings
from tests.web.front import CALL, Front, ring

pytestmark = pytest.mark.asyncio


def asking(bearer: str, call_sid: str = CALL) -> Request:
    return Request({
        "type": "http", "method": "GET", "path": "/", "query_string": b"",
        "headers": [(b"authorization", f"Bearer {bearer}".encode())],
        "path_params": {"call_sid": call_sid},
    })  # fmt: skip


def admitted(front: Front) -> Admitted:
    tokens = (
        ApiToken.model_construct(token="see", role="viewer", tenant="default"),
        ApiToken.model_construct(token="other", role="admin", tenant="another tenant"),
    )
    return Admitted(
        Bearers(tokens, front.parts.meter, front.parts.clock, ()), Showings(front.journal)
    )


async def test_a_tenants_own_call_is_found(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    assert (await admitted(front).call(asking("see"), "viewer")).call.call_sid == CALL


@pytest.mark.parametrize(
    ("bearer", "call_sid", "status"),
    [("nobody", CALL, 401), ("other", CALL, 404), ("see", "CA9", 404)],
)
async def test_others_are_refused(front: Front, bearer: str, call_sid: str, status: int) -> None:
    await front.hook("/twiml/voice", ring())
    with pytest.raises(Refused) as refused:
        await admitted(front).call(asking(bearer, call_sid), "viewer")
    assert refused.value.status == status
    assert no_call().status == 404


async def test_a_call_that_must_go_on_and_does_not_is_a_conflict(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    room = admitted(front)
    await room.call(asking("see"), "viewer", is_live=True)
    await front.hook("/callbacks/call", ring(CallStatus="completed"))
    with pytest.raises(Refused) as refused:
        await room.call(asking("see"), "viewer", is_live=True)
    assert refused.value.status == 409
