import pytest

from service.commands.doctor import proof
from service.config import load
from service.simulator import signing
from tests.commands.clinic import ACCOUNT, production
from twiml.signature import Verifier


@pytest.mark.usefixtures("alone")
def test_it_is_signed_as_the_carrier_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    production(monkeypatch, PUBLIC_URL="https://calls.example.com/line")
    config = load()
    verifier = Verifier(config.twilio_auth_token, config.public_url)
    form = proof.told(ACCOUNT)
    url = f"{config.public_url}/callbacks/call"
    sign = proof.proof(config, url, form)[signing.HEADER]
    assert verifier.check_form("/callbacks/call", "", list(form.items()), sign)
    forged = proof.forged()[signing.HEADER]
    assert not verifier.check_form("/callbacks/call", "", list(form.items()), forged)
    upgrade = proof.upgrade_proof(config, "wss://calls.example.com/line/media")
    assert verifier.check_upgrade("/media", "", upgrade[signing.SOCKET_HEADER])
