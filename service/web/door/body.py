"""What the body of a request to the API says: a JSON object of texts, or a clear error."""

from starlette.requests import Request

from service.call.shown.view import Json
from service.errors import Refused
from service.web.door.form import json_within

BODY_BYTES_MAX = 65_536


async def json_of(request: Request) -> Json:
    """Return the JSON object in the body. Raises Refused 400, or 413 over BODY_BYTES_MAX."""
    parsed = await json_within(request, BODY_BYTES_MAX)
    if not isinstance(parsed, dict):
        raise Refused(400, "Bad request", "The body is not a JSON object.")
    return parsed


def text_of(body: Json, name: str, letters_max: int) -> str:
    """Return the text under `name`, 1 to `letters_max` characters. Raises Refused 422."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refused(422, "Unprocessable content", f"{name} is missing or not a text.")
    if len(value) > letters_max:
        raise Refused(422, "Unprocessable content", f"{name} is over {letters_max} characters.")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Refused(422, "Unprocessable content", f"{name} holds half a character.")
    return value
