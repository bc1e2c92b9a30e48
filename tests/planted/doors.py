"""Bugs at the doors: strangers, floods, and input that makes no sense."""

from typing import Final

from tests.planted.bug import Bug

DOORS: Final = (
    Bug(
        name="token-good-for-any-call",
        rule=7,
        file="service/trust/keyring.py",
        before='f"{text}|{call_sid}".encode(errors="replace")',
        after='text.encode(errors="replace")',
        suites=("tests/trust/test_token.py",),
    ),
    Bug(
        name="old-token-taken-for-a-new-calls",
        rule=3,
        file="service/trust/token.py",
        before="        return abs(now_ms - self.issued_ms) <= FRESH_MS\n",
        after="        return now_ms - self.issued_ms <= LIFE_MS\n",
        suites=("tests/trust/test_token.py", "tests/web/stream/test_media.py"),
    ),
    Bug(
        name="claimed-before-the-token-is-spent",
        rule=7,
        file="service/web/stream/media.py",
        before='            return _Refusal(f"the token was used: {spent.reason}")\n',
        after='            return "resume"\n',
        suites=("tests/web/stream/test_media.py",),
    ),
    Bug(
        name="arguments-of-a-tool-in-the-log",
        rule=8,
        file="service/session/working.py",
        before="            own_words(effect.tool),\n            effect.attempt,\n",
        after="            own_words(str(effect.arguments)),\n            effect.attempt,\n",
        suites=("tests/session/test_working.py",),
    ),
    Bug(
        name="inbox-without-a-limit",
        rule=9,
        file="service/session/inbox.py",
        before=" and self._row.qsize() >= INBOX_MAX:",
        after=" and self._row.qsize() < 0:",
        suites=("tests/session/test_inbox.py",),
    ),
    Bug(
        name="pump-without-a-limit",
        rule=9,
        file="service/journal/redis/pump.py",
        before="        if len(self._waiting) >= QUEUE_MAX:\n",
        after="        if len(self._waiting) < 0:\n",
        suites=("tests/journal/redis/test_pump.py",),
    ),
    Bug(
        name="a-record-opens-at-any-place",
        rule=8,
        file="service/journal/seal/callkey.py",
        before="            place = _place(_RECORD, position, epoch, at_ms)\n            sealed.append(",
        after="            place = _place(_LOOSE, 0, epoch, at_ms)\n            sealed.append(",
        suites=("tests/journal/seal/test_callkey.py",),
    ),
    Bug(
        name="a-name-that-is-looked-up-twice",
        rule=8,
        file="service/outbound/client.py",
        before="                    address, port, timeout, local_address, socket_options\n",
        after="                    host, port, timeout, local_address, socket_options\n",
        suites=("tests/outbound/test_client.py",),
    ),
    Bug(
        name="another-tenants-call-is-shown",
        rule=8,
        file="service/web/reading/admitted.py",
        before=" or showing.call.tenant != token.tenant:",
        after=":",
        suites=("tests/web/test_tenants.py",),
    ),
    Bug(
        name="broken-json-is-a-500",
        rule=10,
        file="service/web/door/form.py",
        before="    except (ValueError, RecursionError) as trouble:\n",
        after="    except RecursionError as trouble:\n",
        suites=("tests/web/test_api.py",),
    ),
    Bug(
        name="one-bad-message-ends-the-stream",
        rule=10,
        file="service/web/stream/inflow.py",
        before="            return ()\n",
        after='            raise ConnectionError("a message outside the protocol") from trouble\n',
        suites=("tests/web/stream/test_inflow.py", "tests/web/stream/test_media.py"),
    ),
)
