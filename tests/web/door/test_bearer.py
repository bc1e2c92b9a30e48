import pytest
from starlette.requests import Request

from service.api_token import ApiToken, Role
from service.clock import Clock
from service.errors import Refused
from service.meter import Meter
from service.web.door.bearer import Bearers

TOKENS = [
    ApiToken.model_construct(token="see", role="viewer", tenant="default"),
    ApiToken.model_construct(token="act", role="agent", tenant="t2"),
    ApiToken.model_construct(token="all", role="admin", tenant="default"),
]


def bearers(meter: Meter | None = None) -> Bearers:
    return Bearers(TOKENS, meter or Meter(), Clock(), ())


def asking(authorization: bytes | None) -> Request:
    headers = [] if authorization is None else [(b"authorization", authorization)]
    return Request({"type": "http", "headers": headers, "method": "GET", "path": "/"})


@pytest.mark.parametrize("authorization", [b"Bearer act", b"bearer act", b"BEARER  act "])
def test_a_token_is_admitted_with_its_role_and_tenant(authorization: bytes) -> None:
    found = bearers().admit(asking(authorization), "viewer")
    assert (found.token, found.role, found.tenant) == ("act", "agent", "t2")


@pytest.mark.parametrize(
    "authorization",
    [None, b"", b"Bearer", b"Bearer ", b"Bearer nope", b"Basic act", b"act", b"Bearer \xe4\xff"],
)
def test_anything_else_is_not(authorization: bytes | None) -> None:
    meter = Meter()
    with pytest.raises(Refused) as refusal:
        bearers(meter).admit(asking(authorization), "viewer")
    assert refusal.value.status == 401
    assert b'stayline_refused_total{door="api"} 1.0' in meter.text()


@pytest.mark.parametrize(
    ("token", "role", "is_enough"),
    [
        ("see", "viewer", True),
        ("see", "agent", False),
        ("see", "admin", False),
        ("act", "agent", True),
        ("act", "admin", False),
        ("all", "admin", True),
        ("all", "viewer", True),
    ],
)
def test_roles_rank(token: str, role: Role, *, is_enough: bool) -> None:
    if is_enough:
        assert bearers().admit(asking(f"Bearer {token}".encode()), role).token == token
        return
    with pytest.raises(Refused) as refusal:
        bearers().admit(asking(f"Bearer {token}".encode()), role)
    assert refusal.value.status == 403


def test_without_any_tokens_nobody_is_admitted() -> None:
    with pytest.raises(Refused):
        Bearers([], Meter(), Clock(), ()).admit(asking(b"Bearer "), "viewer")
