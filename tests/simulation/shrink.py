"""A shorter way to the same broken rule: what can be left out of a plan is left out, piece by piece."""

from collections.abc import Iterator

from msgspec.structs import replace

from tests.simulation.plan import Plan
from tests.simulation.world import lived


def shrunk(plan: Plan, rule: int) -> Plan:
    """Return a plan that breaks the same rule with as few faults, calls and words as can be."""
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for smaller in _smaller(plan):
            if lived(smaller).rule == rule:
                plan, is_smaller = smaller, True
                break
    return plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Return plans that have a little less in them, the boldest first."""
    faults = plan.faults
    for count in (len(faults) // 2, 1):
        for at in range(0, len(faults), count or 1):
            if count:
                yield replace(plan, faults=faults[:at] + faults[at + count :])
    for at in range(len(plan.calls) - 1, 0, -1):
        if not any(fault.whom == at for fault in faults):
            yield replace(plan, calls=plan.calls[:at])
    for at, call in enumerate(plan.calls):
        for place in range(len(call.says)):
            quieter = replace(call, says=call.says[:place] + call.says[place + 1 :])
            yield replace(plan, calls=(*plan.calls[:at], quieter, *plan.calls[at + 1 :]))
