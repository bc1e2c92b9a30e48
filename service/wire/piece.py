"""What a connection's bytes are cut into."""

import msgspec


class Raw(msgspec.Struct, frozen=True, gc=False):
    """Bytes for the parser, as they came."""

    octets: bytes


Piece = bytes | Raw  # a text's payload, which nobody decoded yet, or what the parser is to read
