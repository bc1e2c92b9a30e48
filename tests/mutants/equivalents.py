"""Mutants that do what the module does, by their names, each with the reason why no test can tell."""

from typing import Final

_EITHER_WAY = "two texts are compared: the order changes nothing"
_NOT_IN_BASE64 = "what is stripped is a set of letters, and the other one never stands there"

EQUIVALENTS: Final[dict[str, dict[str, str]]] = {
    "keyring": {
        "Keyring.is_signed: hmac.compare_digest(mine.encode(), signature.encode(errors='replace'))"
        " -> hmac.compare_digest(signature.encode(errors='replace'), mine.encode())": _EITHER_WAY,
        "_letters: '=' -> '=?'": _NOT_IN_BASE64,
    },
}
