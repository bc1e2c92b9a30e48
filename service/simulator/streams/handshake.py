"""Opening a media stream's socket: signed as Twilio signs it, and every failure as Twilio's code."""

from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

from service.simulator import signing
from service.simulator.account import socket_url
from service.simulator.card import Card

OPEN_MS_MAX = 5_000  # Twilio gives a handshake up (31901); its own limit is not published
MESSAGE_BYTES_MAX = 1_048_576  # Twilio's limit is not published; a bigger message is a fault to see

CONNECT_TIMEOUT, CONNECT_REFUSED, BAD_HANDSHAKE = 31_901, 31_902, 31_920
BAD_SCHEME, MALFORMED = 31_922, 31_923


async def opened(card: Card, url: str, against: str) -> ClientConnection | int:
    """Open the socket at `url`, which may be relative to `against`; returns Twilio's code if it fails."""
    try:
        place = socket_url(url, against)
    except ValueError:
        return MALFORMED
    if not place:
        return MALFORMED
    if urlsplit(place).scheme not in {"ws", "wss"}:
        return BAD_SCHEME
    sign = signing.signature(card.account.auth_token, place)
    try:
        return await connect(
            card.number.dialled(place),
            additional_headers={signing.SOCKET_HEADER: sign},
            compression=None,
            ping_interval=None,
            open_timeout=OPEN_MS_MAX / 1_000,
            max_size=MESSAGE_BYTES_MAX,
            proxy=None,
            user_agent_header="stayline-simulator",
        )
    except TimeoutError:
        return CONNECT_TIMEOUT
    except (InvalidURI, ValueError):
        return MALFORMED
    except (InvalidStatus, InvalidHandshake):
        return BAD_HANDSHAKE
    except (OSError, EOFError):
        return CONNECT_REFUSED
