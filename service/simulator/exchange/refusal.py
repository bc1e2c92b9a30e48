"""What the REST API answers when it does not do what it was asked, and how its forms are read."""

from urllib.parse import parse_qsl

from starlette.requests import Request

FORM_BYTES_MAX = 262_144  # Twilio's own is not published; no form of a call update is this long


class Refusal(Exception):
    """An answer of the API that is no success."""

    def __init__(self, status: int, code: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code


async def form_of(request: Request) -> dict[str, str]:
    """Read the request's form. Raises Refusal."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES_MAX:
            raise Refusal(413, 20001, "The request is too long")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError as error:
        raise Refusal(400, 20001, "The form can't be read") from error
