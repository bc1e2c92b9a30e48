"""What goes out at once of a clause: messages of audio, up to where the next mark stands.

clause   |--message--|--message--| mark |--message--|--message--| mark |-rest-| mark
         |------ a portion ------|------|------ a portion ------|------|
"""

from service.audio import samples

MESSAGE = samples(200)  # Twilio takes any size; larger messages cost less, smaller ones stop sooner
MESSAGE_MIN = samples(100)  # a rest shorter than this is shared out with the message before it
MARK_EVERY = samples(400)  # how far off "heard" can be when an echo is lost


def portion(left: int, unmarked: int) -> list[int]:
    """Return how long each message is of those that go out next, in samples; none when nothing is left.

    `left` is what the clause still has, `unmarked` how much went out since the last mark: more than
    MARK_EVERY where no mark could be sent.
    """
    sizes: list[int] = []
    while left and (not sizes or unmarked < MARK_EVERY):
        size = _size(left)
        sizes.append(size)
        left, unmarked = left - size, unmarked + size
    return sizes


def _size(left: int) -> int:
    """Return how much of the rest goes into the next message, so that none is short."""
    if left <= MESSAGE:
        return left
    return MESSAGE if left >= MESSAGE + MESSAGE_MIN else left // 2
