import inspect
import re

import pytest

from service import errors
from service.errors import CallGone, CarrierBusy, CarrierError, Refused, StaylineError


def drawn() -> dict[str, str]:
    """The tree in the docstring: each error and the one above it."""
    found: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"^([\s│├└─]*)([A-Z]\w+)( {2,}.*)?$", line):
            depth, name = len(match[1]), match[2]
            above = [one for one in above if one[0] < depth]
            found[name] = above[-1][1] if above else "Exception"
            above.append((depth, name))
    return found


def test_the_tree_that_is_drawn_is_the_tree_that_is_there() -> None:
    real = {
        name: kind.__bases__[0].__name__
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if kind.__module__ == errors.__name__
    }
    assert drawn() == real


def test_all_errors_are_of_one_family() -> None:
    assert all(issubclass(getattr(errors, name), StaylineError) for name in drawn())


@pytest.mark.parametrize("kind", [CarrierError, CallGone, CarrierBusy])
def test_a_carriers_error_bears_its_status_and_code(kind: type[CarrierError]) -> None:
    assert (kind("no").status, kind("no").code) == (0, 0)
    error = kind("no", status=404, code=20404)
    assert (str(error), error.status, error.code) == ("no", 404, 20404)


def test_a_refusal_bears_what_its_sender_is_told() -> None:
    refused = Refused(409, "Conflict", "The call has ended.")
    assert (refused.status, refused.title, str(refused)) == (409, "Conflict", refused.detail)
