"""What a call was about, in words for the person who takes it over."""

from typing import Any

from service.call.state import Call

LINES_MAX = 12  # the end of the talk; what was settled before stands in the fields
LETTERS_MAX = 4_000  # of the whole: a screen


def summary(call: Call) -> dict[str, Any]:
    """Return the arguments of the tool with the role "summary": ticket_id, caller and text.

    Of our own lines only what the caller heard is told.
    """
    fields = call.fields
    known = [
        f"{name.replace('_', ' ')}: {field.value}{'' if field.confirmed else ' (not confirmed)'}"
        for name, field in fields.items()
    ]
    speakers = {"caller": "Caller", "agent": "Agent", "human": "Colleague"}
    said = [
        f"{speakers[line.who]}: {line.heard}" for line in call.transcript[-LINES_MAX:] if line.heard
    ]
    told = fields["ticket_id"].value if "ticket_id" in fields else ""
    return {
        "ticket_id": told or call.parameters.get("ticket_id", ""),
        "caller": call.customer_number,
        "text": "\n".join([*known, *said])[:LETTERS_MAX],
    }
