"""The fixtures that users of the plugin have, for calls in text."""

from service.testing.plugin import stayline, stayline_settings

__all__ = ["stayline", "stayline_settings"]
