"""A card number that the carrier collects itself, so that no digit of it comes to us ("TwiML Voice: Pay").

    <Response>
      <Stop><Stream name="ear-3"/></Stop>                       nobody listens meanwhile
      <Pay action="AFTER" paymentConnector="…" tokenType="…"/>   first way back, with how it went
      <Redirect method="POST">AFTER</Redirect>                  second way back, without a word of it
    </Response>

It never has an amount: the connector makes a token of the card, and what is paid with it is another's
to say. After the last attempt Twilio may ask AFTER, or go on with the next verb; both lead there.
"""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec
from twilio.twiml.voice_response import VoiceResponse

from twiml import ear
from twiml.verbs import PATIENT, Document, check_webhook, finished

TokenType = Literal["one-time", "reusable", "payment-method"]

ATTEMPTS = 3  # for each of the numbers that are asked for; Twilio's upper limit
KEY_PAUSE_S = 5  # between two keys people take up to four seconds; Twilio's own default
CONNECTOR_CHARACTERS_MAX = 64

_CONNECTOR = re.compile(rf"[A-Za-z0-9_. -]{{1,{CONNECTOR_CHARACTERS_MAX}}}")


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How cards are collected: by which connector of the account, for which kind of token.

    Beside the number and its date the carrier asks for the security code and the postal code, unless told
    not to. ValueError for a connector's name that is none.
    """

    connector: str = "Default"
    token_type: TokenType = "reusable"  # noqa: S105 - a kind, no secret
    asks_security_code: bool = True
    asks_postal_code: bool = True

    def __post_init__(self) -> None:
        if not _CONNECTOR.fullmatch(self.connector):
            raise ValueError(
                f"A connector's name is 1 to {CONNECTOR_CHARACTERS_MAX} of A-Z a-z 0-9 _ . - and space."
            )


def collected(after_url: str, terms: Terms, ears: Sequence[str] = ()) -> Document:
    """Have the carrier collect a card, then ask `after_url`, which is asked again while it fails.

    `ears` are the listening streams to stop before. `after_url` must be https outside of tests.
    """
    check_webhook(after_url)
    response = VoiceResponse()
    for name in ears:
        ear.stop(response, name)
    response.pay(
        action=f"{after_url}{PATIENT}",
        input="dtmf",
        payment_method="credit-card",
        payment_connector=terms.connector,
        token_type=terms.token_type,
        max_attempts=ATTEMPTS,
        timeout=KEY_PAUSE_S,
        security_code=terms.asks_security_code,
        postal_code=terms.asks_postal_code,
    )
    response.redirect(after_url, method="POST")
    return finished(response)
