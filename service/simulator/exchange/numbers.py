"""An account's phone numbers: what each does with a call, as the REST API shows and changes it.

    GET  …/IncomingPhoneNumbers.json [?PhoneNumber=] [?PageSize=] [?Page=]
    GET  …/IncomingPhoneNumbers/{number}.json
    POST …/IncomingPhoneNumbers/{number}.json     VoiceUrl VoiceFallbackUrl StatusCallback … ("IncomingPhoneNumber resource")

A number that was never pointed anywhere leads to Twilio's own demonstration, as a new one does.
"""

import re

import msgspec
from starlette.requests import Request

from service.simulator.account import Number, new_sid
from service.simulator.exchange.refusal import Refusal, form_of

DEMONSTRATION = "https://demo.twilio.com/welcome/voice/"  # what a new number does
PAGE_SIZE, PAGE_SIZE_MAX = 50, 1_000  # Twilio's
BAD_URL, BAD_METHOD = 21_502, 21_403  # "VoiceUrl is not valid", "invalid method"

_URL = re.compile(r"https?://[^\s/]+(/\S*)?")
_URLS = ("VoiceUrl", "VoiceFallbackUrl", "StatusCallback")
_METHODS = ("VoiceMethod", "VoiceFallbackMethod", "StatusCallbackMethod")
_PLAIN = ("FriendlyName", "VoiceApplicationSid", "TrunkSid")


class Line(msgspec.Struct):
    """One phone number. Names are Twilio's."""

    phone_number: str
    sid: str
    friendly_name: str
    voice_url: str = DEMONSTRATION
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    voice_fallback_method: str = "POST"
    status_callback: str = ""
    status_callback_method: str = "POST"
    voice_application_sid: str = ""
    trunk_sid: str = ""
    has_voice: bool = True

    def leads(self, server_url: str, public_url: str) -> Number:
        """Return where its calls go; what lies at `public_url` is served at `server_url`."""
        return Number(
            server_url=server_url,
            public_url=public_url,
            voice_path=self.voice_url,
            fallback_path=self.voice_fallback_url,
            status_path=self.status_callback,
        )


class Numbers:
    """The phone numbers of one account."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}

    def buy(self, phone_number: str, *, has_voice: bool = True) -> Line:
        """Give the account a new number."""
        line = Line(phone_number, new_sid("PN"), phone_number, has_voice=has_voice)
        self._lines[line.sid] = line
        return line

    def find(self, phone_number: str) -> Line | None:
        """Return a number of the account."""
        return next((one for one in self._lines.values() if one.phone_number == phone_number), None)

    async def listed(self, request: Request) -> dict[str, object]:
        """Answer with the numbers, a page of them."""
        asked = request.query_params
        size, page = (_whole(asked.get(name, ""), most) for name, most in _PAGES)
        wanted = asked.get("PhoneNumber", "")
        found = [one for one in self._lines.values() if wanted in ("", one.phone_number)]
        size = size or PAGE_SIZE
        begin = size * page
        following = f"{request.url.path}?PageSize={size}&Page={page + 1}"
        return {
            "incoming_phone_numbers": [_shown(one) for one in found[begin : begin + size]],
            "page": page,
            "next_page_uri": following if begin + size < len(found) else None,
        }

    async def show(self, request: Request) -> dict[str, object]:
        """Answer with one number."""
        return _shown(self._line(request))

    async def update(self, request: Request) -> dict[str, object]:
        """Change what a number does."""
        line = self._line(request)
        fields = await form_of(request)
        for name in _URLS:
            if fields.get(name) and not _URL.fullmatch(fields[name]):
                raise Refusal(400, BAD_URL, f"{name} is not a valid URL")
        for name in _METHODS:
            if fields.get(name, "POST") not in ("GET", "POST"):
                raise Refusal(400, BAD_METHOD, f"{name} is not valid")
        for name in (*_URLS, *_METHODS, *_PLAIN):
            if name in fields:
                setattr(line, _snake(name), fields[name])
        return _shown(line)

    def _line(self, request: Request) -> Line:
        sid = request.path_params["number"]
        if sid not in self._lines:
            raise Refusal(404, 20404, f"The requested resource {request.url.path} was not found")
        return self._lines[sid]


_PAGES = (("PageSize", PAGE_SIZE_MAX), ("Page", 1_000_000))


def _whole(text: str, most: int) -> int:
    return min(int(text), most) if text.isdecimal() else 0


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _shown(line: Line) -> dict[str, object]:
    told: dict[str, object] = msgspec.to_builtins(line)
    has_voice = told.pop("has_voice")
    return told | {"capabilities": {"voice": has_voice, "SMS": True, "MMS": False, "fax": False}}
