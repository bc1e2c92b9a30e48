import base64
import hashlib
import hmac
import random
from collections.abc import Callable, Sequence
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, strategies as st
from twilio.request_validator import RequestValidator

from twiml.signature import Verifier

TOKEN = "12345"
Pairs = Sequence[tuple[str, str]]
P = (
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
)
BODY = b'{"property": "value", "boolean": true}'
BODY_HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
PATH, QUERY = "/myapp.php", "foo=1&bar=2"


def sign(url: str, pairs: Pairs = (), token: str = TOKEN) -> str:
    """Sign as Twilio documents it, written apart from the code under test."""
    fields: dict[str, set[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, set()).add(value)
    text = url + "".join(name + value for name in sorted(fields) for value in sorted(fields[name]))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def at(public_url: str, *tokens: str) -> Verifier:
    return Verifier(tokens or (TOKEN,), public_url)


class Form(dict[str, list[str]]):
    """A form as the official validator wants it: several values for a name."""

    def __init__(self, pairs: Pairs) -> None:
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, []).append(value)

    def getlist(self, name: str) -> list[str]:
        return self[name]


@pytest.mark.parametrize(
    ("public_url", "signature"),
    [
        ("https://mycompany.com", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("http://mycompany.com:1234", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        ("https://mycompany.com", "kvajT1Ptam85bY51eRf/AJRuM3w="),  # signed with :443
        ("https://mycompany.com:443", "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("https://mycompany.com:443", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),  # signed without it
        ("http://mycompany.com", "0ZXoZLH/DfblKGATFgpif+LLRf4="),  # signed with :80
        ("http://mycompany.com:80", "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ],
)
def test_the_published_form_vectors_hold(public_url: str, signature: str) -> None:
    assert at(public_url).check_form(PATH, QUERY, P, signature)
    assert not at(public_url).check_form(PATH, QUERY, P[1:], signature)


def test_the_published_vector_with_a_repeated_name_holds_in_any_order() -> None:
    signature = "IK+Dwps556ElfBT0I3Rgjkr1wJU="
    pairs = [("Sid", "CA123"), ("SidAccount", "AC123")]
    pairs += [("Digits", digits) for digits in ("5678", "1234", "1234")]
    verifier = at("https://mycompany.com")

    assert verifier.check_form(PATH, QUERY, pairs, signature)
    assert verifier.check_form(PATH, QUERY, pairs[::-1], signature)
    assert verifier.check_form(PATH, QUERY, sorted(set(pairs)), signature)


def test_the_vector_of_the_security_page_holds() -> None:
    pairs = [(name, value.replace("+14158675309", "+14158675310")) for name, value in P]

    assert at("https://example.com").check_form(PATH, QUERY, pairs, "L/OH5YylLD5NRKLltdqwSvS0BnU=")


def test_a_get_is_signed_over_its_url_alone() -> None:
    signature = "7fNPeNJw743o4w4nyZb6i1KILQ8="
    verifier = at("https://example.com")

    assert verifier.check_get(PATH, QUERY, signature)
    assert verifier.check_form(PATH, QUERY, (), signature)
    assert not verifier.check_get(PATH, "foo=1", signature)
    assert not verifier.check_get(PATH, "", signature)


def test_the_published_json_vector_holds_for_its_own_body_only() -> None:
    query = f"{QUERY}&bodySHA256={BODY_HASH}"
    signature = "a9nBmqA0ju/hNViExpshrM61xv4="
    verifier = at("https://mycompany.com")

    assert verifier.check_json(PATH, query, BODY, signature)
    assert not verifier.check_json(PATH, query, BODY + b" ", signature)
    assert not verifier.check_json(PATH, query, b"", signature)
    assert not verifier.check_json(PATH, query, b"\xff\x00", signature)
    assert not verifier.check_json(PATH, query, BODY, None)
    assert not verifier.check_json(PATH, query, BODY, "")


def test_the_published_body_hash_is_taken_in_either_case() -> None:
    body = b'{"CallSid":"CA1234567890ABCDE","Caller":"+12349013030"}'
    digest = "5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9"
    for written in (digest, digest.upper()):
        query = f"bodySHA256={written}"
        signature = sign(f"https://example.com/api?{query}")
        assert at("https://example.com").check_json("/api", query, body, signature)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "foo=1",
        "bodySHA256=",
        "bodySHA256=%00",
        "bodySHA256=%C3%A9",
        f"bodysha256={BODY_HASH}",
        f"bodySHA256={BODY_HASH}&bodySHA256={BODY_HASH}",
        f"bodySHA256={'0' * 64}",
    ],
)
def test_json_without_exactly_one_fitting_body_hash_is_refused(query: str) -> None:
    target = f"https://example.com/api?{query}" if query else "https://example.com/api"

    assert at("https://example.com").check_get("/api", query, sign(target))
    assert not at("https://example.com").check_json("/api", query, BODY, sign(target))


@pytest.mark.parametrize(
    ("path", "signature"),
    [
        ("/media", "7PR3qMkpDyEJtMrVOY/LDyNq8J8="),  # wss://example.com/media
        ("/media", "T+WBXwUXC0/CyoZ1DA+p9ilZORs="),  # wss://example.com/media/
        ("/media", "zyyJQiPZXIGCLy3HYdHEfry0yDg="),  # wss://example.com:443/media
        ("/media", "6HZQ7Cq/dSYDCAiy3qRA6PZfACI="),  # https://example.com/media
        ("/media/", "T+WBXwUXC0/CyoZ1DA+p9ilZORs="),
        ("/media-stream", "XFfwGS2Ev7f9qAP9MmRoMS7C724="),
    ],
)
def test_the_vectors_for_an_upgrade_hold(path: str, signature: str) -> None:
    assert at("https://example.com").check_upgrade(path, "", signature)
    assert not at("https://example.org").check_upgrade(path, "", signature)
    assert not at("https://example.com").check_upgrade("/other", "", signature)


@pytest.mark.parametrize(
    ("public_url", "url", "is_good"),
    [
        ("https://h", "wss://h:443/media/", True),
        ("https://h", "https://h:443/media", True),
        ("https://h", "https://h/media/", False),
        ("https://h", "wss://h:80/media", False),  # what the official validator adds
        ("https://h", "wss://h:8443/media", False),
        ("https://h", "ws://h/media", False),
        ("https://h", "http://h/media", False),
        ("https://h", "wss://h/media//", False),
        ("https://h", "wss://h/media?", False),
        ("https://h", "wss://H/media", False),
        ("https://h:8443", "wss://h:8443/media", True),
        ("https://h:8443", "wss://h/media", True),
        ("https://h:8443", "wss://h:443/media", False),
        ("http://h:8000", "ws://h:8000/media", True),
        ("http://h", "ws://h:80/media/", True),
        ("http://h", "http://h/media", True),
        ("http://h", "wss://h/media", False),
    ],
)
def test_an_upgrade_is_taken_with_any_of_the_forms_twilio_may_sign(
    public_url: str, url: str, *, is_good: bool
) -> None:
    assert at(public_url).check_upgrade("/media", "", sign(url)) is is_good


def test_a_path_that_ends_with_a_slash_is_given_no_second_one() -> None:
    verifier = at("https://h")

    assert verifier.check_upgrade("/media/", "", sign("wss://h/media/"))
    assert not verifier.check_upgrade("/media/", "", sign("wss://h/media//"))
    assert not verifier.check_upgrade("/media/", "", sign("wss://h/media"))


def test_a_query_on_an_upgrade_must_be_signed_in_one_of_two_ways() -> None:
    query = "b=2&a=%20x&a=&c"
    pairs = [("b", "2"), ("a", " x"), ("a", ""), ("c", "")]
    verifier = at("https://h")

    assert verifier.check_upgrade("/media", query, sign("wss://h/media", pairs))
    assert verifier.check_upgrade("/media", query, sign("wss://h/media/", pairs))
    assert verifier.check_upgrade("/media", query, sign(f"wss://h/media?{query}"))
    assert not verifier.check_upgrade("/media", query, sign("wss://h/media"))
    assert not verifier.check_upgrade("/media", "", sign("wss://h/media", pairs))


@pytest.mark.parametrize("public_url", ["https://h/calls", "https://h/calls/", "https://h/calls//"])
def test_the_prefix_of_the_public_url_is_put_before_the_raw_path(public_url: str) -> None:
    verifier = at(public_url)

    assert verifier.check_form("/voice", "", P, sign("https://h/calls/voice", P))
    assert verifier.check_upgrade("/media", "", sign("wss://h/calls/media"))
    assert verifier.check_get("/", "", sign("https://h/calls/"))
    assert not verifier.check_form("/voice", "", P, sign("https://h/voice", P))
    assert not verifier.check_form("/calls/voice", "", P, sign("https://h/calls/voice", P))


def test_path_and_query_are_signed_as_they_were_sent() -> None:
    verifier = at("https://h")
    signature = sign("https://h/a%2Fb%20c%c3%a9?x=%2B+%7e&empty=&x", P)

    assert verifier.check_form("/a%2Fb%20c%c3%a9", "x=%2B+%7e&empty=&x", P, signature)
    assert not verifier.check_form("/a%2fb%20c%c3%a9", "x=%2B+%7e&empty=&x", P, signature)
    assert not verifier.check_form("/a%2Fb%20c%c3%a9", "x=%2B+~&empty=&x", P, signature)


@pytest.mark.parametrize(
    ("public_url", "url"),
    [
        ("https://user:pass@h", "https://h/voice"),
        ("https://user:pass@h:8443", "https://h:8443/voice"),
        ("https://user:p:a:s@h:8443/x", "https://h/x/voice"),
        ("https://[::1]:8443", "https://[::1]:8443/voice"),
        ("https://[::1]:8443", "https://[::1]/voice"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]:443/voice"),
        ("http://user@[::1]", "http://[::1]/voice"),
    ],
)
def test_credentials_are_dropped_and_addresses_in_brackets_kept(public_url: str, url: str) -> None:
    assert at(public_url).check_form("/voice", "", P, sign(url, P))


def test_credentials_in_the_public_url_are_never_signed() -> None:
    signature = sign("https://user:pass@h/voice", P)

    assert not at("https://user:pass@h").check_form("/voice", "", P, signature)


def test_any_token_counts_while_rotating_and_no_other() -> None:
    verifier = at("https://h", "new", "old", "tøken")
    signed = [sign("https://h/v", P, token) for token in ("new", "old", "tøken", "gone", "")]

    assert [verifier.check_form("/v", "", P, it) for it in signed] == [True] * 3 + [False] * 2


@pytest.mark.parametrize("tokens", [(), ("",), ("good", "")])
def test_no_token_or_an_empty_one_is_refused_at_the_start(tokens: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"^At least one auth token is needed"):
        Verifier(tokens, "https://h")


@pytest.mark.parametrize(
    "public_url",
    [
        "",
        "h",
        "//h",
        "wss://h",
        "https://",
        "https://:443",
        "https://h:",
        "https://h:port",
        "https://h/p?q=1",
        "https://h?q",
        "https://h#f",
        "https://h h",
        "https://h\n",
        "https://::1",
        "https://[::1",
        "https://a@b@h",
    ],
)
def test_an_unusable_public_url_is_refused_at_the_start(public_url: str) -> None:
    with pytest.raises(ValueError, match=r"^The public URL must be http\(s\)://host"):
        at(public_url)


SHARED = (("k1", "shared secret"), ("k2", "another"), ("k2", "its successor"))


def sign_shared(url: str, pairs: Pairs, secret: str, algorithm: str = "HMAC_SHA256") -> str:
    """Sign with a shared key as the official library computes it."""
    made: str = RequestValidator(secret).compute_signature(url, Form(pairs), algorithm)
    return made


@pytest.mark.parametrize(
    ("settings", "secret", "algorithm", "is_good"),
    [
        ("key=k1,algorithm=HMAC_SHA256", "shared secret", "HMAC_SHA256", True),
        (" algorithm = hmac_sha256 , key = k1 ", "shared secret", "HMAC_SHA256", True),
        ("key=k2,algorithm=HMAC_SHA256", "another", "HMAC_SHA256", True),
        ("key=k2,algorithm=HMAC_SHA256", "its successor", "HMAC_SHA256", True),
        ("", TOKEN, "HMAC_SHA1", True),
        ("algorithm=HMAC_SHA1", TOKEN, "HMAC_SHA1", True),
        ("key=k1,algorithm=HMAC_SHA256", "another", "HMAC_SHA256", False),
        ("key=k3,algorithm=HMAC_SHA256", "shared secret", "HMAC_SHA256", False),
        ("key=,algorithm=HMAC_SHA256", "shared secret", "HMAC_SHA256", False),
        ("algorithm=HMAC_SHA256", "shared secret", "HMAC_SHA256", False),
        ("", "shared secret", "HMAC_SHA256", False),
        ("key=k1,algorithm=HMAC_SHA1", "shared secret", "HMAC_SHA1", False),
        ("key=k1", "shared secret", "HMAC_SHA1", False),
        ("key=k1", "shared secret", "HMAC_SHA256", False),
        ("key=k1,algorithm=HMAC_SHA256", "shared secret", "HMAC_SHA1", False),
        ("key=k1,algorithm=HMAC_SHA1", TOKEN, "HMAC_SHA1", False),
        ("key=k1,algorithm=HMAC_SHA256", TOKEN, "HMAC_SHA256", False),
        ("algorithm=HMAC_SHA256", TOKEN, "HMAC_SHA256", False),
        ("algorithm=NONE,key=k1", "shared secret", "HMAC_SHA256", False),
        ("key=k1,algorithm=HMAC_SHA256,algorithm=HMAC_SHA1", "shared secret", "HMAC_SHA1", False),
    ],
)
def test_each_key_is_good_for_its_own_algorithm_alone(
    settings: str, secret: str, algorithm: str, *, is_good: bool
) -> None:
    """S-1: the header names a key; it never chooses how that key is used."""
    verifier = Verifier((TOKEN,), "https://h", SHARED)
    body = hashlib.sha256(BODY).hexdigest()
    form = sign_shared("https://h/v?a=1", P, secret, algorithm)
    plain = sign_shared("https://h/v?a=1", (), secret, algorithm)
    json = sign_shared(f"https://h/v?bodySHA256={body}", (), secret, algorithm)
    upgrade = sign_shared("wss://h/media", (), secret, algorithm)
    queried = sign_shared("wss://h/media/?a=1", (), secret, algorithm)

    assert verifier.check_form("/v", "a=1", P, form, settings) is is_good
    assert verifier.check_get("/v", "a=1", plain, settings) is is_good
    assert verifier.check_json("/v", f"bodySHA256={body}", BODY, json, settings) is is_good
    assert verifier.check_upgrade("/media", "", upgrade, settings) is is_good
    assert verifier.check_upgrade("/media", "a=1", queried, settings) is is_good


@pytest.mark.parametrize("keys", [(("", "secret"),), (("k1", ""),)])
def test_a_shared_key_without_a_name_or_a_secret_is_refused_at_the_start(
    keys: tuple[tuple[str, str], ...],
) -> None:
    with pytest.raises(ValueError, match=r"^A shared key has a name and a secret"):
        Verifier((TOKEN,), "https://h", keys)


Check = Callable[[str | None], bool]


def checks(path: str, query: str, pairs: Pairs, body: bytes) -> list[Check]:
    verifier = at("https://h")
    return [
        lambda it: verifier.check_form(path, query, pairs, it),
        lambda it: verifier.check_get(path, query, it),
        lambda it: verifier.check_json(path, query, body, it),
        lambda it: verifier.check_upgrade(path, query, it),
    ]


@pytest.mark.parametrize(
    "garbage",
    [None, "", " ", "é", "\udcff", "\0", "=" * 28, "A" * 27 + "=", "A" * 10_000, "bytes'"],
)
def test_a_missing_or_garbled_signature_is_simply_wrong(garbage: str | None) -> None:
    for query in ("", f"bodySHA256={BODY_HASH}"):
        for check in checks("/voice", query, P, BODY):
            assert check(garbage) is False


@pytest.mark.parametrize("check_at", range(4))
def test_no_input_whatever_raises_or_passes(check_at: int) -> None:
    any_text = st.text(st.characters(codec=None))

    @given(
        any_text | any_text.map("/{}".format),
        any_text | any_text.map("bodySHA256={}".format),
        st.lists(st.tuples(any_text, any_text), max_size=4),
        st.binary(),
        any_text | st.none(),
    )
    def check(path: str, query: str, pairs: Pairs, body: bytes, signature: str | None) -> None:
        assert checks(path, query, pairs, body)[check_at](signature) is False

    check()


@pytest.mark.parametrize("path", ["", "voice", ".evil.example/voice", ":80/voice", "*"])
def test_a_path_that_does_not_begin_with_a_slash_is_refused(path: str) -> None:
    verifier = at("https://h")

    assert not verifier.check_form(path, "", P, sign(f"https://h{path}", P))
    assert not verifier.check_upgrade(path, "", sign(f"wss://h{path}"))


def test_surrounding_space_and_a_different_base64_of_the_same_bytes_are_refused() -> None:
    good = sign("https://h/v", P)
    last = good[-2]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = good[:-2] + alphabet[alphabet.index(last) ^ 1] + "="

    assert base64.b64decode(twin) == base64.b64decode(good)
    for bad in (twin, f" {good}", f"{good}\n", good.rstrip("="), good.lower()):
        assert not at("https://h").check_form("/v", "", P, bad)


def random_text(rng: random.Random) -> str:
    return "".join(rng.choices("aZ09+ &=%/?#é\u65e5\U0001f600\n", k=rng.randrange(0, 9)))


@pytest.mark.parametrize("seed", range(500))
def test_the_official_validator_agrees(seed: int) -> None:
    rng = random.Random(seed)
    host = rng.choice(["calls.example.com", "a.b", "127.0.0.1"])
    port = rng.choice(["", "", ":443", ":80", ":8443"])
    public_url = f"{rng.choice(['http', 'https'])}://{host}{port}{rng.choice(['', '/p'])}"
    path = "/" + quote(random_text(rng))
    query = urlencode([(random_text(rng), random_text(rng)) for _ in range(rng.randrange(3))])
    names = [random_text(rng) for _ in range(4)]
    pairs = [(rng.choice(names), random_text(rng)) for _ in range(rng.randrange(8))]
    secret, algorithm, settings = rng.choice(
        [(TOKEN, "HMAC_SHA1", ""), (SHARED[0][1], "HMAC_SHA256", "key=k1,algorithm=HMAC_SHA256")]
    )
    official = RequestValidator(secret)
    verifier = Verifier((TOKEN,), public_url, SHARED)
    url = f"{public_url}{path}" + (f"?{query}" if query else "")
    signature = official.compute_signature(url, Form(pairs), algorithm)

    assert settings or signature == sign(url, pairs), f"{seed=}"
    assert official.validate(url, Form(pairs), signature, algorithm), f"{seed=}"
    assert verifier.check_form(path, query, pairs, signature, settings), f"{seed=}"


def flipped(rng: random.Random, text: str) -> str:
    """Flip one bit of the text's UTF-8; bytes that are no UTF-8 become lone surrogates."""
    raw = bytearray(text.encode())
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    return raw.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("seed", range(4))
def test_of_two_thousand_one_bit_mutations_none_is_accepted(seed: int) -> None:
    rng = random.Random(seed)
    verifier = at("https://calls.example.com/p")
    url = "https://calls.example.com/p/twiml/voice"
    upgrade = "wss://calls.example.com/p/media"
    query = f"foo=1&bodySHA256={hashlib.sha256(BODY).hexdigest()}"
    form = [
        "/twiml/voice",
        "foo=1",
        *(text for pair in P for text in pair),
        sign(f"{url}?foo=1", P),
    ]
    json = ["/twiml/voice", query, BODY.decode(), sign(f"{url}?{query}")]
    socket = ["/media", "foo=1", sign(f"{upgrade}?foo=1")]
    plain = ["/media", sign(upgrade)]
    kinds: list[tuple[list[str], Callable[[list[str]], bool]]] = [
        (form, lambda t: verifier.check_form(t[0], t[1], [*zip(t[2:-1:2], t[3:-1:2], strict=True)], t[-1])),
        (json, lambda t: verifier.check_json(t[0], t[1], t[2].encode("utf-8", "surrogateescape"), t[3])),
        (socket, lambda t: verifier.check_upgrade(t[0], t[1], t[2])),
        (plain, lambda t: verifier.check_upgrade(t[0], "", t[1])),
    ]  # fmt: skip
    for texts, check in kinds:
        assert check(texts)
        for step in range(125):
            place = rng.randrange(len(texts))
            mutated = [*texts]
            mutated[place] = flipped(rng, texts[place])
            assert not check(mutated), f"{seed=} {step=} {mutated=}"
