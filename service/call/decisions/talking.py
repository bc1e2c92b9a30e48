"""A person in the agent's place talks with their own voice, decided. Pure.

A live voice is neither cut nor held by the caller's: both speak at once, as on any telephone. What the
caller's stream was not there for is not played late. It is given up, and stands there as not heard.
"""

from service.call import events as e
from service.call.inputs import Decision
from service.call.person_inputs import PersonBegan, PersonMissed
from service.call.policy import Policy
from service.call.state import Call, Prompt


def began(call: Call, began: PersonBegan, _now_ms: int, _policy: Policy) -> Decision:
    """The first sound of what they say. Words come later, so it is open until then."""
    held = call.taken_over
    if held is None or held.seat != began.seat or not held.is_taken or call.ending:
        return Decision()
    spoke = e.AgentSpoke(
        prompt=began.prompt, clauses=("",), who="human", voice="person", is_open=True
    )
    return Decision((spoke,))


def missed(call: Call, missed: PersonMissed, _now_ms: int, _policy: Policy) -> Decision:
    """What the caller did not hear of it is given up."""
    if all(prompt.prompt != missed.prompt for prompt in call.prompts):
        return Decision()
    return Decision((e.SpeechCut(prompt=missed.prompt, reason="missed"),))


def is_live(prompt: Prompt) -> bool:
    """Whether a person says it at this very moment."""
    return prompt.voice == "person"
