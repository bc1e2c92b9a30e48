"""The checker: what must hold between what callers heard, what was acknowledged, and the journals at the end.

    losses(before, after)            acknowledged records that are gone or stand elsewhere
    unkept(phones, journals)         what callers were told and the journal doesn't hold once
    stale(phones)                    words that were not next: audio from before a drop or a barge-in
    …

A caller who heard "Noted 017." was told after the write, so the journal must hold the code, once: among
its records, or in a branch that stands beside them because another owner had the call by then. It
reads what came over the wire and what the API answered, and never the service's own counters.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from service.chaos.callers.crowd import LightPhone
from service.chaos.servers.shop import Shop
from service.testing.talker import BOOKED, NOTED
from service.testing.textspeech import Word

FOUND_MAX = 20  # enough to see what is wrong

Json = dict[str, Any]
Journals = dict[str, list[Json]]


def losses(before: Journals, after: Journals) -> list[str]:
    """Return how the later reading contradicts the earlier one: it must go on from it."""
    found = []
    for call_sid, records in before.items():
        later = after.get(call_sid, [])
        for index, record in enumerate(records):
            if index >= len(later) or later[index] != record:
                now = later[index] if index < len(later) else None
                found.append(f"{call_sid}: was {record}, is {now}")
                break
        positions = [record["position"] for record in later]
        if positions != list(range(1, len(later) + 1)):
            found.append(f"{call_sid}: the positions have gaps")
    return found[:FOUND_MAX]


def unkept(phones: Iterable[LightPhone], journals: Journals) -> list[str]:
    """Return every code that a caller was told to be noted and that the journal doesn't hold once."""
    found = []
    for phone in phones:
        entered = [one["digits"] for one in _of(journals, phone, "digits_entered")]
        aside = [one["digits"] for one in beside(journals, phone.call_sid, "digits_entered")]
        told = list(dict.fromkeys(phone.noted()))
        found += [
            f"{phone.call_sid}: {code} noted, in the journal {times} times"
            for code in told
            if (times := (entered + aside).count(code)) != 1
        ]
        if not aside and [code for code in entered if code in told] != told:
            found.append(f"{phone.call_sid}: told in the order {told}, kept as {entered}")
    return found[:FOUND_MAX]


def second_greetings(phones: Iterable[LightPhone], journals: Journals) -> list[str]:
    """Return the calls that were greeted twice, in the journal or in the caller's ear."""
    return [
        f"{phone.call_sid}: greeted {written} times, heard {phone.greetings} times"
        for phone in phones
        if (written := len(_of(journals, phone, "greeted"))) != 1 or phone.greetings > 1
    ][:FOUND_MAX]


def interleaved(journals: Journals) -> list[str]:
    """Return the calls in whose journal an owner wrote after a newer one did."""
    found = []
    for call_sid, records in journals.items():
        newest = 0
        for record in records:
            epoch = record["epoch"]
            if epoch and epoch < newest:
                found.append(f"{call_sid}: epoch {epoch} after {newest}")
                break
            newest = max(newest, epoch)
    return found[:FOUND_MAX]


def unnoted(acknowledged: Mapping[str, list[str]], journals: Journals) -> list[str]:
    """Return the notes that the API accepted and that the journal doesn't hold once."""
    found = []
    for call_sid, notes in acknowledged.items():
        kept = [one["text"] for one in journals.get(call_sid, []) if one["kind"] == "note_added"]
        found += [
            f"{call_sid}: {note!r} accepted, in the journal {kept.count(note)} times"
            for note in notes
            if kept.count(note) != 1
        ]
    return found[:FOUND_MAX]


def has_branch(journal: Sequence[Json]) -> bool:
    """Say whether something was said by an owner who had lost the call: that stands in no row."""
    return any(one["kind"] in ("branch_orphaned", "context_lost") for one in journal)


def beside(journals: Journals, call_sid: str, kind: str) -> list[Json]:
    """Return the facts of this kind that stand beside a call's journal."""
    kept = [fact for one in journals.get(call_sid, []) for fact in one.get("lost", ())]
    return [fact for fact in map(json.loads, kept) if fact["kind"] == kind]


def said_again(phones: Iterable[LightPhone], journals: Journals) -> list[str]:
    """Return what a caller was told again although the service knew that it was heard."""
    found = []
    for phone in phones:
        if has_branch(journals.get(phone.call_sid, [])):
            continue  # Who took the call could not know what the branch's owner knew.
        for word in (NOTED, BOOKED):
            codes = phone.told(word, known=True)
            found += [f"{phone.call_sid}: {word} {it}" for it in set(codes) if codes.count(it) > 1]
    return found[:FOUND_MAX]


def stale(phones: Iterable[LightPhone]) -> list[str]:
    """Return the words that were heard out of their place: each begins its clause or goes on with it."""
    found = []
    for phone in phones:
        for number, strand in enumerate(phone.span.strands, 1):
            last: Word | None = None
            for _, word in strand.heard(phone.now_ms()):
                if word.index and not _goes_on(last, word):
                    found.append(f"{phone.call_sid}: stream {number}: {word} after {last}")
                last = word
    return found[:FOUND_MAX]


def _goes_on(last: Word | None, word: Word) -> bool:
    return last is not None and (last.clause, last.index + 1) == (word.clause, word.index)


def unbooked(phones: Iterable[LightPhone], shop: Shop) -> list[str]:
    """Return the bookings that callers were told and that were not done once."""
    found = []
    for phone in phones:
        for code in dict.fromkeys(phone.told(BOOKED)):
            times = shop.effects[phone.call_sid, code]
            if times != 1:
                found.append(f"{phone.call_sid}: {code} told as booked, done {times} times")
    return found[:FOUND_MAX]


def violations(phones: Iterable[LightPhone]) -> list[str]:
    """Return what the service sent that the carrier would not take."""
    return [
        f"{phone.call_sid}: {one.code} {one.text}"
        for phone in phones
        for strand in phone.span.strands
        for one in strand.leg.warnings
    ][:FOUND_MAX]


def _of(journals: Journals, phone: LightPhone, kind: str) -> list[Json]:
    return [one for one in journals.get(phone.call_sid, []) if one["kind"] == kind]
