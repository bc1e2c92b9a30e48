"""What the carrier has to know of us: the addresses of a phone number's webhooks."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from service.config import Config


@dataclass(frozen=True)
class Webhooks:
    """A phone number's three addresses at one server, all asked by POST."""

    public_url: str  # without a slash at its end

    @classmethod
    def of(cls, config: Config) -> "Webhooks":
        """Return those of a server with these settings."""
        return cls(config.public_url.rstrip("/"))

    @property
    def voice(self) -> str:
        """What is asked when a call comes in."""
        return f"{self.public_url}/twiml/voice"

    @property
    def fallback(self) -> str:
        """What is asked when that failed."""
        return f"{self.public_url}/twiml/fallback"

    @property
    def status(self) -> str:
        """What is told when a call is over."""
        return f"{self.public_url}/callbacks/call"

    @property
    def media(self) -> str:
        """Where media streams come in."""
        return self.public_url.replace("http", "ws", 1) + "/media"

    def update_line(self, number: str) -> str:
        """Return the line of Twilio's own command that points a number here."""
        return (
            f"twilio phone-numbers:update {number} --voice-url {self.voice}"
            f" --voice-fallback-url {self.fallback} --status-callback {self.status}"
        )

    def are_here(self, url: str) -> bool:
        """Whether an address lies at this server, be it the right one or not."""
        ours, theirs = urlsplit(self.public_url), urlsplit(url)
        return ours.netloc.lower() == theirs.netloc.lower() and theirs.path.startswith(ours.path)
