"""An agent's answer, made into facts.

What it says is written sentence by sentence, as it comes: each is a checkpoint, after which the rest
is generated or asked for again, never what stands there already. All other acts of the turn and
`TurnAnswered` are one write: a turn acts wholly or not at all.
"""

from typing import assert_never
from zlib import crc32

from service.call import acts as a, events as e
from service.call.decisions import carrying
from service.call.decisions.clauses import clauses
from service.call.decisions.operation import OPERATIONS_MAX, requested
from service.call.events import Known, Who
from service.call.inputs import Answered, Decision
from service.call.policy import Policy, ToolTerms
from service.call.privacy import KEYS_LIMIT, Sink
from service.call.state import Call

NO_SUCH_TOOL = "there is no such tool"  # why an operation of an unknown tool has failed
NO_SINK = "there is nowhere to pass it to"
_NO_TERMS = ToolTerms(is_idempotent=False, attempts_max=1, timeout_ms=0)


def spoken(
    call: Call,
    text: str,
    *,
    asks: str = "",
    who: Who = "agent",
    request: str = "",
    turn: int = 0,
    further: int = 0,
) -> e.AgentSpoke:
    """Return the fact of a prompt; `further` counts prompts made in the same write before it."""
    return e.AgentSpoke(
        prompt=f"p{call.prompts_made + 1 + further}",
        clauses=clauses(text),
        asks=asks,
        who=who,
        request=request,
        turn=turn,
    )


def answered(call: Call, answer: Answered, now_ms: int, policy: Policy) -> Decision:
    """Return the facts of an answer, or nothing when its turn is no longer the open one.

    Of an answer that goes on only the words are taken: nothing acts before the turn is whole.
    """
    if call.turn is None or call.turn.number != answer.turn:
        return Decision()
    made = Made(call, answer.turn, now_ms, policy)
    for act in answer.acts:
        if answer.is_last or isinstance(act, a.Say | a.Ask):
            made.add(act)
    closing = (e.TurnAnswered(turn=answer.turn),) if answer.is_last else ()
    return Decision((*made.facts, *closing))


class Made:
    """The facts of one answer as they are made, act by act."""

    def __init__(self, call: Call, turn: int, now_ms: int, policy: Policy) -> None:
        self.facts: list[Known] = []
        self._call = call
        self._turn = turn
        self._now_ms = now_ms
        self._policy = policy
        self._prompts = self._restarts = self._operations = 0
        self._is_collecting = False

    def add(self, act: a.Act) -> None:
        """Make the facts of one more act."""
        match act:
            case a.Say() | a.Ask():
                self._say(act)
            case a.SendDigits():
                self._restarts += 1
                number = "" if self._restarts == 1 else f"-{self._restarts}"
                request = f"turn{self._turn}{number}"
                self.facts.append(e.DigitsRequested(request=request, digits=act.digits))
            case a.UseTool():
                self._use(act)
            case a.Collect():
                self._collect(act)
            case a.GoOn():
                self.facts.extend(carrying.taken(self._call, self._now_ms))
            case a.StartAfresh():
                self.facts.extend(carrying.declined(self._call))
            case _:
                self.facts.append(_fact(act))

    def _say(self, act: a.Say | a.Ask) -> None:
        if not act.text.strip():
            return
        asks = act.field if isinstance(act, a.Ask) else ""
        prompt = spoken(self._call, act.text, asks=asks, turn=self._turn, further=self._prompts)
        if not self._call.is_greeted and not self._prompts:
            self.facts.append(e.Greeted(prompt=prompt.prompt))
        self.facts.append(prompt)
        self._prompts += 1

    def _collect(self, act: a.Collect) -> None:
        """Where there is no sink it has failed at once; the agent hears of it.

        There is one number at a time: a second one is dropped, for its digits would be the first one's.
        """
        if self._is_collecting or self._call.privacy.collection is not None:
            return
        self._is_collecting = True
        name = f"c{self._call.privacy.collections + 1}"
        sink = self._sink(act)
        keys_max = min(max(1, act.keys_max), KEYS_LIMIT)
        self.facts.append(
            e.CollectionBegan(
                collection=name,
                field=act.field,
                keys_min=min(max(1, act.keys_min), keys_max),
                keys_max=keys_max,
                is_card=act.is_card,
                sink=sink or "http",
            )
        )
        if sink:
            self._say(a.Ask(act.text, act.field))
        else:
            failed = e.CollectionEnded(collection=name, outcome="failed", detail=NO_SINK)
            self.facts.append(failed)

    def _sink(self, act: a.Collect) -> Sink | None:
        """Return who is to take the number. Where the carrier takes cards' numbers nobody else does."""
        if act.is_card and self._policy.pays:
            return None if self._call.is_from_page else "pay"
        return "http" if self._policy.has_sink else None

    def _use(self, act: a.UseTool) -> None:
        """A tool that isn't there any more has failed at once; the agent hears of it.

        One too many is dropped in silence: an agent that goes round in circles is not fed.
        """
        if len(self._call.operations) + self._operations >= OPERATIONS_MAX:
            return
        self._operations += 1
        name = f"t{self._turn}.{self._operations}{_apart(self._call)}"
        terms = self._policy.tools.get(act.tool, _NO_TERMS)
        self.facts.append(requested(name, act.tool, act.arguments, self._turn, terms, self._now_ms))
        if act.tool not in self._policy.tools:
            self.facts.append(
                e.OperationEnded(operation=name, status="failed", detail=NO_SUCH_TOOL)
            )


def _apart(call: Call) -> str:
    """Tell operations of a call's later owners apart, who may count the same turns while the store is out of reach.

    They would share a key otherwise, and the later one be taken for done.
    """
    if call.epoch <= 1 or not call.streams:
        return ""
    owner = f"{call.epoch} {call.streams[-1].stream_sid}"
    return f"-{crc32(owner.encode()):08x}"


def _fact(act: a.Fill | a.Confirm | a.Forget | a.Enter | a.Transfer | a.HangUp) -> Known:
    match act:
        case a.Fill():
            return e.FieldFilled(
                name=act.field,
                value=act.value,
                source=act.source,
                confidence_milli=act.confidence_milli,
            )
        case a.Confirm():
            return e.FieldConfirmed(name=act.field)
        case a.Forget():
            return e.FieldCleared(name=act.field)
        case a.Enter():
            return e.StageChanged(stage=act.stage)
        case a.Transfer():
            return e.EndingPlanned(
                ending="transfer", to_number=act.to_number, is_last_resort=act.is_last_resort
            )
        case a.HangUp():
            return e.EndingPlanned(ending="hangup")
        case _:
            assert_never(act)
