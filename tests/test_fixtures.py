"""The recorded callers are what their manifest says, and anybody may use them."""

from hashlib import sha256

import pytest

from service.audio import SILENCE
from tests.speech.recordings import FOLDER, Recording, manifest

FREE = {"Public domain (LibriVox)", "Apache-2.0", "CC0-1.0"}
SIZE_MAX = 1_500_000  # what a clone of the repository is asked to carry
BESIDE = {"manifest.json", "render.py"}


@pytest.mark.parametrize("listed", manifest(), ids=lambda listed: listed.file)
def test_a_recording_is_what_the_manifest_says(listed: Recording) -> None:
    assert len(listed.ulaw) == listed.samples
    assert sha256(listed.ulaw).hexdigest() == listed.sha256
    assert listed.file.endswith(".ulaw")
    assert listed.speaker
    assert listed.source
    assert listed.licence in FREE
    assert listed.kind in {"human", "rendered", "noise", "silence"}
    assert bool(listed.says) == (listed.kind in {"human", "rendered"})


def test_no_recording_lies_about_unlisted() -> None:
    on_disk = {path.name for path in FOLDER.iterdir() if path.is_file()}
    assert on_disk - BESIDE == {listed.file for listed in manifest()}
    assert len(manifest()) == len(on_disk - BESIDE)


def test_there_are_callers_enough_for_a_whole_dialogue() -> None:
    kinds = [listed.kind for listed in manifest()]
    assert kinds.count("human") >= 5
    assert kinds.count("rendered") >= 9
    for part in ("name", "company", "ticket", "problem", "yes", "no", "no_wrong", "hesitation"):
        for caller in ("sarah", "david"):
            assert f"caller_{caller}_{part}.ulaw" in {listed.file for listed in manifest()}


def test_the_recordings_stay_small() -> None:
    assert sum(listed.samples for listed in manifest()) < SIZE_MAX


def test_a_caller_speaks_at_once() -> None:
    for listed in manifest():
        if listed.kind == "rendered":
            assert listed.ulaw[:800].strip(SILENCE), listed.file
