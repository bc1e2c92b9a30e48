"""The public address: whether it leads here, lets sockets through, and changes nothing that is signed.

It is asked from this machine. What the carrier meets may differ where a firewall looks at who asks.
"""

from urllib.parse import urlsplit

import httpx2
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

from service.commands.command import plain
from service.commands.doctor.finding import Finding, State
from service.commands.doctor.proof import forged, proof, told, upgrade_proof
from service.commands.webhooks import Webhooks
from service.config import LOOPBACK, Config

ANSWER_S_MAX = 5  # the carrier gives a handshake up then
FORBIDDEN = 403

RUN = "start the server (`stayline serve`), the tunnel or the balancer, and look again"
SIGN = (
    "let PUBLIC_URL and TWILIO_AUTH_TOKEN be the same there as here, and the proxy rewrite no path"
)


async def look(config: Config, client: httpx2.AsyncClient) -> list[Finding]:
    """Look at PUBLIC_URL from outside, as far as this machine is outside."""
    findings = [_scheme(config)]
    try:
        alive = await client.get(f"{config.public_url}/livez")
    except (httpx2.HTTPError, httpx2.InvalidURL) as trouble:
        why = plain(str(trouble)) or type(trouble).__name__
        text = f"{config.public_url} does not answer: {why}"
        return [*findings, Finding("address", State.WRONG, text, RUN)]
    if not alive.is_success or alive.text.strip() != "ok":
        text = f"{config.public_url}/livez answers {alive.status_code}, and that is not us"
        return [*findings, Finding("address", State.WRONG, text, RUN)]
    try:
        findings += [
            await _ready(config, client),
            await _signed(config, client),
            await _upgrade(config),
        ]
    except (httpx2.HTTPError, OSError, TimeoutError) as trouble:
        text = f"{config.public_url} broke off: {plain(str(trouble)) or type(trouble).__name__}"
        findings.append(Finding("address", State.WRONG, text, RUN))
    return findings


def _scheme(config: Config) -> Finding:
    parts = urlsplit(config.public_url)
    if parts.scheme == "https":
        return Finding("scheme", State.WELL, "https, so media streams are wss")
    if parts.hostname in LOOPBACK:
        text = f"{config.public_url}: only this machine reaches it"
        return Finding("scheme", State.CARE, text, "for a real number set PUBLIC_URL to https://…")
    text = f"{config.public_url}: the carrier opens media streams over wss only"
    return Finding("scheme", State.WRONG, text, "set PUBLIC_URL to https://…")


async def _ready(config: Config, client: httpx2.AsyncClient) -> Finding:
    answer = await client.get(f"{config.public_url}/readyz")
    if answer.is_success:
        return Finding("address", State.WELL, f"{config.public_url} answers, and is ready")
    text = f"{config.public_url}/readyz answers {answer.status_code}: {plain(answer.text[:200])}"
    return Finding("address", State.WRONG, text, "see docs/operating.md on why it may not be ready")


async def _signed(config: Config, client: httpx2.AsyncClient) -> Finding:
    """Knock with a good signature and with a forged one."""
    url, form = Webhooks.of(config).status, told(config.twilio_account_sid)
    good = await client.post(url, data=form, headers=proof(config, url, form))
    bad = await client.post(url, data=form, headers=forged())
    if good.is_success and bad.status_code == FORBIDDEN:
        return Finding("webhooks", State.WELL, "signed ones are taken, forged ones refused")
    if not good.is_success:
        text = f"a signed webhook is answered {good.status_code}: {plain(good.text[:200])}"
        return Finding("webhooks", State.WRONG, text, SIGN)
    text = f"a forged webhook is answered {bad.status_code}"
    return Finding("webhooks", State.WRONG, text, "see what stands before the server")


async def _upgrade(config: Config) -> Finding:
    """Open a media socket as the carrier does, say nothing, and close it."""
    url = Webhooks.of(config).media
    try:
        async with connect(
            url,
            additional_headers=upgrade_proof(config, url),
            compression=None,
            open_timeout=ANSWER_S_MAX,
        ):
            return Finding("sockets", State.WELL, f"{url} opens")
    except InvalidStatus as refusal:
        status = refusal.response.status_code
        advice = SIGN if status == FORBIDDEN else "let the proxy pass WebSocket upgrades through"
        return Finding("sockets", State.WRONG, f"{url} answers {status} to an upgrade", advice)
    except (InvalidHandshake, InvalidURI, OSError, TimeoutError) as trouble:
        why = plain(str(trouble)) or type(trouble).__name__
        advice = "let the proxy pass WebSocket upgrades through"
        return Finding("sockets", State.WRONG, f"{url} does not open: {why}", advice)
