import tomllib
from datetime import date

import pytest
from packaging.version import Version

from tests.supply.floors import FLOORS, below, floors, locked, unhashed
from tests.supply.lock import LOCK

TEXT = LOCK.read_text(encoding="utf-8")


def test_what_is_locked_has_no_known_hole_and_a_hash() -> None:
    """S-17: the lock is at every floor or above it."""
    assert below(floors(), locked(TEXT)) == []
    assert unhashed(TEXT) == []
    assert len(locked(TEXT)) > 50


@pytest.mark.parametrize(
    ("package", "version", "advisory"),
    [("starlette", "1.0.0", "PYSEC-2026-161"), ("setuptools", "65.5.0", "PYSEC-2022-43012")],
)
def test_a_package_with_a_known_hole_is_found(package: str, version: str, advisory: str) -> None:
    """S-17: planted versions fail the check, with the advisory's name."""
    pin = next(version for name, version in locked(TEXT) if name == package)
    planted = TEXT.replace(f"\n{package}=={pin}", f"\n{package}=={version}", 1)
    (line,) = below(floors(), locked(planted))
    assert line.startswith(f"{package} {version} is below ")
    assert advisory in line


def test_a_package_that_any_file_could_be_is_found() -> None:
    assert unhashed("starlette==1.10.0\n    # via stayline\n") == [
        "starlette 1.10.0 is locked without a hash"
    ]


def test_the_table_is_dated_and_about_what_is_locked() -> None:
    table = tomllib.loads(FLOORS.read_text(encoding="utf-8"))
    assert isinstance(table["looked"], date)
    names = {name for name, _ in locked(TEXT)}
    for name, (version, why) in table["floor"].items():
        assert name in names
        assert str(Version(version)) == version
        assert why
