"""What a person, or a program, at the terminal needs to know of a server that serves."""

import json
import os
from urllib.parse import quote

from service.commands.called import called
from service.commands.webhooks import Webhooks
from service.config import Config


def welcome(config: Config) -> str:
    """Return it in words."""
    here = f"http://127.0.0.1:{config.port}"
    lines = [f"Stayline answers at {here}. Ctrl-C ends it."]
    if config.is_development:
        token = config.api_tokens[0].token
        lines += [
            "Development: no TWILIO_AUTH_TOKEN, so only this machine is served.",
            f"  Console:   {_console(config)}",
            f"  Phone:     {here}/phone",
            f"  Call it:   {called()} replay fixtures/audio/caller_sarah_name.ulaw --drop-at 3s --server {here}",
            *_desk_lines(config),
            f"  Its API:   curl -H 'Authorization: Bearer {token}' {here}/api/calls",
            "  A real number: set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, PUBLIC_URL, then",
            f"    {called()} doctor; {called()} number connect +1…",
        ]
        return "\n".join(lines)
    if config.public_url.startswith("http://"):
        lines.append(
            f"PUBLIC_URL is {config.public_url}: behind a proxy or a tunnel, set it to the address"
            " that the carrier is given, or no signature will fit."
        )
    lines += [
        f"  Console: {_console(config)}, with one of API_TOKENS",
        f"  A number: {called()} number connect +1…, or",
        f"  {Webhooks.of(config).update_line('+1…')}",
    ]
    return "\n".join(lines)


def welcome_as_json(config: Config) -> str:
    """Return it for programs: one object in one line. Its console address holds a token in development."""
    webhooks = Webhooks.of(config)
    told = {
        "url": f"http://127.0.0.1:{config.port}",
        "public_url": config.public_url,
        "is_development": config.is_development,
        "console": _console(config),
        "voice_url": webhooks.voice,
        "voice_fallback_url": webhooks.fallback,
        "status_callback": webhooks.status,
    }
    return json.dumps(told)


def _console(config: Config) -> str:
    if not config.is_development:
        return f"{config.public_url}/console"
    # A fragment is sent to no server: the token stands in no log. The page takes it out of the address.
    token = quote(config.api_tokens[0].token, safe="")
    return f"http://127.0.0.1:{config.port}/console#token={token}"


def _desk_lines(config: Config) -> list[str]:
    """Where the demonstration's tickets lie, when they do."""
    desk_url = os.environ.get("DESK_URL", "")
    return [f"  Its tools: {desk_url}/log shows what the desk was asked"] if config.tools else []
