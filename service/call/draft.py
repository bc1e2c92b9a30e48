"""The state of a call while facts are folded into it: it is changed in place, and stands again at the end.

    Call ──> Draft ──fact──> the same Draft ──fact──> … ──> Call

To fold two hundred facts so costs a fraction of two hundred copies of all that is known. Only the collections
that grow with the talk are lists meanwhile; the rest is replaced as in a Call, so that a Draft changes nothing
that the Call it came from still shows.
"""

from msgspec.structs import astuple

from service.call.state import Call, Folded, Line


class Draft(Folded):
    """What is known of a call so far; whoever folds holds it alone."""

    # The transcript, from the first time that it was to be changed.
    growing: list[Line] | None = None

    def lines(self) -> list[Line]:
        """Return the transcript, to be read and changed there and nowhere else."""
        if self.growing is None:
            self.growing = list(self.transcript)
        return self.growing

    def standing(self) -> Call:
        """Return the state as everybody else sees it."""
        if self.growing is not None:
            self.transcript = tuple(self.growing)
        return Call(*astuple(self)[:-1])


def begun(call: Call) -> Draft:
    """Return a draft that goes on from `call`."""
    return Draft(*astuple(call))
