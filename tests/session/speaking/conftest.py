import pytest

from tests.session.parts import MemorySocket

IS_PATIENT = {"at once": False, "by waiting": True}


@pytest.fixture(params=list(IS_PATIENT))
def manner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every socket of these tests sends at once, as ours do, or by waiting alone, as other servers' do."""
    monkeypatch.setattr(MemorySocket, "is_patient", IS_PATIENT[request.param])
