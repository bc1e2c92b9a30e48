from service.call.private_inputs import Collected, PassOn, Sealed


def test_what_comes_under_seal_holds_no_digit() -> None:
    assert Sealed.__struct_fields__ == ("count", "fits", "mark", "played", "is_spoken")
    assert PassOn("c1", "card", 1).round == Collected("c1", 1, "failed").round
