"""Whether a phone number leads to us, and what would have to change so that it does. Pure."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from service.commands.webhooks import Webhooks

FREE_HOST = "demo.twilio.com"  # where a number leads that nobody ever pointed anywhere
POST = "POST"

_SIGNS = str.maketrans("", "", " -.()/")


class PhoneNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number as the carrier's API shows it ("IncomingPhoneNumber resource"); null is the same as "".

    An application or a trunk, where one is set, has its own addresses, and these are ignored.
    """

    sid: str
    phone_number: str
    voice_url: str | None = None
    voice_method: str | None = None
    voice_fallback_url: str | None = None
    voice_fallback_method: str | None = None
    status_callback: str | None = None
    status_callback_method: str | None = None
    voice_application_sid: str | None = None
    trunk_sid: str | None = None
    capabilities: dict[str, bool] = {}

    @property
    def can_speak(self) -> bool:
        """Whether it takes calls at all; a carrier that does not say so means it does."""
        return self.capabilities.get("voice", True)


def spelled(number: str) -> str:
    """Return a number as people write it in the form that the API knows: +15551234567."""
    return number.translate(_SIGNS)


def wanted(number: PhoneNumber, webhooks: Webhooks) -> dict[str, str]:
    """Return the form that would point the number here, {} when it does already.

    Overrides behind a `#` in an address are its owner's, and stay.
    """
    fields = {
        "VoiceUrl": (number.voice_url, webhooks.voice),
        "VoiceMethod": (number.voice_method, POST),
        "VoiceFallbackUrl": (number.voice_fallback_url, webhooks.fallback),
        "VoiceFallbackMethod": (number.voice_fallback_method, POST),
        "StatusCallback": (number.status_callback, webhooks.status),
        "StatusCallbackMethod": (number.status_callback_method, POST),
        "VoiceApplicationSid": (number.voice_application_sid, ""),
        "TrunkSid": (number.trunk_sid, ""),
    }
    return {
        name: ours
        for name, (theirs, ours) in fields.items()
        if (theirs or "").partition("#")[0] != ours
    }


def taken(number: PhoneNumber, webhooks: Webhooks) -> str:
    """Return whom the number serves now in half a sentence, "" when it is free or ours."""
    if number.trunk_sid:
        return f"it belongs to the SIP trunk {number.trunk_sid}"
    if number.voice_application_sid:
        return f"it belongs to the TwiML application {number.voice_application_sid}"
    url = number.voice_url or ""
    if not url or webhooks.are_here(url) or urlsplit(url).hostname == FREE_HOST:
        return ""
    return f"it leads to {url}"


def is_ours(number: PhoneNumber, webhooks: Webhooks) -> bool:
    """Whether it leads to this server, if not in every point as it should."""
    return not taken(number, webhooks) and webhooks.are_here(number.voice_url or "")


def changes(number: PhoneNumber, form: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return by the name of each field what it was and what it becomes."""
    shown = {
        "VoiceUrl": number.voice_url,
        "VoiceMethod": number.voice_method,
        "VoiceFallbackUrl": number.voice_fallback_url,
        "VoiceFallbackMethod": number.voice_fallback_method,
        "StatusCallback": number.status_callback,
        "StatusCallbackMethod": number.status_callback_method,
        "VoiceApplicationSid": number.voice_application_sid,
        "TrunkSid": number.trunk_sid,
    }
    return {name: (shown[name] or "", value) for name, value in form.items()}
