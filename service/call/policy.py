"""What a deployment decides beforehand: how many drops are too many, and which tools there are."""

import msgspec


class ToolTerms(msgspec.Struct, frozen=True):
    """How a tool may be used. `timeout_ms` is for one attempt; `approval_ms` is 0 for no need."""

    is_idempotent: bool
    attempts_max: int
    timeout_ms: int
    approval_ms: int = 0


class Policy(msgspec.Struct, frozen=True):
    """The rules that decisions follow.

    More than `drops_max` drops within `window_ms` end the attempts. A question that nobody answers
    within `no_input_ms` is the agent's turn again. `summary_tool` names the tool that is told what
    the call was about when a person takes over; empty for none. With `calls_back`, a caller whose line
    dropped too often is rung back. `consent_text` is what callers are asked before anything they say is
    kept; empty for nothing. `has_human`: whoever declines can be put through. `has_sink`: numbers can be
    collected under seal here; `pays`: those of cards the carrier collects itself.
    """

    drops_max: int = 10
    window_ms: int = 60_000
    no_input_ms: int = 8_000
    tools: dict[str, ToolTerms] = {}
    summary_tool: str = ""
    calls_back: bool = False
    consent_text: str = ""
    has_human: bool = False
    has_sink: bool = False
    pays: bool = False
