"""A page's socket that only notes how it was closed."""


class NotingSocket:
    """Notes each close."""

    def __init__(self) -> None:
        self.closed: list[tuple[int, str]] = []

    async def close(self, code: int, reason: str) -> None:
        self.closed.append((code, reason))
