from typing import Literal

import pytest
from msgspec.structs import replace

from service.call import acts as a, events as e, inputs as i
from service.call.privacy import Collection, Privacy
from service.call.private_inputs import Collected, PassOn, Sealed
from service.call.state import Call
from service.journal.journal import Journal
from service.session.vault import Vault, is_card
from tests.conftest import wait_until
from tests.session.house import House

CARD = "4111111111111111"
OPEN = Collection("c1", "card", 13, 19, is_card=True)


class NotingSink:
    """Takes every number, and says what it is told to say."""

    def __init__(
        self, outcome: Literal["taken", "refused", "failed"] = "taken", reference: str = "tok_1"
    ) -> None:
        self.taken: list[tuple[str, str, str]] = []
        self.outcome = outcome
        self.reference = reference

    async def take(
        self, number: str, *, field: str, call_sid: str, key: str
    ) -> tuple[Literal["taken", "refused", "failed"], str]:
        del call_sid
        self.taken.append((number, field, key))
        return self.outcome, self.reference


def collecting(keys: int = 0, rounds: int = 1, *, is_passed: bool = False) -> Call:
    one = replace(OPEN, keys=keys, rounds=rounds, is_passed=is_passed)
    return Call(privacy=Privacy(collection=one))


def filled(sink: NotingSink | None) -> tuple[Vault, list[i.Input]]:
    told: list[i.Input] = []
    vault = Vault("CA1", sink, told.append)
    for place, digit in enumerate(CARD):
        vault.sealed(collecting(place), i.Key(digit))
    return vault, told


def test_while_nothing_is_collected_keys_and_words_are_nobodys_secret() -> None:
    vault = Vault("CA1", None, print)
    assert vault.sealed(Call(), i.Key("4")) == i.Key("4")
    assert vault.sealed(collecting(), i.SpeechBegan()) == i.SpeechBegan()
    assert vault.sealed(collecting(), i.Utterance("hm")) == i.Utterance("hm")


def test_keys_and_words_are_told_as_so_many_digits() -> None:
    vault = Vault("CA1", None, print)
    assert vault.sealed(collecting(), i.Key("4")) == Sealed(1)
    assert vault.sealed(collecting(1), i.Utterance("one one one")) == Sealed(3, is_spoken=True)
    half = i.Utterance("one one", is_partial=True)
    assert vault.sealed(collecting(4), half) is half
    assert vault.sealed(collecting(4), i.Key("#")) == Sealed(0, mark="end")
    assert vault.sealed(collecting(4), i.Key("*")) == Sealed(0, mark="star")
    assert vault.sealed(collecting(is_passed=True), i.Key("4")) == Sealed(0)
    assert vault.sealed(collecting(rounds=2), i.Utterance("9" * 30)) == Sealed(19, is_spoken=True)


def test_digits_that_another_process_had_are_asked_for_again() -> None:
    vault = Vault("CA1", None, print)
    assert vault.sealed(collecting(5), i.Key("4")) == Sealed(0, mark="drop")


@pytest.mark.asyncio
async def test_a_whole_number_goes_to_the_sink_once_and_is_forgotten() -> None:
    sink = NotingSink()
    vault, told = filled(sink)
    assert vault.sealed(collecting(16), i.Key("#")) == Sealed(0, fits=True, mark="end")
    await vault.pass_on(PassOn("c1", "card", 1))
    await vault.pass_on(PassOn("c1", "card", 1))
    assert sink.taken == [(CARD, "card", "CA1:c1:1")]
    assert told[0] == Collected("c1", 1, "taken", "tok_1")
    assert isinstance(told[1], Collected)
    assert told[1].outcome == "failed"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("outcome", "reference", "expected"),
    [
        ("refused", "", "refused"),
        ("failed", "", "failed"),
        ("taken", CARD, "failed"),
        ("taken", "tok_4111 11xx", "failed"),
        ("taken", "", "failed"),
        ("taken", "x" * 300, "failed"),
        ("taken", "tok\n1", "failed"),
        ("taken", "tok_1111", "taken"),
    ],
)
async def test_what_the_sink_says_is_never_the_number(
    outcome: Literal["taken", "refused", "failed"], reference: str, expected: str
) -> None:
    vault, told = filled(NotingSink(outcome, reference))
    await vault.pass_on(PassOn("c1", "card", 1))
    (done,) = told
    assert isinstance(done, Collected)
    assert done.outcome == expected
    assert CARD not in str(done)


@pytest.mark.asyncio
@pytest.mark.parametrize("after", [Call(), collecting(rounds=2)])
async def test_the_digits_of_a_round_that_is_over_are_gone(after: Call) -> None:
    sink = NotingSink()
    vault, _ = filled(sink)
    vault.follow(collecting(16))
    vault.follow(after)
    await vault.pass_on(PassOn("c1", "card", 1))
    assert not sink.taken
    vault, told = filled(None)
    await vault.pass_on(PassOn("c1", "card", 1))
    assert told == [Collected("c1", 1, "failed", detail="the digits are not here any more")]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (CARD, True),
        ("378282246310005", True),
        ("4111111111111112", False),
        ("42", False),
        ("", False),
    ],
)
def test_a_card_has_a_check_digit(number: str, *, expected: bool) -> None:
    assert is_card(number) is expected


@pytest.mark.asyncio
async def test_a_call_collects_a_number_that_stands_nowhere(journal: Journal) -> None:
    sink = NotingSink()
    house = House(journal, sink=sink)
    house.agent.script.append(
        [a.Collect("Your card number, please.", "card", 13, 19, is_card=True)]
    )
    caller = await house.connect()
    await caller.is_told("Hello and welcome to our support line, dear caller.")
    caller.presses("1#")
    await wait_until(lambda: caller.call.privacy.is_private, description="it is asked for")
    caller.presses(f"{CARD}#")
    await wait_until(lambda: "card" in caller.call.fields, description="it is taken")
    assert [number for number, _, _ in sink.taken] == [CARD]
    assert caller.call.fields["card"].value == "tok_1"
    assert "DigitPressed" in await house.kinds()
    facts = [fact for fact in await house.facts() if isinstance(fact, e.KeysMasked)]
    assert len(facts) == len(CARD)
    await house.close()


@pytest.mark.asyncio
async def test_a_call_whose_caller_has_not_agreed_keeps_no_word_of_theirs(journal: Journal) -> None:
    house = House(journal, consent_text="May I take notes?")
    house.speech.transcripts.extend(
        ["pardon, my name is Braithwaite", "yes, Braithwaite", "a printer"]
    )
    caller = await house.connect()
    for count in (2, 3):
        asked = e.ConsentAsked if count == 2 else e.ConsentGiven
        caller.says()

        async def is_written(kind: type[e.Fact] = asked, least: int = count) -> bool:
            found = [fact for fact in await house.facts() if isinstance(fact, kind)]
            return len(found) >= (least if kind is e.ConsentAsked else 1)

        await wait_until(is_written, description="the answer is taken")
    caller.says()
    await wait_until(
        lambda: any(line.text == "a printer" for line in caller.call.transcript),
        description="what is said after the yes is kept",
    )
    assert "Braithwaite" not in str(await house.facts())
    await house.close()
