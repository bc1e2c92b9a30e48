import json

from tests.supply.bom import bom, own

DOCUMENT = bom(1_800_000_000)


def test_the_bill_names_all_that_an_installation_runs_on() -> None:
    """S-17: every requirement is in it, with what that requires, and nothing that only tests need."""
    names = {part["name"] for part in DOCUMENT["components"]}
    assert {"starlette", "anyio", "cryptography", "cffi", "onnxruntime", "openai", "redis"} <= names
    assert not {"pytest", "ruff", "hypothesis", "playwright"} & names
    assert DOCUMENT["metadata"]["component"]["name"] == own()[0] == "stayline"
    assert DOCUMENT["metadata"]["timestamp"] == "2027-01-15T08:00:00Z"


def test_each_part_has_one_name_a_version_and_a_licence_or_hashes() -> None:
    refs = [part["bom-ref"] for part in DOCUMENT["components"]]
    assert len(refs) == len(set(refs))
    for part in DOCUMENT["components"]:
        assert part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}"
        assert part.get("hashes") or part.get("licenses")
        for one in part.get("hashes", ()):
            assert one["alg"] == "SHA-256"
            assert len(one["content"]) == 64


def test_what_depends_on_what_is_told_of_every_part_and_leads_to_parts() -> None:
    refs = {part["bom-ref"] for part in DOCUMENT["components"]}
    refs.add(DOCUMENT["metadata"]["component"]["bom-ref"])
    told = {one["ref"]: one["dependsOn"] for one in DOCUMENT["dependencies"]}
    assert told.keys() == refs
    assert all(set(of) <= refs for of in told.values())
    starlette = next(ref for ref in refs if "/starlette@" in ref)
    assert any("/anyio@" in of for of in told[starlette])


def test_the_same_environment_makes_the_same_bill() -> None:
    assert json.dumps(bom(1_800_000_000)) == json.dumps(DOCUMENT)
