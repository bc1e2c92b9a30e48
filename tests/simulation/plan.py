"""What is going to happen in a run: drawn from the seed beforehand, so that parts of it can be left out.

Plan ── calls: when each rings, what its caller does, how its carrier behaves
     └─ faults: what goes wrong when, to whom, for how long
"""

import random

import msgspec
from msgspec.structs import replace

from service.simulator.account import AfterError, Pace, Terms
from service.simulator.answering import OUTCOMES, Party

PAYING = 20_000_000  # from here on many of those numbers are collected by the carrier itself
PRIVATE = 10_000_000  # from here on callers are asked for consent and key numbers under seal
BUSY = 5_000_000  # the second half of each ten million runs on busy processors
PLAIN = 20_000  # seeds below keep the plans that they were first run with: nobody sits in, no clock jumps
FAULTS_MAX = 14
MORE_MAX = 6
DRUMS_MAX = 3
SERVERS = (1, 2, 2, 2, 3, 3)
CALLS = (1, 1, 1, 2, 2, 3, 5)
GRAINS_MS = (2, 5, 10, 20, 40)
LASTS_MS = (6_000, 10_000, 15_000, 25_000)
WORDS = ("orchid", "granite", "lantern", "meadow", "copper", "harbour", "velvet", "thunder")
SECRET_WORDS = ("juniper", "saffron", "walnut", "quartz", "bramble")  # said before a yes, or never
TELLING = 8  # digits in a row that tell of a number
ANSWERS = (
    ("yes",), ("1",), ("1",), ("yes",), ("juniper saffron", "yes"), ("walnut quartz bramble", "1"), ("", "1"),
    ("no",), ("2",), ("saffron", "bramble", "walnut"), ("",),
)  # fmt: skip
PAYMENTS = ("success",) * 5 + ("payment-connector-error", "rejected", "validation-error", "silent")
DROPS = (
    "close", "close=1001", "close=1012", "eof", "reset", "reset", "half-open", "half-open=2s",
    "late-stop", "double-webhook", "redial", "stall", "duplicate-start",
)  # fmt: skip
WEIGHTS = {
    "drop": 10,
    "say": 6,
    "crash": 3,
    "freeze": 2,
    "drain": 2,
    "slow": 2,
    "away": 2,
    "refuse": 1,
    "lose": 2,
    "fail_over": 2,
    "busy": 1,
    "lost_rest": 1,
    "twice": 2,
    "stranger": 1,
    "rubbish": 1,
    "api": 3,
    "press": 2,
}

MORE_WEIGHTS = {"sit": 5, "clock": 3, "transfer": 1, "ring_back": 2, "thief": 2, "note": 1}

BUSY_WEIGHTS = {"drum": 1}

OF_SERVERS = frozenset({"crash", "drain", "freeze", "clock"})
WAYS = {
    "drop": DROPS,
    "say": WORDS,
    "press": ("1", "42#", "7*"),
    "drum": ("#", "1#", "12*#"),
    "api": ("say", "note", "digits", "say", "note", "hangup"),
    "slow": ("15", "60", "400"),
    "sit": ("ana", "ben", "ben"),
    "clock": ("-20000", "-3000", "700", "20000"),
    "thief": ("other call", "other stream"),
}
LASTING_MS = {
    "crash": (100, 1_500, 4_000),
    "drain": (100,),
    "freeze": (100, 2_500, 8_000),
    "slow": (600, 2_000, 6_000),
    "away": (300, 1_500, 6_000),
    "refuse": (300, 1_500, 6_000),
    "lose": (300, 1_500, 6_000),
    "sit": (300, 3_000, 9_000),
    "drum": (1_000, 3_000),
}


class Fault(msgspec.Struct, frozen=True):
    """Something that happens: what, when, to the how-manieth call or server, how long, in which way."""

    at_ms: int
    kind: str
    whom: int = 0
    lasts_ms: int = 0
    way: str = ""


class CallPlan(msgspec.Struct, frozen=True):
    """One caller: when the phone rings, what is said when, when the caller hangs up (0: never).

    `answers`, the last again and again, are given when the caller is asked for consent; `card` is their number.
    """

    at_ms: int
    says: tuple[tuple[int, str], ...]
    hangs_up_ms: int
    terms: Terms
    is_doubled: bool
    answers: tuple[str, ...] = ("yes",)
    card: str = ""


