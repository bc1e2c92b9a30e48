from service.call.earlier import Earlier


def test_an_earlier_call_waits_for_its_caller_to_say() -> None:
    earlier = Earlier("CA0", "number", 5)
    assert (earlier.standing, earlier.is_stale, earlier.fields) == ("open", False, {})
