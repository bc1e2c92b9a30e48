import pytest
from starlette.requests import HTTPConnection, Request
from typing_extensions import override

from service.clock import Clock
from service.errors import Refused
from service.meter import Meter
from service.trust.api_token import ApiToken, Role
from service.web.door.badge import BadgeMint
from service.web.door.bearer import SIGNED_OUT_MAX, Bearers, Visitor

TOKENS = [
    ApiToken.model_construct(token="see", role="viewer", tenant="default"),
    ApiToken.model_construct(token="act", role="agent", tenant="t2", name="Anna"),
    ApiToken.model_construct(token="all", role="admin", tenant="default"),
]
NOW_MS = 1_800_000_000_000
ENDS_MS = NOW_MS + 43_200_000
OURS = "https://calls.example.com"


class SetClock(Clock):
    """Stands still until it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.at_ms = NOW_MS

    @override
    def now_ms(self) -> int:
        return self.at_ms


def bearers(meter: Meter | None = None, clock: Clock | None = None) -> Bearers:
    return Bearers(TOKENS, meter or Meter(), clock or SetClock(), (OURS,))


def badge(nonce: str = "n1", now_ms: int = NOW_MS) -> str:
    return BadgeMint(TOKENS).issue(TOKENS[1], nonce=nonce, now_ms=now_ms)


def coming(
    method: str = "GET", *, cookie: str | None = None, kind: str = "http", **headers: str
) -> HTTPConnection:
    """Come with the badge of `act`, or another cookie, and with what else the headers say."""
    said = {"cookie": f"stayline={badge() if cookie is None else cookie}", **headers}
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in said.items()]
    return HTTPConnection({"type": kind, "headers": raw, "method": method, "path": "/"})


ANNA = Visitor(token="act", role="agent", tenant="t2", nonce="n1", expires_ms=ENDS_MS, name="Anna")


def asking(authorization: bytes | None) -> Request:
    headers = [] if authorization is None else [(b"authorization", authorization)]
    return Request({"type": "http", "headers": headers, "method": "GET", "path": "/"})


@pytest.mark.parametrize("authorization", [b"Bearer act", b"bearer act", b"BEARER  act "])
def test_a_token_is_admitted_with_its_role_and_tenant(authorization: bytes) -> None:
    found = bearers().admit(asking(authorization), "viewer")
    assert found == Visitor(token="act", role="agent", tenant="t2", name="Anna")
    nobodys = bearers().admit(asking(b"Bearer see"), "viewer")
    assert nobodys == Visitor(token="see", role="viewer", tenant="default")


@pytest.mark.parametrize(
    "authorization",
    [None, b"", b"Bearer", b"Bearer ", b"Bearer nope", b"Basic act", b"act", b"Bearer \xe4\xff"],
)
def test_anything_else_is_not(authorization: bytes | None) -> None:
    meter = Meter()
    with pytest.raises(Refused) as refusal:
        bearers(meter).admit(asking(authorization), "viewer")
    assert (refusal.value.status, refusal.value.title) == (401, "Unauthorized")
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
    meter = Meter()
    with pytest.raises(Refused) as refusal:
        bearers(meter).admit(asking(f"Bearer {token}".encode()), role)
    assert refusal.value.status == 403
    assert b'stayline_refused_total{door="api"} 1.0' in meter.text()


def test_without_any_tokens_nobody_is_admitted() -> None:
    with pytest.raises(Refused):
        Bearers([], Meter(), Clock(), ()).admit(asking(b"Bearer "), "viewer")


def test_a_badge_admits_whose_token_it_stands_for() -> None:
    door = bearers()
    assert door.admit(coming(), "agent") == ANNA
    assert door.wearing(coming()) == ANNA
    assert door.wearing(coming(cookie="")) is None
    with pytest.raises(Refused) as refusal:
        door.admit(coming(), "admin")
    told = (refusal.value.status, refusal.value.detail)
    assert told == (403, "This needs the role admin; yours is agent.")


def test_a_bearer_token_goes_before_a_badge_even_if_it_is_wrong() -> None:
    door = bearers()
    assert door.admit(coming(authorization="Bearer see"), "viewer").token == "see"
    assert door.wearing(coming(authorization="Bearer see")) is None
    with pytest.raises(Refused) as refusal:
        door.admit(coming(authorization="Bearer nope"), "viewer")
    assert refusal.value.status == 401


def test_a_badge_that_is_none_is_refused() -> None:
    clock = SetClock()
    for cookie, at_ms in (("", NOW_MS), ("rubbish", NOW_MS), (badge(), ENDS_MS)):
        clock.at_ms = at_ms
        with pytest.raises(Refused) as refusal:
            bearers(clock=clock).admit(coming(cookie=cookie), "viewer")
        assert refusal.value.status == 401


@pytest.mark.parametrize(
    ("method", "kind", "headers", "is_admitted"),
    [
        ("GET", "http", {}, True),
        ("HEAD", "http", {}, True),
        ("GET", "http", {"origin": "https://elsewhere.example"}, True),
        ("POST", "http", {}, False),
        ("DELETE", "http", {"origin": OURS}, False),
        ("POST", "http", {"x_stayline": "1"}, False),
        ("POST", "http", {"origin": OURS, "x_stayline": "2"}, False),
        ("POST", "http", {"origin": OURS + "/", "x_stayline": "1"}, False),
        ("POST", "http", {"origin": "null", "x_stayline": "1"}, False),
        ("POST", "http", {"origin": OURS, "x_stayline": "1"}, True),
        ("GET", "websocket", {}, False),
        ("GET", "websocket", {"origin": "https://elsewhere.example"}, False),
        ("GET", "websocket", {"origin": OURS}, True),
    ],
)
def test_a_badge_changes_nothing_for_a_page_that_is_not_ours(
    method: str, kind: str, headers: dict[str, str], *, is_admitted: bool
) -> None:
    """S-5: a browser sends its cookie along for whatever page makes it ask."""
    asked = coming(method, kind=kind, **headers)
    if is_admitted:
        assert bearers().admit(asked, "viewer") == ANNA
        return
    with pytest.raises(Refused) as refusal:
        bearers().admit(asked, "viewer")
    assert refusal.value.status == 403


def test_who_signed_out_is_admitted_no_more_and_what_goes_on_is_told() -> None:
    door, other = bearers(), Visitor(token="see", role="viewer", tenant="default")
    over, of_other = door.over(ANNA), door.over(other)
    assert door.over(ANNA) is over is not of_other
    door.sign_out(ANNA)
    assert (over.is_set(), of_other.is_set()) == (True, False)
    assert door.wearing(coming()) is None
    with pytest.raises(Refused):
        door.admit(coming(), "viewer")
    second = door.admit(coming(cookie=badge("n2")), "viewer")
    assert second.nonce == "n2"
    door.sign_out(second)
    assert door.wearing(coming(cookie=badge("n2"))) is None


def test_a_bearer_token_is_not_signed_out_nor_is_anybody_elses() -> None:
    door = bearers()
    see, everything = (door.admit(asking(it), "viewer") for it in (b"Bearer see", b"Bearer all"))
    going_on = [door.over(see), door.over(everything)]
    door.sign_out(see)
    assert [one.is_set() for one in going_on] == [False, False]
    assert door.admit(asking(b"Bearer see"), "viewer") == see


def test_of_those_who_signed_out_a_bounded_number_is_remembered_the_latest() -> None:
    clock = SetClock()
    door = bearers(clock=clock)
    door._signed_out = {f"n{n}": ENDS_MS for n in range(2, SIGNED_OUT_MAX + 1)}
    door.sign_out(ANNA)
    assert len(door._signed_out) == SIGNED_OUT_MAX == 10_000
    assert door.wearing(coming(cookie=badge("n2"))) is None
    door.sign_out(Visitor(token="act", role="agent", tenant="t2", nonce="last", expires_ms=ENDS_MS))
    assert len(door._signed_out) == SIGNED_OUT_MAX
    worn = [door.wearing(coming(cookie=badge(nonce))) for nonce in ("n2", "n3", "n1", "last")]
    assert [one is None for one in worn] == [False, True, True, True]


def test_whose_badge_has_ended_need_not_be_remembered() -> None:
    clock = SetClock()
    door = bearers(clock=clock)
    later = Visitor(token="act", role="agent", tenant="t2", nonce="n2", expires_ms=ENDS_MS + 2)
    door.sign_out(ANNA)
    clock.at_ms = ENDS_MS - 1
    door.sign_out(later)
    assert set(door._signed_out) == {"n1", "n2"}
    clock.at_ms = ENDS_MS
    door.sign_out(later)
    assert set(door._signed_out) == {"n2"}
    for _ in range(2):
        door.sign_out(Visitor(token="see", role="viewer", tenant="default"))
        assert set(door._signed_out) == {"n2", ""}


@pytest.mark.parametrize(
    ("before_end_ms", "left_ms"),
    [(900_000, 300_000), (300_001, 300_000), (299_999, 299_999), (0, 0), (-5, 0)],
)
def test_what_goes_on_shows_its_badge_again_every_five_minutes_and_at_its_end(
    before_end_ms: int, left_ms: int
) -> None:
    clock = SetClock()
    clock.at_ms = ENDS_MS - before_end_ms
    assert bearers(clock=clock).left_ms(ANNA) == left_ms


def test_what_goes_on_with_a_bearer_token_need_not_ask_again() -> None:
    door = bearers()
    assert door.left_ms(door.admit(asking(b"Bearer act"), "viewer")) is None


def test_an_origin_is_ours_letter_by_letter() -> None:
    door = bearers()
    assert [door.is_own(it) for it in (OURS, OURS.upper(), "", None)] == [True] + [False] * 3
