"""The TwiML that we answer with: our addresses, the call's parameters and a fresh token.

    transfer ──> a human rings ──> answered ──> the end
    last resort ┘       └────────> voicemail ──> thanks ──> the end       with nobody configured: at once

The leaf package `twiml` knows the verbs; here they meet the settings.
"""

import logging
import re
from collections.abc import Callable
from urllib.parse import parse_qs

from service.errors import ConfigError
from service.redaction import own_words
from service.trust.tenants import DEFAULT_TENANT
from service.trust.token import EAR, TokenMint
from twiml import pay, verbs
from twiml.ear import Ear
from twiml.webhook import SID_PATTERN

APOLOGY = "I am sorry, we keep losing the connection."
TRANSFER_LINE = "Please hold the line, I am putting you through to a colleague."
VOICEMAIL_LINE = (
    "Nobody can take your call right now. Please leave a message after the tone, "
    "and we will call you back. Press the hash key when you are done."
)
THANKS = "Thank you. We have your message and will call you back. Goodbye."
NO_MESSAGE = "Thank you for calling. Goodbye."
BUSY_LINE = "I am sorry, all our lines are busy. Please call again in a moment. Goodbye."
CALLBACK_LINE = "We will call you back in a moment. Goodbye."
FALLBACK_APOLOGY = "One moment, please."
RESTART_LINE = "One moment, please."
RESTART_PAUSE_S = 8  # until a server that was told to end is back, its models loaded
WAIT_PAUSE_S = 1  # until a balancer has noticed that this server takes no calls
RESUME = "resume"
WEBHOOKS = ("voice", RESUME, "dialled", "voicemail")  # those that answer with a document, /twiml/…

FALLBACKS_MAX = (
    5  # rounds of a webhook that fails again and again: a quarter of a minute of apologies
)
TENANT = "tenant"  # the parameter that says whose a call is
TRIES = "tries"  # of the way back, how often it failed before: nothing else is sure to remember it
PAY = "pay"  # the parameter that names the round of a number that the carrier collects
PAY_TERMS = pay.Terms()
_REQUESTS = {"voice": "callback", RESUME: "play"}
_SMALL = re.compile(r"[0-9]{1,3}")

_log = logging.getLogger(__name__)


