"""Everybody has a class of age, whatever is known of the birth date."""

import pytest

from plugins.statistics.ages import UNKNOWN, age_class
from tests.plugins.statistics.today import TODAY

pytestmark = pytest.mark.requirement("R171")


@pytest.mark.parametrize(
    ("birth", "known_as"),
    [
        ("2026-04", "000-004"),
        ("2021-05", "000-004"),
        ("2021-04", "005-009"),
        ("1976-05", "045-049"),
        ("1976-04", "050-054"),
        ("1926-04", "100-"),
        ("1900-01", "100-"),
        ("1975-00", "050-054"),
        ("2026-12", "000-004"),
        ("0000-00", UNKNOWN),
    ],
)
def test_an_age_has_a_class_also_where_parts_of_the_birth_date_are_unknown(
    birth: str, known_as: str
) -> None:
    assert age_class(birth, TODAY) == known_as
