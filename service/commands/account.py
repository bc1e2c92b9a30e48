"""The carrier's account, as commands need it: whether it takes our credentials, and its phone numbers.

    GET  /2010-04-01/Accounts/{account}.json                                  (Twilio: "Account resource")
    GET  /2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json
    POST /2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{number}.json

What a server asks of calls is in service/carrier.py.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec

from service.clock import Clock
from service.commands.pointing import PhoneNumber, spelled
from service.config import Config
from service.errors import CarrierError

PAGE_SIZE = 100
NUMBERS_MAX = 1_000  # more than one server answers for
ANSWER_BYTES_MAX = 4 << 20  # a page of numbers is 200 KiB

Kind = TypeVar("Kind")

_UNKNOWN = 401
_ROOT = "/2010-04-01/Accounts"


class Standing(msgspec.Struct, frozen=True):
    """How the account stands: active, suspended or closed; Full or Trial."""

    status: str = ""
    type: str = ""


class _Page(msgspec.Struct):
    incoming_phone_numbers: list[PhoneNumber]
    next_page_uri: str | None = None


class Account:
    """The account that the settings name. Every method may raise CarrierError.

    `client` moves the requests. While a token is rotated the newest that is taken is used.
    """

    def __init__(self, config: Config, client: httpx2.AsyncClient, clock: Clock) -> None:
        self.is_newest_taken = True
        self.ahead_ms: int | None = None  # our clock before theirs, once they have answered
        self._client = client
        self._clock = clock
        self._root = config.twilio_api_url.rstrip("/")
        self._sid = config.twilio_account_sid
        self._tokens: Sequence[str] = config.twilio_auth_token

    async def standing(self) -> Standing:
        """Ask how the account stands."""
        return _read(await self._ask("GET", f"{_ROOT}/{self._sid}.json"), Standing)

    async def numbers(self, number: str = "") -> list[PhoneNumber]:
        """Return the account's phone numbers, or the one of this name, at most NUMBERS_MAX."""
        found: list[PhoneNumber] = []
        asked = {"PageSize": str(PAGE_SIZE)} | ({"PhoneNumber": spelled(number)} if number else {})
        path = f"{_ROOT}/{self._sid}/IncomingPhoneNumbers.json?{httpx2.QueryParams(asked)}"
        while path and len(found) < NUMBERS_MAX:
            page = _read(await self._ask("GET", path), _Page)
            found += page.incoming_phone_numbers
            path = _following(page.next_page_uri)
        return found[:NUMBERS_MAX]

    async def change(self, number: PhoneNumber, form: Mapping[str, str]) -> PhoneNumber:
        """Change what a number does, and return it as it is then."""
        path = f"{_ROOT}/{self._sid}/IncomingPhoneNumbers/{number.sid}.json"
        return _read(await self._ask("POST", path, form), PhoneNumber)

    async def _ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> bytes:
        answer = None
        for token in self._tokens:
            answer = await self._once(method, path, form, token)
            if answer.status_code != _UNKNOWN:  # which was never executed
                self.is_newest_taken = token == self._tokens[0]
                break
        assert answer is not None, "the settings hold a token"
        if not answer.is_success:
            code = _code(answer)
            raise CarrierError(
                f"the carrier answered {answer.status_code}, code {code}",
                status=answer.status_code,
                code=code,
            )
        return answer.content

    async def _once(
        self, method: str, path: str, form: Mapping[str, str] | None, token: str
    ) -> httpx2.Response:
        began_ms = self._clock.now_ms()
        try:
            answer = await self._client.request(
                method, f"{self._root}{path}", data=form, auth=(self._sid, token)
            )
        except (httpx2.HTTPError, httpx2.InvalidURL) as trouble:
            raise CarrierError(
                f"the carrier's API can't be reached: {str(trouble) or type(trouble).__name__}"
            ) from trouble
        middle_ms = (began_ms + self._clock.now_ms()) // 2
        if (date := _date(answer.headers.get("date", ""))) is not None:
            # A date of whole seconds stands for any moment of its second; the middle is nearest.
            self.ahead_ms = middle_ms - round(date.timestamp() * 1000) - 500
        return answer


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


def _following(uri: str | None) -> str:
    """Return the next page's path; only ever one of the same API."""
    parts = urlsplit(uri or "")
    return f"{parts.path}?{parts.query}" if parts.path.startswith(_ROOT) else ""


def _code(answer: httpx2.Response) -> int:
    try:
        told: Any = answer.json()
        return int(told["code"])
    except (ValueError, TypeError, KeyError):
        return 0


def _read(content: bytes, kind: type[Kind]) -> Kind:
    if len(content) > ANSWER_BYTES_MAX:
        raise CarrierError("the carrier's answer is too long")
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as trouble:
        raise CarrierError(f"the carrier's answer can't be read: {trouble}") from trouble
