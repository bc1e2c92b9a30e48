import pytest

from service.simulator.twiml.markup import DocumentError, tree


def test_the_elements_come_with_their_attributes_and_words() -> None:
    root = tree('<a b="c">one <d> two\n words </d>more</a>')
    assert (root.name, root.attributes) == ("a", {"b": "c"})
    assert root.text() == root.words_within() == "one more"
    assert [child.text() for child in root.children] == ["two words"]


def test_the_first_words_within_are_those_of_the_first_that_has_any() -> None:
    assert tree("<a><b/><c><d>one</d></c><e>two</e></a>").words_within() == "one"
    assert tree("<a><b/></a>").words_within() == ""


def test_bytes_are_read_as_utf_8() -> None:
    assert tree("<a>Zoë</a>".encode()).text() == "Zoë"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no well-formed XML"),
        ("<Response>", "no well-formed XML"),
        ("<Response/><Response/>", "no well-formed XML"),
        ('<!DOCTYPE r [<!ENTITY a "b">]><Response/>', "document type"),
        ("<Response>" + "<a>" * 40 + "</a>" * 40 + "</Response>", "nests too deep"),
        ("<Response>" + "<Pause/>" * 1_001 + "</Response>", "too many"),
        ("<Response>" + " " * 65_536 + "</Response>", "longer than"),
        ("<Response>\ud800</Response>", "no well-formed XML"),
    ],
)
def test_what_is_no_document_is_one_clear_error(text: str, complaint: str) -> None:
    with pytest.raises(DocumentError, match=complaint):
        tree(text)
