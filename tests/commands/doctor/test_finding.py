from service.commands.doctor.finding import Finding, State, worst


def test_a_finding_is_a_line_and_one_more_with_what_helps() -> None:
    assert Finding("store", State.WELL, "written").line() == "  well  store       written"
    first, second = Finding("clock", State.WRONG, "40 s behind", "set it").line().splitlines()
    assert first == "  wrong clock       40 s behind"
    assert second.strip() == "-> set it"


def test_what_could_not_be_looked_at_is_not_wrong_by_that() -> None:
    well, care, wrong, left = (Finding("x", state, "") for state in State)
    assert worst([well, left]) is State.WELL
    assert worst([well, care, left]) is State.CARE
    assert worst([wrong, care]) is State.WRONG
    assert worst([]) is State.WELL
