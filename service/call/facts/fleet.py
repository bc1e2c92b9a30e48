"""The facts of servers that come and go under a call."""

from service.call.facts.fact import Cause, Fact


class MovePlanned(Fact, frozen=True):
    """This server is going down and has the carrier lead the call to another one.

    The stream ends on purpose then, and the next one attaches with this cause.
    """

    cause: Cause = "deploy"
