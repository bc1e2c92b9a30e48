import pytest

from tests.simulation import shrink as module
from tests.simulation.plan import Plan, planned
from tests.simulation.shrink import shrunk
from tests.simulation.world import Result

BROKEN = 3


def judged(plan: Plan) -> Result:
    """Break a rule by a crash that follows a drop, whatever else there is."""
    kinds = [fault.kind for fault in plan.faults]
    is_broken = "drop" in kinds and "crash" in kinds[kinds.index("drop") :]
    return Result(plan.seed, "", 0, 0, rule=BROKEN if is_broken else 0)


def test_only_what_breaks_the_rule_is_left_of_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "lived", judged)
    broken = [plan for plan in map(planned, range(100)) if judged(plan).rule]
    assert broken
    for plan in broken:
        least = shrunk(plan, BROKEN)
        assert [fault.kind for fault in least.faults] == ["drop", "crash"], f"seed {plan.seed}"
        assert not any(call.says for call in least.calls), f"seed {plan.seed}"
        whom = {fault.whom for fault in least.faults}
        assert all(at in whom for at in range(1, len(least.calls))), f"seed {plan.seed}"
        assert judged(least).rule == BROKEN
