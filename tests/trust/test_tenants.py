from pathlib import Path

import pytest

from service.errors import ConfigError
from service.trust.tenants import FILE_BYTES_MAX, Tenant, Tenants, read


def test_a_number_is_its_tenants_and_every_other_the_default_ones() -> None:
    tenants = Tenants({"acme": Tenant(("+15550002", "+15550003")), "best": Tenant(("+15550004",))})
    assert tenants.of_number("+15550003") == "acme"
    assert tenants.of_number("+15550004") == "best"
    assert tenants.of_number("+15550009") == tenants.of_number("") == "default"
    assert tenants.known("acme") == "acme"
    assert tenants.known("../acme") == "default"


@pytest.mark.parametrize("name", ["", "default", "a b", "a/b", "-a", "x" * 65, "ä"])
def test_a_name_that_can_not_be_one_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="can't be a tenant's name"):
        Tenants({name: Tenant(())})


@pytest.mark.parametrize("number", ["", "15550002", "+0155500", "+1 555 0002", "client:anna"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="is not written as"):
        Tenants({"acme": Tenant((number,))})


def test_a_number_of_two_tenants_is_refused() -> None:
    with pytest.raises(ValueError, match="another tenant's"):
        Tenants({"acme": Tenant(("+15550002",)), "best": Tenant(("+15550002",))})


def test_a_tenant_has_as_many_calls_at_once_as_its_entry_says() -> None:
    tenants = Tenants({"acme": Tenant((), calls_max=5), "best": Tenant(())})
    assert [tenants.calls_max(name) for name in ("acme", "best", "default", "no")] == [5, 0, 0, 0]


def test_the_setting_names_a_file(tmp_path: Path) -> None:
    path = tmp_path / "tenants.json"
    path.write_text('{"acme": {"numbers": ["+15550002"], "agent": "chat"}}')
    assert read(str(path)).entries == {"acme": Tenant(("+15550002",), agent="chat")}
    assert read("").entries == {}


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "[]",
        '{"acme": 1}',
        '{"acme": {"numbers": [1]}}',
        '{"acme": {"numbers": [], "calls_max": -1}}',
        '{"acme": {"numbers": [], "direktory": ""}}',
        '{"default": {"numbers": []}}',
        " " * (FILE_BYTES_MAX + 1),
    ],
)
def test_a_file_that_can_not_be_used_is_one_clear_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tenants.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"^TENANTS=") as wrong:
        read(str(path))
    assert "\n" not in str(wrong.value)


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^TENANTS="):
        read(str(tmp_path / "nowhere.json"))
