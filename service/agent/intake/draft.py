"""An answer in the making: the call as it will be once the acts so far are written."""

from msgspec.structs import replace

from service.agent.intake.form import DIRECTORY_MILLI, FROM_PARAMETERS
from service.call.acts import Act, Fill
from service.call.state import Call, Field, Turn


class Draft:
    """`call` knows what this answer has filled already; `tools` names those that the deployment has."""

    def __init__(self, call: Call, turn: Turn, tools: frozenset[str]) -> None:
        self.call = call
        self.turn = turn
        self.tools = tools

    def filled(self, *fills: Fill) -> list[Act]:
        """Fill fields; what follows in this answer knows them already."""
        fields = {one.field: Field(one.value, source=one.source) for one in fills}
        self.call = replace(self.call, fields={**self.call.fields, **fields})
        return list(fills)

    def from_directory(self) -> list[Act]:
        """Fill what the directory knows and nobody told yet."""
        return self.filled(
            *(
                Fill(field, self.call.parameters[parameter], "directory", DIRECTORY_MILLI)
                for field, parameter in FROM_PARAMETERS.items()
                if self.call.parameters.get(parameter) and field not in self.call.fields
            )
        )

    def was_told(self, value: str) -> bool:
        """Whether we said it before: who answers otherwise then knows better."""
        return any(value in line.text for line in self.call.transcript if line.who != "caller")

    def decline(self) -> None:
        """The caller begins afresh; what follows in this answer offers the earlier call no more."""
        if self.call.earlier is not None:
            earlier = replace(self.call.earlier, standing="declined")
            self.call = replace(self.call, earlier=earlier)
