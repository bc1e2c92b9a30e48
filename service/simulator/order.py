"""What a call can be told while something else is done in it: by the REST API, or by somebody who hangs up."""

import msgspec

from service.simulator.twiml.document import Document


class Perform(msgspec.Struct, frozen=True):
    """Run this document."""

    document: Document


class Fetch(msgspec.Struct, frozen=True):
    """Ask this URL for a document and run it; with POST, as Twilio does where no method is named."""

    url: str
    method: str = "POST"


class HangUp(msgspec.Struct, frozen=True):
    """End the call. `by` is told in the timeline."""

    by: str


Order = Perform | Fetch | HangUp
