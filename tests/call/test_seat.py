from service.call.seat import UNSEEN_MS_MAX, Seat, asked_for, seen

ANA = Seat("Ana", "a", 1_000, 1_000, is_taken=True)


def by_bob(held: Seat | None, *, from_seat: str = "", at_ms: int = 2_000) -> Seat:
    return asked_for(held, by="Bob", seat="b", from_seat=from_seat, at_ms=at_ms)


def test_who_asks_first_has_the_place() -> None:
    bob = Seat("Bob", "b", 2_000, 2_000)
    assert by_bob(None) == bob
    assert by_bob(ANA) is ANA
    assert by_bob(ANA, from_seat="somebody") is ANA
    assert by_bob(ANA, from_seat="a") == bob


def test_whoever_leaves_or_is_gone_makes_room() -> None:
    assert by_bob(Seat("Ana", "a", 1, 1, is_leaving=True)).seat == "b"
    last_ms = ANA.seen_ms + UNSEEN_MS_MAX
    assert ANA.unseen_ms == last_ms
    assert by_bob(ANA, at_ms=last_ms - 1) is ANA
    assert by_bob(ANA, at_ms=last_ms).seat == "b"


def test_asking_again_is_a_sign_of_life_and_takes_leaving_back() -> None:
    again = asked_for(
        Seat("Ana", "a", 1, 1, is_taken=True, is_leaving=True),
        by="Anna",
        seat="a",
        from_seat="",
        at_ms=9,
    )
    assert again == Seat("Ana", "a", 1, 9, is_taken=True)
    assert seen(again, 20).seen_ms == 20
    assert seen(again, 5).seen_ms == 9