class Plan(msgspec.Struct, frozen=True):
    """One run. `grain_ms`: a processor looks so seldom at what has become due, 0: at once."""

    seed: int
    servers: int
    skews_ms: tuple[int, ...]
    calls: tuple[CallPlan, ...]
    faults: tuple[Fault, ...]
    lasts_ms: int
    asks_consent: bool = False
    collects: bool = False
    pays: bool = False
    grain_ms: int = 0

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be found nowhere."""
        if self.seed < PRIVATE:
            return ()
        cards = (one.card for one in self.calls)
        return (
            *SECRET_WORDS,
            *(end for card in cards for end in (card[:TELLING], card[-TELLING:])),
        )


def planned(seed: int) -> Plan:
    """Return the plan of a seed."""
    chance = random.Random(f"plan {seed}")
    lasts_ms = chance.choice(LASTS_MS)
    servers = chance.choice(SERVERS)
    calls = tuple(_call(chance, lasts_ms) for _ in range(chance.choice(CALLS)))
    count = chance.randint(1, FAULTS_MAX)
    skews_ms = tuple(chance.choice((0, 0, -4_000, 900, 30_000, -30_000)) for _ in range(servers))

    def drawn(weights: dict[str, int], count: int) -> tuple[Fault, ...]:
        return tuple(_fault(chance, weights, lasts_ms, len(calls), servers) for _ in range(count))

    faults = drawn(WEIGHTS, count)
    if seed >= PLAIN:
        calls = tuple(_dialling(chance, call) for call in calls)
        faults += drawn(MORE_WEIGHTS, chance.randint(1, MORE_MAX))
    grain_ms = 0
    if seed % PRIVATE >= BUSY:
        grain_ms = chance.choice(GRAINS_MS)
        faults += drawn(BUSY_WEIGHTS, chance.randint(1, DRUMS_MAX))
    in_order = tuple(sorted(faults, key=lambda one: one.at_ms))
    plan = Plan(seed, servers, skews_ms, calls, in_order, lasts_ms, grain_ms=grain_ms)
    return _with_secrets(chance, plan) if seed >= PRIVATE else plan


def _with_secrets(chance: random.Random, plan: Plan) -> Plan:
    calls = tuple(
        replace(one, answers=chance.choice(ANSWERS), card=_card(chance)) for one in plan.calls
    )
    asks, collects = chance.choice(((True, False), (False, True), (True, True)))
    plan = replace(plan, calls=calls, asks_consent=asks, collects=collects)
    return _at_the_till(chance, plan) if plan.seed >= PAYING else plan


def _at_the_till(chance: random.Random, plan: Plan) -> Plan:
    """Say how the carrier's own collecting comes out, and how long its questions are."""
    calls = tuple(
        replace(
            one,
            terms=replace(
                one.terms,
                pay=chance.choice(PAYMENTS),
                pace=replace(one.terms.pace, prompt_ms=chance.choice((50, 900)), connector_ms=200),
            ),
        )
        for one in plan.calls
    )
    return replace(plan, calls=calls, collects=True, pays=chance.random() < 0.9)


def _card(chance: random.Random) -> str:
    """Return a number of 16 digits with a right check digit."""
    row = "4" + "".join(str(chance.randrange(10)) for _ in range(14))
    doubled = (int(digit) * 2 for digit in row[::-2])
    total = sum(value - 9 * (value > 9) for value in doubled) + sum(map(int, row[-2::-2]))
    return f"{row}{-total % 10}"


def _call(chance: random.Random, lasts_ms: int) -> CallPlan:
    begin_ms = chance.choice((0, 0, 50, 2_000))
    at_ms, says = begin_ms + chance.randint(500, 4_000), []
    while at_ms < lasts_ms:
        count = chance.randint(1, 12)
        says.append((at_ms, " ".join(chance.choices(WORDS, k=count))))
        at_ms += chance.randint(800, 7_000)
    terms = Terms(
        clear_echoes=chance.random() < 0.7,
        action_on_cut=chance.random() < 0.3,
        after_error=chance.choice((AfterError.ACTION, AfterError.ACTION, AfterError.VERB)),
        pace=Pace(turn_ms=chance.choice((50, 300, 700)), notice_ms=chance.choice((200, 1_000))),
    )
    hangs_up_ms = lasts_ms - 1_000 if chance.random() < 0.2 else 0
    return CallPlan(begin_ms, tuple(says), hangs_up_ms, terms, chance.random() < 0.1)


def _dialling(chance: random.Random, call: CallPlan) -> CallPlan:
    """Say who answers when the service dials somebody for the call, and what is said after the beep."""
    terms = replace(
        call.terms,
        party=Party(chance.choice(OUTCOMES)),
        message_ms=chance.choice((0, 3_000)),
        pace=replace(call.terms.pace, say_ms_max=1_000),
    )
    return replace(call, terms=terms)


def _fault(
    chance: random.Random, weights: dict[str, int], lasts_ms: int, calls: int, servers: int
) -> Fault:
    kind = chance.choices(tuple(weights), tuple(weights.values()))[0]
    at_ms = chance.randint(300, lasts_ms)
    whom = chance.randrange(servers if kind in OF_SERVERS else calls)
    spans_ms, ways = LASTING_MS.get(kind), WAYS.get(kind, ("",))
    span_ms = chance.choice(spans_ms) if spans_ms else chance.randint(1, 4)
    return Fault(at_ms, kind, whom, span_ms, chance.choice(ways))
