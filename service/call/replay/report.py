"""What a replay found: how much was compared, how much could not be, and where it parts. Pure."""

from typing import Any, Literal

import msgspec

from service.call.events import Known

DIVERGENCES_MAX = 20  # listed; a call that parts so often is told by its first ones


class Divergence(msgspec.Struct, frozen=True):
    """One place where the present code decides otherwise. All but the position are one line each."""

    position: int
    happened: str
    recorded: str
    decided: str


class Tally(msgspec.Struct):
    """Every record is counted in exactly one place.

    `followed`: it follows from the state, the rules and the time, and does so still. `given`: its
    words came from outside, and the present code makes the same fact of them. `supposed`: it fits an
    input that nothing recorded speaks for. `outside`: somebody else's, or the opening. `newer`: of a
    version that this code can't read. `blind`: it is otherwise, but was decided on a state that can't be
    rebuilt: beside or behind a newer version's facts, or before facts that stand before it now. `unread`: nobody can say what it was decided on, by kind. `parted`: the present code decides
    otherwise.
    """

    followed: int = 0
    given: int = 0
    supposed: int = 0
    outside: int = 0
    newer: int = 0
    blind: int = 0
    parted: int = 0
    unread: dict[str, int] = msgspec.field(default_factory=dict)
    divergences: list[Divergence] = msgspec.field(default_factory=list)

    def untold(self, fact: Known) -> None:
        """Count a record of which nobody can say what it was decided on."""
        kind = str(type(fact).__struct_config__.tag)
        self.unread[kind] = self.unread.get(kind, 0) + 1

    def diverge(self, divergence: Divergence, records: int) -> None:
        """Count a divergence, which so many records belong to."""
        self.parted += records
        if len(self.divergences) < DIVERGENCES_MAX:
            self.divergences.append(divergence)


class Report(msgspec.Struct, frozen=True):
    """The whole finding. `policy` says whose rules decided; `is_state_same` is None without a sum."""

    call_sid: str
    records: int
    tally: Tally
    policy: Literal["given", "recorded", "supposed"]
    state: str
    is_state_same: bool | None

    @property
    def is_same(self) -> bool:
        """Whether nothing that could be compared is otherwise now."""
        return not self.tally.parted and self.is_state_same is not False

    @property
    def compared(self) -> int:
        """How many records were decided again from a known input, and are the same."""
        return self.tally.followed + self.tally.given

    def as_json(self) -> dict[str, Any]:
        """Return plain values for a program."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return {**plain, "is_same": self.is_same, "compared": self.compared}
