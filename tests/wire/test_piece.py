from service.wire.piece import Piece, Raw


def test_what_the_parser_is_to_read_is_no_text_though_its_bytes_are_the_same() -> None:
    raw: Piece = Raw(b"text")
    text: Piece = b"text"
    assert raw == Raw(b"text")
    assert raw != text
