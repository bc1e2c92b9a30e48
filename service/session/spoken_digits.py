"""The digits in what somebody said: "four one double one", "forty one eleven", "4111 1111"."""

import re

DIGITS_MAX = 128  # of one utterance; more is no number that anybody is asked for

_WORD = re.compile(r"[a-z]+|\d")
_ONES = {
    name: str(value)
    for value, names in enumerate(
        (
            "zero oh o nought nil",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
        )
    )
    for name in names.split()
}
_TEENS = {
    name: str(10 + place)
    for place, name in enumerate(
        [
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS = {
    name: str(2 + place)
    for place, name in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    )
}
_TIMES = {"double": 2, "triple": 3, "treble": 3}


def digits(text: str) -> str:
    """Return the digits in their order, "" for none."""
    found: list[str] = []
    times, tens = 1, ""
    for word in _WORD.findall(text.lower()):
        if word in _TIMES:
            times = _TIMES[word]
            continue
        one = word if word.isdecimal() else _ONES.get(word, "")
        if tens:
            found.append(tens + (one if one and one != "0" else "0"))
            if one and one != "0":
                tens = ""
                continue
            tens = ""
        if word in _TENS:
            tens = _TENS[word]
        else:
            found.append((one or _TEENS.get(word, "")) * times)
        times = 1
    return "".join([*found, f"{tens}0" if tens else ""])[:DIGITS_MAX]
