from typing import get_args

from service.simulator.twiml import verbs as v


def test_every_verb_is_known_by_its_name() -> None:
    tags = {one.__struct_config__.tag for one in get_args(v.Verb)}
    assert {"Connect", "Redirect", "Pay", "Hangup"} <= tags
    assert len(tags) == len(get_args(v.Verb))
