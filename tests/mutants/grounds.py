"""The modules that hold the doors, and the suites that guard each."""

from typing import Final

from msgspec import Struct


class Ground(Struct, frozen=True):
    """A module, by its path from the tree's root, and what pytest is told for it."""

    name: str
    file: str
    suites: tuple[str, ...]


_SQLITE = "tests/journal/sqlite"
_EMBEDDED: Final = ("-k", "not redis and not sentinel and not cluster and not bridge and not sealed")  # fmt: skip
# What their folder has for tests is a whole server, which would be imported for each mutant.
_ALONE: Final = ("--noconftest",)

# The two slowest tests are left out: a million nonces, and each byte of a thousand records.
GROUNDS: Final = (
    Ground("token", "service/trust/token.py", ("tests/trust/test_token.py",)),
    Ground("keyring", "service/trust/keyring.py", ("tests/trust/test_keyring.py",)),
    Ground("recovery", "service/trust/recovery.py", ("tests/trust/test_recovery.py",)),
    Ground("tokens", "service/journal/tokens.py", ("tests/journal/test_tokens.py", *_EMBEDDED)),
    Ground("signature", "twiml/signature.py", ("tests/twiml/test_signature.py",)),
    Ground("proofs", "twiml/proofs.py", ("tests/twiml/test_proofs.py",)),
    Ground("badge", "service/web/door/badge.py", ("tests/web/door/test_badge.py", *_ALONE)),
    Ground("bearer", "service/web/door/bearer.py", ("tests/web/door/test_bearer.py", *_ALONE)),
    Ground("redaction", "service/redaction.py", ("tests/test_redaction.py",)),
    Ground("callkey", "service/journal/seal/callkey.py", ("tests/journal/seal/test_callkey.py", "-k", "not 1000_records and not used_twice")),
    Ground("masters", "service/journal/seal/masters.py", ("tests/journal/seal/test_masters.py",)),
    Ground("holds", "service/journal/sqlite/holds.py", (f"{_SQLITE}/test_holds.py",)),
    Ground("ledger", "service/journal/sqlite/ledger.py", (f"{_SQLITE}/test_ledger.py", "tests/journal/test_journal.py", *_EMBEDDED)),
    Ground("readings", "service/journal/sqlite/readings.py", (f"{_SQLITE}/test_readings.py", "tests/journal/test_journal.py", *_EMBEDDED)),
    Ground("tide", "service/journal/sqlite/tide.py", (f"{_SQLITE}/test_tide.py",)),
    Ground("storefile", "service/journal/sqlite/storefile.py", (f"{_SQLITE}/test_storefile.py", f"{_SQLITE}/test_layouts.py")),
)  # fmt: skip
