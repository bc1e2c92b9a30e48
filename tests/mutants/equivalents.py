"""Mutants that do what the module does, by their names, each with the reason why no test can tell."""

from typing import Final

_EITHER_WAY = "two texts are compared: the order changes nothing"
_EITHER_NUMBER = "of two numbers the greater or the lesser is taken: the order changes nothing"
_NOT_IN_BASE64 = "what is stripped is a set of letters, and the other one never stands there"
_NOT_IN_A_PATH = "likewise: the pattern lets no question mark into a path"
_ONE_READING = "the whole text must match, and there is one way to do it, greedy or not"
_SAME_CODEC = "Python finds an encoding by the letters and digits of its name"
_ONE_COLUMN = "a row of one column: its first is its last"
_UNTIL_WRAPPED = "it holds a place until the key is wrapped, and nothing is bound to it"
_RANKED = "ranks are only compared with each other"
_SAYS_NOTHING = "a header without an equals sign says as little as none"

EQUIVALENTS: Final[dict[str, dict[str, str]]] = {
    "keyring": {
        "Keyring.is_signed: hmac.compare_digest(mine.encode(), signature.encode(errors='replace'))"
        " -> hmac.compare_digest(signature.encode(errors='replace'), mine.encode())": _EITHER_WAY,
        "_letters: '=' -> '=?'": _NOT_IN_BASE64,
    },
    "signature": {
        r"_PUBLIC_URL: '(?P<scheme>https?)://(?:[^\\s/?#@]*@)?(?P<host>\\[[0-9A-Fa-f:.]+\\]|[^\\s/:?#@\\[\\]]+)"
        r"(?::(?P<port>[0-9]{1,5}))?(?P<prefix>/[^\\s?#]*)?'"
        r" -> '(?P<scheme>https?)://(?:[^\\s/?#@]*@)?(?P<host>\\[[0-9A-Fa-f:.]+\\]|[^\\s/:?#@\\[\\]]+)"
        r"(?::(?P<port>[0-9]{1,5}))?(?P<prefix>/[^\\s?#]*)??'": _ONE_READING,
        "Verifier.__init__: '/' -> '/?'": _NOT_IN_A_PATH,
        "Verifier.check_form: '' -> '?'": _SAYS_NOTHING,
        "Verifier.check_get: '' -> '?'": _SAYS_NOTHING,
        "Verifier.check_json: '' -> '?'": _SAYS_NOTHING,
        "Verifier.check_upgrade: '' -> '?'": _SAYS_NOTHING,
        "Verifier._is_signed: hmac.compare_digest(_signature(key, algorithm, url + fields), given)"
        " -> hmac.compare_digest(given, _signature(key, algorithm, url + fields))": _EITHER_WAY,
    },
    "proofs": {
        "_SECONDS: '[0-9]{1,11}' -> '[0-9]{1,11}?'": _ONE_READING,
        "plivo_signed: hmac.compare_digest(ours, theirs) -> hmac.compare_digest(theirs, ours)": _EITHER_WAY,
    },
    "badge": {
        "BadgeMint.read: hmac.compare_digest(_mac(token, told), mac) -> hmac.compare_digest(mac, _mac(token, told))": _EITHER_WAY,
        "_mac: '=' -> '=?'": _NOT_IN_BASE64,
    },
    "bearer": {
        "RANKS: 0 -> -1": _RANKED,
        "RANKS: 2 -> 3": _RANKED,
        "Bearers.wearing: '' -> '?'": "neither is a badge",
        "Bearers.left_ms: max(0, min(ASKED_AGAIN_MS, visitor.expires_ms - self._clock.now_ms()))"
        " -> max(min(ASKED_AGAIN_MS, visitor.expires_ms - self._clock.now_ms()), 0)": _EITHER_NUMBER,
        "Bearers.left_ms: min(ASKED_AGAIN_MS, visitor.expires_ms - self._clock.now_ms())"
        " -> min(visitor.expires_ms - self._clock.now_ms(), ASKED_AGAIN_MS)": _EITHER_NUMBER,
        "Bearers.token: hmac.compare_digest(token.token.encode(), shown.encode())"
        " -> hmac.compare_digest(shown.encode(), token.token.encode())": _EITHER_WAY,
    },
    "masters": {
        "Masters.made: '' -> '?'": _UNTIL_WRAPPED,
        "Masters.made: b'' -> b'?' (2)": _UNTIL_WRAPPED,
    },
    "redaction": {
        "_SID: '[A-Z]{2}[0-9a-f]{32}' -> '[A-Z]{2}[0-9a-f]{32}?'": _ONE_READING,
        "_ACTION: '[a-z_]{1,40}' -> '[a-z_]{1,40}?'": _ONE_READING,
        "shown: '' -> '?'": "neither is the name of an action or a time",
        "_code: '' -> '?'": "what is looked for lies within one line, and this is put between lines",
    },
    "readings": {
        "read: 0 -> -1": "the first record stands at 1, so that either is before all",
        "room: 0 -> -1": _ONE_COLUMN,
        "recall: 0 -> -1": _ONE_COLUMN,
        "feel_pulse: 0 -> -1": _ONE_COLUMN,
    },
    "tide": {
        "TideMark.rise: self._read() < height -> self._read() <= height": "the mark is written as it stands",
        "TideMark._read: 0 -> -1 (2)": "no file counts less than 0, so that neither is above one",
    },
    "storefile": {
        "named_statements: 'utf-8' -> 'utf-8?'": _SAME_CODEC,
        "StoreFile._open: True -> False (3)": "many a SQLite, Debian's too, is built to read addresses anyway",
    },
}
