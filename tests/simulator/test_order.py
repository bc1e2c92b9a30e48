import msgspec
import pytest

from service.simulator.order import Fetch, HangUp, Order


def test_an_order_that_names_no_method_is_a_post() -> None:
    """Call resource, "Update a Call": `Method` is POST by default."""
    assert Fetch("http://x/twiml").method == "POST"


@pytest.mark.parametrize("order", [Fetch("http://x/twiml", "GET"), HangUp("the caller hung up")])
def test_an_order_stands_as_it_was_given(order: Order) -> None:
    name = msgspec.structs.fields(order)[0].name
    with pytest.raises(AttributeError):
        setattr(order, name, "something else")
