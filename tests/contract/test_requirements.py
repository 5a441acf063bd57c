"""The table of requirements is whole, and numbers are read off the tests that carry them."""

import pytest

from scripts.requirement_table import OURS, numbers_of, read_requirements


def test_every_requirement_is_in_the_table_once_and_in_order() -> None:
    requirements = read_requirements()
    assert [each.number for each in requirements] == [f"R{n}" for n in range(1, 207)]
    assert {each.kind for each in requirements} == OURS | {"O", "X"}
    assert all(each.text and each.area in "ABCDEFGHIJKLMNOP" for each in requirements)


NAMED = {
    "R901-転居 elsewhere": {"R901"},
    "R901 and R902": {"R901", "R902"},
    "none: XR901, R9019, r901": set(),
}


@pytest.mark.requirement("R903")
@pytest.mark.parametrize("name", NAMED)
def test_r904_numbers_are_read_from_marks_names_and_ids(
    request: pytest.FixtureRequest, name: str
) -> None:
    item = request.node
    assert isinstance(item, pytest.Item)
    assert numbers_of(item) == {"R903", "R904"} | NAMED[name]
