"""Whose account the stand-in plays: from the options, the environment, .env, or the development file.

The first of them that has a value wins, for each value by itself. The service in development mode writes
`var/development.json`, so on one machine nobody needs to name anything.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec
from dotenv import dotenv_values

from service.errors import ConfigError

DEVELOPMENT_FILE = Path("var/development.json")
DOTENV_FILE = Path(".env")


class Credentials(msgspec.Struct, frozen=True):
    """The account, and a bearer token of the service's API; "" when there is none."""

    account_sid: str = ""
    auth_token: str = ""
    api_token: str = ""


def find(
    asked: Credentials,
    environment: Mapping[str, str],
    *,
    dotenv: Path = DOTENV_FILE,
    development: Path = DEVELOPMENT_FILE,
) -> Credentials:
    """Put the credentials together; raises ConfigError when the account or its token is nowhere."""
    settings = {name: value for name, value in dotenv_values(dotenv).items() if value} | {
        name: value for name, value in environment.items() if value
    }
    made = Credentials() if settings.get("TWILIO_AUTH_TOKEN") else _development(development)
    found = Credentials(
        account_sid=asked.account_sid or settings.get("TWILIO_ACCOUNT_SID", "") or made.account_sid,
        auth_token=asked.auth_token
        or settings.get("TWILIO_AUTH_TOKEN", "").split(",")[0].strip()
        or made.auth_token,
        api_token=asked.api_token
        or settings.get("API_TOKENS", "").split(",")[0].strip().split(":")[0]
        or made.api_token,
    )
    for name in ("account_sid", "auth_token"):
        if not getattr(found, name):
            option = "--" + name.replace("_", "-")
            raise ConfigError(
                f"no {name.replace('_', ' ')}: give {option}, set TWILIO_{name.upper()},"
                f" or start the server once in development mode (it writes {development})"
            )
    return found


def _development(path: Path) -> Credentials:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Credentials)
    except OSError:
        return Credentials()
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigError(f"{path} can't be read: {error}") from error
