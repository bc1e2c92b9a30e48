"""What a test lets the caller say, made audio: text, or recorded mu-law for the real engines."""

from pathlib import Path

from service.simulator import recording
from service.speech.synthesizer import synthesizer
from service.testing.hearing import after
from service.testing.textspeech import lasts_ms, spoken


def voiced(what: str | bytes | Path, *, is_real: bool) -> bytes:
    """Return it as mu-law; `is_real` when the real engines listen: then text is spoken by a voice.

    Raises ValueError with one sentence for what can't be said.
    """
    if isinstance(what, str):
        ulaw = synthesizer().render(what) if is_real and what.strip() else spoken(what)
    elif is_real:
        ulaw = recording.read(what) if isinstance(what, Path) else what
    else:
        raise ValueError("recorded audio needs the real engines: stayline.call(..., audio=True)")
    if not ulaw:
        raise ValueError("there is nothing to say")
    return ulaw


def unsaid_ms(what: str | bytes | Path, until: str, *, is_real: bool) -> int:
    """Return how much of it, in milliseconds, comes after the words `until`; 0 when there are none.

    Raises ValueError when it doesn't begin with these words, or when nobody knows where they end.
    """
    if not until:
        return 0
    if is_real or not isinstance(what, str):
        raise ValueError("`until` needs text without audio")
    return lasts_ms(after(what, until))
