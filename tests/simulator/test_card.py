from service.simulator.account import Account, Number, Terms
from service.simulator.card import Card


def test_a_card_says_what_every_voice_webhook_carries() -> None:
    card = Card(
        account=Account("AC1", "token"),
        number=Number(server_url="http://127.0.0.1:1"),
        terms=Terms(),
        call_sid="CA1",
    )
    fields = dict(card.fields("+15550001", "+15550002"))
    assert (fields["CallSid"], fields["AccountSid"]) == ("CA1", "AC1")
    assert (fields["From"], fields["Caller"]) == ("+15550001", "+15550001")
    assert (fields["To"], fields["Called"]) == ("+15550002", "+15550002")
