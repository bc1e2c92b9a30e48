from tests.supply.lock import Pin, pins

TEXT = f"""
# via nobody
Some_Thing==1.2.3 ; python_version < '3.12' \\
    --hash=sha256:{"a" * 64} \\
    --hash=sha256:{"b" * 64}
    # via
    #   other==9
other==4 \\
    --hash=sha256:{"c" * 64}
"""


def test_each_pin_has_its_own_hashes() -> None:
    assert pins(TEXT) == [
        Pin("some-thing", "1.2.3", ("a" * 64, "b" * 64)),
        Pin("other", "4", ("c" * 64,)),
    ]