class Documents:
    """Makes every TwiML document. `nonce` returns 16 or more random letters at each call.

    With `gap_ear`, each document that opens a stream begins a second one first, which only listens.
    Raises ConfigError for a public URL or a number to transfer to that no document can carry.
    """

    def __init__(
        self,
        public_url: str,
        mint: TokenMint,
        nonce: Callable[[], str],
        transfer_to: str,
        *,
        gap_ear: bool = False,
        restart_pause_s: int = RESTART_PAUSE_S,
        has_last_human: bool = True,
        pay_terms: pay.Terms = PAY_TERMS,
    ) -> None:
        self._gap_ear = gap_ear
        self._restart_pause_s = restart_pause_s
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
        self._webhooks = {name: f"{public_url}/twiml/{name}" for name in WEBHOOKS}
        self._pay_terms, self._paid_url = pay_terms, f"{public_url}/twiml/paid"
        self._call_status_url = f"{public_url}/callbacks/call"
        self._transfer_to = transfer_to
        # Made now, because when they are needed is too late to learn that they can't be made.
        self._voicemail = self._recorded(VOICEMAIL_LINE)
        try:
            human = transfer_to if has_last_human else ""
            self._last_resort = self._dialled(human, f"{APOLOGY} {TRANSFER_LINE}", APOLOGY)
            self._dialled(transfer_to, TRANSFER_LINE)
        except ValueError as trouble:
            raise ConfigError(f"TRANSFER_TO: {trouble}") from trouble

    def resume_url(self, request: str = "") -> str:
        """Return the address of `/twiml/resume`, naming the digits request to play first."""
        return f"{self._door.resume_url}?play={request}" if request else self._door.resume_url

    @property
    def moved_url(self) -> str:
        """The address of `/twiml/resume` for a call that is moved, told from the action of a cut verb."""
        return f"{self._door.resume_url}?moved=1"

    def callback_url(self, call_sid: str) -> str:
        """Return where who answers our ringing back is led to: they go on with this call."""
        return f"{self._webhooks['voice']}?callback={call_sid}"

    def callback_status_url(self, call_sid: str) -> str:
        """Return where the carrier tells how the ringing back for this call ended."""
        return f"{self._call_status_url}?callback={call_sid}"

    def connect(
        self,
        call_sid: str,
        parameters: dict[str, str],
        *,
        door: str,
        is_known: bool,
        now_ms: int,
        epoch: int = 0,
        opened_ms: int = 0,
        tenant: str = DEFAULT_TENANT,
    ) -> str:
        """Return the document that opens the media stream.

        `epoch` is the call's, 0 for a new one; `opened_ms` is when it was opened, 0 when nobody knows.
        Of another tenant than the default one the stream says whose it is, for when its journal is gone.
        """
        token = self._mint.issue(
            call_sid,
            door=door,
            is_known=is_known,
            nonce=self._nonce(),
            now_ms=now_ms,
            opened_ms=opened_ms,
        )
        made = verbs.connect(
            self._door,
            {**_contract(parameters, tenant), "token": token},
            self._ear(call_sid, epoch, now_ms),
        )
        self._tell(call_sid, made)
        return made.xml

    def play_digits(
        self,
        call_sid: str,
        parameters: dict[str, str],
        digits: str,
        *,
        now_ms: int,
        epoch: int = 0,
        opened_ms: int = 0,
        tenant: str = DEFAULT_TENANT,
    ) -> str:
        """Return the document that plays DTMF and opens the stream again. `epoch` is the call's."""
        token = self._mint.issue(
            call_sid,
            door="resume",
            is_known=True,
            nonce=self._nonce(),
            now_ms=now_ms,
            opened_ms=opened_ms,
        )
        made = verbs.play_digits(
            self._door,
            digits,
            {**_contract(parameters, tenant), "token": token},
            self._ear(call_sid, epoch, now_ms),
        )
        self._tell(call_sid, made)
        return made.xml

    def pay(self, name: str, *, epoch: int) -> str:
        """Return the document that has the carrier collect a number; `name` is its round's, `epoch` the call's."""
        ears = [f"ear-{one}" for one in (epoch, epoch - 1) if self._gap_ear and one > 0]
        return pay.collected(f"{self._paid_url}?{PAY}={name}", self._pay_terms, ears).xml

    def hang_up(self) -> str:
        """Return the document that ends the call."""
        return verbs.hang_up().xml

    def transfer(self, to_number: str) -> str:
        """Return the document that dials a human, "" for the one of the settings.

        With none there, the caller is asked for a message at once. Raises ValueError for a number that
        can't be dialled.
        """
        return self._dialled(to_number or self._transfer_to, TRANSFER_LINE)

    def last_resort(self, *, calls_back: bool = False) -> str:
        """Return the apology after too many drops: then a human if one is configured, else voicemail.

        With `calls_back` it ends the call: the caller is rung back.
        """
        if calls_back:
            return verbs.say_and_hang_up(f"{APOLOGY} {CALLBACK_LINE}").xml
        return self._last_resort

    def busy(self) -> str:
        """Return the document for a call that there is no place for."""
        return verbs.say_and_hang_up(BUSY_LINE).xml

    def voicemail(self) -> str:
        """Return the document that asks for a message, because nobody is there."""
        return self._voicemail

    def thanks(self, *, has_message: bool) -> str:
        """Return the end of a voicemail."""
        return verbs.say_and_hang_up(THANKS if has_message else NO_MESSAGE).xml

    def _dialled(self, number: str, text: str, without_number: str = "") -> str:
        if not number:
            return self._recorded(f"{without_number} {VOICEMAIL_LINE}".strip())
        return verbs.dial(number, after_url=self._webhooks["dialled"], text=text).xml

    def _recorded(self, text: str) -> str:
        return verbs.voicemail(text, NO_MESSAGE, after_url=self._webhooks["voicemail"]).xml

    def fallback_for(self, error_url: str) -> str:
        """Return the document for when the webhook at `error_url` failed, as the carrier names it.

        The same is asked again, with what it was asked for, FALLBACKS_MAX times; then it is given up.
        """
        path, _, query = error_url.partition("#")[0].partition("?")
        failed, asked = path.rpartition("/twiml/")[2], parse_qs(query)
        request = asked.get(_REQUESTS.get(failed, ""), [""])[0]
        tries = asked.get(TRIES, ["0"])[0]
        done = int(tries) if _SMALL.fullmatch(tries) else 0
        if done >= FALLBACKS_MAX:
            return self._last_resort
        is_sound = SID_PATTERN.fullmatch(request)
        return self._fallen_back(failed, request if is_sound else "", done + 1)

    def fallback(self, failed: str = RESUME, request: str = "") -> str:
        """Return the document for when our own webhook failed: a word, then the way back.

        That is the very webhook that `failed`, where asking it again is right: a call that never got in
        has nothing to resume, and one whose dial is over must not be dialled again. Any other name
        stands for the way back of a stream. `request` as in `wait`.
        """
        return verbs.fallback(self._back_url(failed, request), FALLBACK_APOLOGY).xml

    def _fallen_back(self, failed: str, request: str, tries: int) -> str:
        url = self._back_url(failed, request)
        back_url = f"{url}{'&' if '?' in url else '?'}{TRIES}={tries}"
        return verbs.fallback(back_url, FALLBACK_APOLOGY).xml

    def _back_url(self, webhook: str, request: str) -> str:
        if webhook == "voice" and request:
            return self.callback_url(request)
        if webhook == RESUME or webhook not in self._webhooks:
            return self.resume_url(request)
        return self._webhooks[webhook]

    def wait(self, webhook: str = RESUME, request: str = "", *, is_alone: bool = False) -> str:
        """Return the document that asks the same webhook again a moment later, and on another server.

        `is_alone`: there is no other one, so the caller is told and waits until this one is back.
        `request` names what the webhook was asked for: digits to play first, or whom we ring back for.
        """
        back_url = self._back_url(webhook, request)
        if webhook == RESUME and not request:
            back_url = self.moved_url
        if is_alone:
            return verbs.wait(back_url, self._restart_pause_s, RESTART_LINE).xml
        return verbs.wait(back_url, WAIT_PAUSE_S).xml

    def _ear(self, call_sid: str, epoch: int, now_ms: int) -> Ear | None:
        """Name the ear after the epoch that the document leads to, so that a later one can stop it.

        The one before goes on until this one is heard, and is then closed by whoever hears both; the one
        before that is stopped here, in case nobody did. Two documents asked for at once name the same one: whether the carrier refuses the second or runs
        both, one of them is heard.
        """
        if not self._gap_ear:
            return None
        name, earlier = f"ear-{epoch + 1}", f"ear-{epoch - 1}" if epoch > 1 else ""
        token = self._mint.issue(
            call_sid, door=EAR, is_known=True, nonce=self._nonce(), now_ms=now_ms
        )
        return Ear(name=name, earlier=earlier, parameters={EAR: name, "token": token})

    def _tell(self, call_sid: str, made: verbs.Document) -> None:
        for name in made.shortened:
            _log.warning(
                "! parameter %s is over 500 characters with its name; sent shortened, kept whole here",
                own_words(name),
                extra={"action": "parameter_shortened", "call_sid": call_sid},
            )


def _contract(parameters: dict[str, str], tenant: str) -> dict[str, str]:
    """The three parameters of the contract are always there, whatever else is."""
    whose = {} if tenant == DEFAULT_TENANT else {TENANT: tenant}
    return {"client_name": "", "company": "", "ticket_id": "", **parameters, **whose}
