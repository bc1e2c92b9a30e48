"""The elements of an XML document, read within bounds.

No document type declaration is accepted, so no entity can grow.
"""

from xml.parsers import expat

from service.errors import RemoteProtocolError

DOCUMENT_BYTES_MAX = 65_536  # error 11750: a TwiML response is at most 64 kB
DEPTH_MAX = 16  # no TwiML noun nests deeper than three
ELEMENTS_MAX = 1_000  # a document that needs more is no document for one call


class DocumentError(RemoteProtocolError):
    """The text is no TwiML document: no well-formed XML, or no `<Response>` (error 12100)."""


class Element:
    """One element: its name, its attributes, what stands in it."""

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Element] = []
        self.words: list[str] = []

    def text(self) -> str:
        """Return its own words, with single spaces."""
        return " ".join("".join(self.words).split())

    def words_within(self) -> str:
        """Return its own words, else the first words of what stands in it."""
        return self.text() or next(
            (c.words_within() for c in self.children if c.words_within()), ""
        )


def tree(document: str | bytes) -> Element:
    """Return the root of a document. Raises DocumentError, and nothing else, for what is none."""
    raw = document.encode("utf-8", "surrogatepass") if isinstance(document, str) else document
    if len(raw) > DOCUMENT_BYTES_MAX:
        raise DocumentError(f"the document is longer than {DOCUMENT_BYTES_MAX} bytes")
    top = Element("", {})
    open_elements = [top]
    counted = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal counted
        counted += 1
        if counted > ELEMENTS_MAX or len(open_elements) > DEPTH_MAX:
            raise DocumentError("the document has too many elements or nests too deep")
        element = Element(name, attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def write(text: str) -> None:
        open_elements[-1].words.append(text)

    def refuse(*_: object) -> None:
        raise DocumentError("the document has a document type declaration")

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda _: open_elements.pop()
    parser.CharacterDataHandler = write
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(raw, True)  # noqa: FBT003  the C parser takes no keywords
    except expat.ExpatError as error:
        raise DocumentError(f"the document is no well-formed XML: {error}") from error
    return top.children[0]
