"""Answers of yes and no: to the read-back, to a doubtful value, to another try. What is wrong is asked again."""

from collections.abc import Callable

from msgspec.structs import replace

from service.agent.intake import errands, readback, reading
from service.agent.intake.draft import Draft
from service.agent.intake.form import SPELLED_MILLI, Question
from service.agent.intake.readback import WHICH_FIELD
from service.call.acts import Act, Ask, Confirm, Fill, Forget, Say


class Judging:
    """What the caller's judgement leads to: `onward` in the form, or `repaired` when it was none."""

    def __init__(
        self, draft: Draft, onward: Callable[[], list[Act]], repaired: Callable[[], list[Act]]
    ) -> None:
        self._draft = draft
        self._onward = onward
        self._repaired = repaired

    def read_back_heard(self) -> list[Act]:
        """Take the answer to the read-back."""
        is_right = readback.agreed(self._draft.turn)
        if is_right:
            return self._confirmed()
        corrections = self._corrected()
        if corrections or is_right is None:
            return corrections or self._repaired()
        wrong = (
            readback.named(self._draft.turn, self._draft.call)
            if self._draft.turn.reason == "speech"
            else None
        )
        if wrong is not None:
            return self._forgotten(wrong)
        return [Ask(readback.wordings(self._draft.call, WHICH_FIELD).first, WHICH_FIELD)]

    def which_heard(self) -> list[Act]:
        """Find the part that is wrong, by its new value or by its name; perhaps it is none after all."""
        corrections = self._corrected()
        if corrections:
            return corrections
        wrong = readback.named(self._draft.turn, self._draft.call)
        if wrong is not None:
            return self._forgotten(wrong)
        is_speech = self._draft.turn.reason == "speech"
        return (
            self._confirmed()
            if is_speech and readback.agreed(self._draft.turn)
            else self._repaired()
        )

    def _corrected(self) -> list[Act]:
        """Take the new values that the caller told as such; nothing when there are none."""
        corrections = reading.corrections(self._draft.call, self._draft.turn)
        return [*self._draft.filled(*corrections), *self._onward()] if corrections else []

    def _confirmed(self) -> list[Act]:
        fields = {
            name: replace(field, confirmed=True) for name, field in self._draft.call.fields.items()
        }
        self._draft.call = replace(self._draft.call, fields=fields)
        return [*map(Confirm, fields), *self._onward()]

    def _forgotten(self, wrong: Question) -> list[Act]:
        kept = {name: one for name, one in self._draft.call.fields.items() if name != wrong.field}
        self._draft.call = replace(self._draft.call, fields=kept)
        return [Forget(wrong.field), Ask(wrong.wordings.first, wrong.field)]

    def lookup_heard(self) -> list[Act]:
        """Take the answer to whether the ticket is to be looked up again."""
        is_wanted = readback.agreed(self._draft.turn)
        if is_wanted is None:
            return self._repaired()
        again = (
            errands.lookup(self._draft.call, self._draft.tools, is_again=True)
            if is_wanted
            else None
        )
        return [Say(errands.LOOKING_LINE), again] if again else self._onward()

    def confirmation_heard(self, asked: Question) -> list[Act]:
        """A doubtful answer was read out alone: is it right? Who says no has said what they said."""
        field = asked.field
        is_right, alike = (
            readback.agreed(self._draft.turn),
            errands.candidate(self._draft.call, field),
        )
        if is_right and alike:
            filled = self._draft.filled(Fill(field, alike, "speech", SPELLED_MILLI))
            return [*filled, Confirm(field), *self._onward()]
        if is_right:
            return [Confirm(field), *self._onward()]
        corrections = self._corrected()
        if corrections or is_right is None:
            return corrections or self._repaired()
        return self._onward() if alike else self._forgotten(asked)
