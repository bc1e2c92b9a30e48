from service.journal.seal.tip import Place, Tip


def test_writers_at_once_get_a_place_each() -> None:
    tip = Tip()
    tip.reached(5)
    assert [tip.reserve(2).after, tip.reserve(1).after, tip.reserve(1).after] == [5, 7, 8]
    tip.reached(6)
    assert tip.reserve(1).after == 9


def test_of_all_who_were_refused_by_one_guess_the_first_corrects_it() -> None:
    tip = Tip()
    one, two = tip.reserve(1), tip.reserve(1)
    tip.correct(one, 7)
    assert tip.reserve(1) == Place(7, 1)
    tip.correct(two, 7)
    assert tip.reserve(1) == Place(8, 1)


def test_a_call_that_is_shorter_than_believed_is_believed_shorter() -> None:
    tip = Tip()
    tip.reached(9)
    tip.correct(tip.reserve(1), 3)
    assert tip.reserve(1).after == 3
