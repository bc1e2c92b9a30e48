"""The piece of Twilio's REST API that a service needs: calls, the account, its phone numbers.

    GET  /2010-04-01/Accounts/{account}.json
    POST /2010-04-01/Accounts/{account}/Calls/{call}.json     Twiml | Url [Method] | Status
    GET  /2010-04-01/Accounts/{account}/Calls/{call}.json
    GET  /2010-04-01/Accounts/{account}/Calls.json            [?Status=] [?To=]
    POST /2010-04-01/Accounts/{account}/Calls.json            To From Url [Method] [StatusCallback] [Timeout]
    …    /2010-04-01/Accounts/{account}/IncomingPhoneNumbers…    see numbers.py

Errors are Twilio's: 401/20003, 404/20404, 400/21220 (over), 400/32018 (over 4,000 characters), 429/20429.
"""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.clock import Clock
from service.simulator.account import Account
from service.simulator.exchange.numbers import Numbers
from service.simulator.exchange.refusal import Refusal, form_of
from service.simulator.order import Fetch, HangUp, Order, Perform
from service.simulator.outbound import BadCall, Wanted, wanted
from service.simulator.phone import Phone
from service.simulator.twiml.document import read
from service.simulator.twiml.markup import DocumentError

TWIML_LENGTH_MAX = 4_000  # characters of an inline document (error 32018)


class Desk:
    """Takes the service's orders for the calls of one account; `busy_answers` of the next ones get a 429."""

    def __init__(
        self,
        account: Account,
        phones: Mapping[str, Phone],
        ring: Callable[[Wanted], Awaitable[Phone]],
        numbers: Numbers,
        clock: Clock,
    ) -> None:
        self.busy_answers = 0
        self._ring = ring
        self._account = account
        self._phones = phones
        self._numbers = numbers
        self._clock = clock

    def app(self) -> Starlette:
        """Return the ASGI application."""
        account = "/2010-04-01/Accounts/{account}"
        root, numbers = f"{account}/Calls", f"{account}/IncomingPhoneNumbers"
        return Starlette(
            routes=[
                Route(account + ".json", self._answering(self._show_account), methods=["GET"]),
                Route(numbers + ".json", self._answering(self._numbers.listed), methods=["GET"]),
                Route(
                    numbers + "/{number}.json",
                    self._answering(self._numbers.show),
                    methods=["GET"],
                ),
                Route(
                    numbers + "/{number}.json",
                    self._answering(self._numbers.update),
                    methods=["POST"],
                ),
                Route(root + ".json", self._answering(self._list), methods=["GET"]),
                Route(root + ".json", self._answering(self._create, 201), methods=["POST"]),
                Route(root + "/{call}.json", self._answering(self._show), methods=["GET"]),
                Route(root + "/{call}.json", self._answering(self._update), methods=["POST"]),
            ]
        )

    def _answering(
        self, work: Callable[[Request], Awaitable[dict[str, object]]], status: int = 200
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                self._admit(request)
                return JSONResponse(await work(request), status, headers=self._date())
            except Refusal as refusal:
                more = f"https://www.twilio.com/docs/errors/{refusal.code}"
                told: dict[str, object] = {
                    "code": refusal.code,
                    "message": str(refusal),
                    "more_info": more,
                }
                told["status"] = refusal.status
                return JSONResponse(told, refusal.status, headers=self._date())

        return answer

    def _date(self) -> dict[str, str]:
        now = datetime.fromtimestamp(self._clock.now_ms() / 1_000, UTC)
        return {"Date": format_datetime(now, usegmt=True)}

    def _admit(self, request: Request) -> None:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(secret, validate=True)
        except (binascii.Error, ValueError):
            given = b""
        wanted = f"{self._account.account_sid}:{self._account.auth_token}".encode()
        if scheme.lower() != "basic" or not hmac.compare_digest(given, wanted):
            raise Refusal(401, 20003, "Authenticate")
        if request.path_params["account"] != self._account.account_sid:
            raise Refusal(404, 20404, "The requested account was not found")
        if self.busy_answers > 0:
            self.busy_answers -= 1
            raise Refusal(429, 20429, "Too Many Requests")

    async def _show_account(self, _request: Request) -> dict[str, object]:
        return {
            "sid": self._account.account_sid,
            "friendly_name": "Stand-in",
            "status": "active",
            "type": "Full",
        }

    async def _list(self, request: Request) -> dict[str, object]:
        status, to, from_ = (
            request.query_params.get(name, "") for name in ("Status", "To", "From")
        )
        phones = [
            phone
            for phone in reversed(list(self._phones.values()))
            if status in {"", phone.status} and to in {"", phone.to} and from_ in {"", phone.from_}
        ]
        return {"calls": [_shown(phone) for phone in phones], "page": 0, "next_page_uri": None}

    async def _create(self, request: Request) -> dict[str, object]:
        try:
            return _shown(await self._ring(wanted(await form_of(request))))
        except BadCall as bad:
            raise Refusal(400, bad.code, str(bad)) from bad

    async def _show(self, request: Request) -> dict[str, object]:
        return _shown(self._phone(request))

    async def _update(self, request: Request) -> dict[str, object]:
        phone = self._phone(request)
        fields = await form_of(request)
        order = _order(fields, phone)
        if phone.is_over:
            raise Refusal(400, 21220, "Call is not in-progress. Cannot redirect.")
        if phone.status != "in-progress" and not isinstance(order, HangUp):
            raise Refusal(400, 21220, "Call is not in-progress. Cannot redirect.")
        phone.order(order)
        return _shown(phone)

    def _phone(self, request: Request) -> Phone:
        sid = request.path_params["call"]
        if sid not in self._phones:
            raise Refusal(404, 20404, f"The requested resource /Calls/{sid}.json was not found")
        return self._phones[sid]


def _order(fields: dict[str, str], phone: Phone) -> Order:
    twiml, url, status = fields.get("Twiml", ""), fields.get("Url", ""), fields.get("Status", "")
    if twiml and url:
        raise Refusal(400, 21218, "Twiml and Url exclude each other")
    if status == "completed" or (status == "canceled" and phone.status == "ringing"):
        return HangUp("the service ended the call")
    if status:
        raise Refusal(400, 21224, "Invalid call state requested")
    if len(twiml) > TWIML_LENGTH_MAX:
        raise Refusal(400, 32018, f"Twiml is longer than {TWIML_LENGTH_MAX} characters")
    if url:
        return Fetch(url, "GET" if fields.get("Method", "POST").upper() == "GET" else "POST")
    try:
        return Perform(read(twiml))
    except DocumentError as error:
        raise Refusal(400, 21218 if not twiml else 12100, str(error)) from error


def _shown(phone: Phone) -> dict[str, object]:
    return {
        "sid": phone.call_sid,
        "account_sid": phone.card.account.account_sid,
        "status": phone.status,
        "direction": phone.card.direction,
        "date_created": format_datetime(datetime.fromtimestamp(phone.created_ms / 1_000, UTC)),
        "from": phone.from_,
        "to": phone.to,
        "api_version": "2010-04-01",
        "uri": f"/2010-04-01/Accounts/{phone.card.account.account_sid}/Calls/{phone.call_sid}.json",
    }
