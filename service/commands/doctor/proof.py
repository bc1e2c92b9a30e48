"""A webhook as the carrier would send it, which changes nothing: the state of a call that nobody has."""

import secrets

from service.config import Config
from service.simulator import signing


def told(account_sid: str) -> dict[str, str]:
    """Return the form: an unknown call rings. Of that nothing is kept."""
    return {
        "AccountSid": account_sid,
        "CallSid": f"CA{secrets.token_hex(16)}",
        "CallStatus": "ringing",
    }


def proof(config: Config, url: str, form: dict[str, str]) -> dict[str, str]:
    """Return the header that the carrier would sign the form with, sent to this address."""
    token = config.twilio_auth_token[0]
    sign = signing.signature(token, signing.signed_url(url), list(form.items()))
    return {signing.HEADER: sign}


def upgrade_proof(config: Config, url: str) -> dict[str, str]:
    """Return the header for an upgrade."""
    return {signing.SOCKET_HEADER: signing.signature(config.twilio_auth_token[0], url)}


def forged() -> dict[str, str]:
    """Return a header that fits nothing."""
    return {signing.HEADER: secrets.token_urlsafe(20)}
