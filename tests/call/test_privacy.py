from service.call.privacy import Collection, Privacy


def test_what_the_caller_says_is_private_until_they_agree_and_while_a_number_is_collected() -> None:
    number = Collection("c1", "card", 13, 19, is_card=True)
    assert not Privacy().is_private
    assert Privacy(consent="asked").is_private
    assert Privacy(consent="declined").is_private
    assert not Privacy(consent="given").is_private
    assert Privacy(consent="given", collection=number).is_private
