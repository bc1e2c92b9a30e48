"""What the intake agent says in many calls; it is spoken in advance (see Agent.phrases)."""

from service.agent.intake import errands, repair, welcome
from service.agent.intake.form import FORM
from service.call.state import Call

SAYINGS: tuple[str, ...] = (
    "Hello, thank you for calling support.",
    *(
        text
        for question in FORM
        for text in (question.wordings.first, question.wordings.again, question.wordings.more)
    ),
    welcome.BACK,
    *(getattr(welcome.offer(Call()), one) for one in ("first", "again", "more")),
    welcome.AFRESH,
    errands.LOOKING_LINE,
    errands.SAVING_LINE,
    errands.STILL_SAVING_LINE,
    errands.NOTED_FAREWELL,
    repair.PERSON_LINE,
    repair.GIVING_UP_LINE,
    repair.UNHEARD_LINE,
    repair.TIME_LINE,
)
