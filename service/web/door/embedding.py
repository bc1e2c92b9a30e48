"""Which pages may call: our own, and those of other origins that the settings name."""

from dataclasses import dataclass

from service.config import Config
from service.web.door.origins import origin_of, own_origins, sockets_of


@dataclass(frozen=True)
class Origins:
    """`own` are the addresses we are reached at ourselves; `further` pages may embed the phone."""

    own: frozenset[str]
    further: frozenset[str] = frozenset()

    @classmethod
    def of(cls, config: Config) -> "Origins":
        """Return those of the settings."""
        own = own_origins(config.public_url, config.port, is_development=config.is_development)
        return cls(frozenset(own), frozenset(map(origin_of, config.phone_origins)))

    def may_call(self, origin: str) -> bool:
        """Whether pages of this origin may call."""
        return origin in self.own or origin in self.further

    def stream_url(self, public_url: str, path: str, *, came_by: str, root: str = "") -> str:
        """Return the WebSocket address of a path. A page of ours gets the address that it came by.

        In development that may be another name of this machine than the one in the settings; `root` is
        the path that we are mounted at there, which PUBLIC_URL has in itself.
        """
        if came_by in self.own and came_by != origin_of(public_url):
            return sockets_of([came_by])[0] + root + path
        return "ws" + public_url.removeprefix("http") + path
