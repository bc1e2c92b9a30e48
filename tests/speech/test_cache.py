import pytest

from service.errors import SpeechError
from service.speech.cache import Said, SpeechCache


def said(text: str, *, voice: str = "heart", seed: int = 1) -> Said:
    return Said("hibari", voice, seed, text)


def test_audio_is_found_by_everything_it_depends_on() -> None:
    cache = SpeechCache()
    cache.put(said("a"), b"audio")
    assert cache.get(said("a")) == b"audio"
    assert cache.get(said("a", voice="joe")) is None
    assert cache.get(said("a", seed=2)) is None
    assert (cache.hits, cache.misses) == (1, 2)


def test_the_least_recently_used_goes_first() -> None:
    cache = SpeechCache(3 * 104)
    for text in "abc":
        cache.put(said(text), bytes(100))
    cache.get(said("a"))
    cache.put(said("d"), bytes(100))
    assert [cache.get(said(text)) is not None for text in "abcd"] == [True, False, True, True]


def test_it_never_holds_more_than_its_limit() -> None:
    cache = SpeechCache(1_000)
    for size in range(0, 900, 7):
        cache.put(said(str(size % 13)), bytes(size))
        assert cache.size_bytes <= 1_000
    assert len(cache) >= 1


def test_the_same_text_is_counted_once() -> None:
    cache = SpeechCache()
    cache.put(said("a"), bytes(100))
    cache.put(said("a"), bytes(50))
    assert (cache.size_bytes, len(cache)) == (54, 1)


def test_what_is_too_large_is_not_kept_and_drives_nothing_out() -> None:
    cache = SpeechCache(200)
    cache.put(said("a"), bytes(100))
    cache.put(said("b"), bytes(500))
    assert cache.get(said("b")) is None
    assert cache.get(said("a")) is not None


def test_a_cache_of_nothing_keeps_nothing() -> None:
    cache = SpeechCache(0)
    cache.put(said("a"), b"x")
    assert len(cache) == 0


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(SpeechError, match="-1 bytes"):
        SpeechCache(-1)
