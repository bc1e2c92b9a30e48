"""The settings, all that is made from them, and whether our own door takes what the carrier signs."""

import httpx2
from starlette.applications import Starlette

from service.commands.doctor.finding import Finding, State
from service.commands.doctor.proof import forged, proof, told
from service.commands.webhooks import Webhooks
from service.config import Config
from service.speech.engine import engines

INSTALL = "pip install 'stayline[speech]'"


async def look(config: Config, app: Starlette) -> list[Finding]:
    """Look at an application that was made from the settings, and does not serve yet."""
    return [_summed(config), _speech(), await _door(config, app)]


def _summed(config: Config) -> Finding:
    if config.is_development:
        return Finding(
            "settings",
            State.CARE,
            "development: there is no TWILIO_AUTH_TOKEN, so only this machine is served",
            "set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and PUBLIC_URL for a real number",
        )
    if not config.twilio_account_sid:
        text = "there is no TWILIO_ACCOUNT_SID, so calls can't be moved, looked after or ended"
        return Finding("settings", State.WRONG, text, "set it beside TWILIO_AUTH_TOKEN")
    if not config.api_tokens:
        text = "complete, but API_TOKENS is empty, so nobody sees the console"
        return Finding("settings", State.CARE, text, "API_TOKENS=$(openssl rand -hex 16):admin")
    return Finding("settings", State.WELL, f"complete, for {config.public_url}")


def _speech() -> Finding:
    found = engines()
    if found.notes:
        return Finding("speech", State.CARE, " ".join(found.notes), INSTALL)
    return Finding("speech", State.WELL, "the engines are installed")


async def _door(config: Config, app: Starlette) -> Finding:
    """Sign as the carrier does, and knock at the application itself: no network is between."""
    url = Webhooks.of(config).status
    asked = told(config.twilio_account_sid)
    answers = []
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app)) as client:
        for header in (proof(config, url, asked), forged()):
            # The door adds the public URL's own path again: a proxy has taken it off.
            answer = await client.post("http://door/callbacks/call", data=asked, headers=header)
            answers.append(answer.status_code)
    if answers == [204, 403]:
        return Finding("signature", State.WELL, "our door takes ours, and refuses a forged one")
    text = f"our own door answers {answers[0]} to a good signature, {answers[1]} to a forged one"
    return Finding("signature", State.WRONG, text)
