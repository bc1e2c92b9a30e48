"""Where a tool's request goes: a URL with `{argument}` places, which no argument can lead elsewhere.

    https://crm.example.com/v2/tickets/{ticket_id}/notes?lang={language}

Places stand only in the path and in the query, never in the scheme, host or port. What is put there is
percent-encoded whole (RFC 3986, section 2), so it can't end a path segment, open a query or climb with
"..". Slashes are refused rather than encoded: many servers decode `%2F` before they route.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import msgspec

from service.tools.terms import ToolArguments

URL_LETTERS_MAX = 8_000  # RFC 9110, section 4.1: what every server ought to take

_PLACE = re.compile(r"\{([^{}]*)\}")
_CLIMBING = ("", ".", "..")
_UNROUTABLE = re.compile(r"[/\\\x00-\x1f\x7f]")


class Address:
    """A URL template. Raises ValueError with one line when it can't be used."""

    def __init__(self, template: str) -> None:
        if re.search(r"[\s\x00-\x1f\x7f\\]", template) or not template.isascii():
            raise ValueError("the url must be plain ASCII without blanks, percent-encoded")
        parts = urlsplit(template)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the url must begin with http:// or https:// and a host")
        if "@" in parts.netloc:
            raise ValueError("the url must not hold a user or password; use headers")
        if "#" in template:
            raise ValueError("the url must not hold a fragment")
        if _PLACE.search(parts.netloc) or not _is_reachable(parts):
            raise ValueError("the url must have a fixed host and port")
        if re.search(r"[{}]", _PLACE.sub("", template)):
            raise ValueError("the url has a { or } that belongs to no {argument}")
        self._root = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path or "/"
        self._query = parts.query
        self.places = frozenset(_PLACE.findall(parts.path + "?" + parts.query))

    def filled(self, arguments: Mapping[str, Any], *, is_queried: bool) -> str:
        """Return the URL for these arguments; `is_queried` puts those without a place into the query.

        Raises ToolArguments when one can't stand where it should.
        """
        segments = [self._segment(one, arguments) for one in self._path.split("/")]
        query = _PLACE.sub(lambda found: quote(_text(arguments, found[1]), safe=""), self._query)
        rest = self.rest(arguments) if is_queried else {}
        pairs = [(name, each) for name in rest for each in _each(rest, name)]
        queries = "&".join(filter(None, (query, urlencode(pairs))))
        url = self._root + "/".join(segments) + (f"?{queries}" if queries else "")
        if len(url) > URL_LETTERS_MAX:
            raise ToolArguments("The arguments are too long for a URL.")
        return url

    def rest(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments that have no place in the URL."""
        return {name: value for name, value in arguments.items() if name not in self.places}

    def _segment(self, segment: str, arguments: Mapping[str, Any]) -> str:
        places = _PLACE.findall(segment)
        for name in places:
            if _UNROUTABLE.search(_text(arguments, name)):
                raise ToolArguments(f"The argument {name} can't hold a slash or a control sign.")
        made = _PLACE.sub(lambda found: quote(_text(arguments, found[1]), safe=""), segment)
        if places and made in _CLIMBING:
            raise ToolArguments(f"The argument {places[0]} must be more than nothing or dots.")
        return made


def _is_reachable(parts: SplitResult) -> bool:
    """Whether host and port can be looked up; found now, it is raised in no call."""
    try:
        (parts.hostname or "").encode("idna")
        port = parts.port
    except ValueError:
        return False
    return port != 0


def _each(arguments: Mapping[str, Any], name: str) -> list[str]:
    """Return a query's values: a list becomes several, anything else is one."""
    value = arguments[name]
    if isinstance(value, list):
        return [_text({name: one}, name) for one in value]
    return [_text(arguments, name)]


def _text(arguments: Mapping[str, Any], name: str) -> str:
    """Return an argument as it stands in a URL: text as it is, all else as JSON writes it."""
    if name not in arguments:
        raise ToolArguments(f"The argument {name} is missing.")
    value = arguments[name]
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
