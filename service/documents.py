"""The TwiML that we answer with: our addresses, the call's parameters and a fresh token.

The leaf package `twiml` knows the verbs; here they meet the settings.
"""

import logging
from collections.abc import Callable

from msgspec import structs

from service.errors import ConfigError
from service.token import TokenMint
from twiml import verbs

APOLOGY = (
    "I am sorry, we keep losing the connection. "
    "I will stop here, so that we do not waste your time."
)
TRANSFER_APOLOGY = (
    "I am sorry, we keep losing the connection. I am putting you through to a colleague."
)
NOBODY = "I am sorry, nobody can take your call right now. We will call you back. Goodbye."
FALLBACK_APOLOGY = "One moment, please."

_log = logging.getLogger(__name__)


class Documents:
    """Makes every TwiML document. `nonce` returns 16 or more random letters at each call.

    Raises ConfigError for a public URL or a number to transfer to that no document can carry.
    """

    def __init__(
        self, public_url: str, mint: TokenMint, nonce: Callable[[], str], transfer_to: str
    ) -> None:
        self._mint = mint
        self._nonce = nonce
        try:
            self._door = verbs.Door(
                resume_url=f"{public_url}/twiml/resume",
                stream_url=public_url.replace("http", "ws", 1) + "/media",
                stream_status_url=f"{public_url}/callbacks/stream",
            )
        except ValueError as trouble:
            raise ConfigError(f"PUBLIC_URL: {trouble}") from trouble
        self._front_door = structs.replace(self._door, resume_url=f"{public_url}/twiml/voice")
        # Made now, because when it is needed is too late to learn that it can't be made.
        self._last_resort = self._made_last_resort(transfer_to)

    def resume_url(self, request: str = "") -> str:
        """Return the address of `/twiml/resume`, naming the digits request to play first."""
        return f"{self._door.resume_url}?play={request}" if request else self._door.resume_url

    def connect(
        self, call_sid: str, parameters: dict[str, str], *, door: str, is_known: bool, now_ms: int
    ) -> str:
        """Return the document that opens the media stream."""
        token = self._mint.issue(
            call_sid, door=door, is_known=is_known, nonce=self._nonce(), now_ms=now_ms
        )
        made = verbs.connect(self._door, {**_contract(parameters), "token": token})
        self._tell(call_sid, made)
        return made.xml

    def play_digits(
        self, call_sid: str, parameters: dict[str, str], digits: str, *, now_ms: int
    ) -> str:
        """Return the document that plays DTMF and opens the stream again."""
        token = self._mint.issue(
            call_sid, door="resume", is_known=True, nonce=self._nonce(), now_ms=now_ms
        )
        made = verbs.play_digits(self._door, digits, {**_contract(parameters), "token": token})
        self._tell(call_sid, made)
        return made.xml

    def hang_up(self) -> str:
        """Return the document that ends the call."""
        return verbs.hang_up().xml

    def nobody_answered(self) -> str:
        """Return the end of a transfer that reached nobody."""
        return verbs.apologise_and_hang_up(NOBODY).xml

    def transfer(self, to_number: str) -> str:
        """Return the document that dials a human. Raises ValueError when it can't be dialled."""
        return verbs.dial(to_number, door=self._door).xml

    def last_resort(self) -> str:
        """Return the apology after too many drops: then a human if one is configured, else the end."""
        return self._last_resort

    def _made_last_resort(self, transfer_to: str) -> str:
        if not transfer_to:
            return verbs.apologise_and_hang_up(APOLOGY).xml
        try:
            return verbs.apologise_and_transfer(TRANSFER_APOLOGY, transfer_to, door=self._door).xml
        except ValueError as trouble:
            raise ConfigError(f"TRANSFER_TO: {trouble}") from trouble

    def fallback(self, *, is_ringing: bool = False) -> str:
        """Return the document for when our own webhook failed: a word, then the way back.

        A call that `is_ringing` never got in, so its way back is the front door: it has nothing to
        resume.
        """
        door = self._front_door if is_ringing else self._door
        return verbs.fallback(door, FALLBACK_APOLOGY).xml

    def _tell(self, call_sid: str, made: verbs.Document) -> None:
        for name in made.shortened:
            _log.warning(
                "! parameter %s is over 500 characters with its name; sent shortened, kept whole here",
                name,
                extra={"action": "parameter_shortened", "call_sid": call_sid},
            )


def _contract(parameters: dict[str, str]) -> dict[str, str]:
    """The three parameters of the contract are always there, whatever else is."""
    return {"client_name": "", "company": "", "ticket_id": "", **parameters}
