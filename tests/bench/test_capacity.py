"""The page on what a prefecture needs: straight lines through what was measured."""

from typing import Any

import pytest

from scripts.bench_lib.capacity import HEADINGS, Measured, NotEnough, page

SIZES = (200_000, 2_000_000)
AT = {
    "growth/first version": (1_800.0, 1_800.0),
    "growth/later version": (1_000.0, 1_000.0),
    "growth/ledger entry": (500.0, 500.0),
    "growth/provision/inquire p50": (1.0, 1.0),
    "growth/notices": (1_000.0, 1_000.0),
    "growth/memory": (130.0, 148.0),
    "growth/start": (1.0, 1.0),
    "growth/unseal": (0.5, 0.5),
    "growth/check": (20.0, 200.0),
}


def rows(**other: tuple[float, ...]) -> list[dict[str, Any]]:
    told = {**AT, **other}
    return [
        {"name": f"{what}@{size}", "ours": value, "unit": ""}
        for what, values in told.items()
        for size, value in zip(SIZES, values, strict=False)
    ]


def cells(text: str, residents: str) -> dict[str, str]:
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {residents} |"))
    return dict(zip(HEADINGS, map(str.strip, line.strip("|").split("|")), strict=True))


def test_a_prefecture_needs_what_the_formula_says() -> None:
    told = cells(page(rows()), "1,700,000")
    # 1.7 M × (1,800 + 10 × (0.18 × 1,000 + 2 × 500)) bytes
    assert told["disk, first load"] == "3.06 GB"
    assert told["of it history"] == "3.06 GB"
    assert told["of it ledger"] == "17 GB"
    assert told["disk after 10 years"] == "23.1 GB"
    assert told["memory"] == "145 MB"
    assert told["peak inquiries/s"] == "2.46"
    assert told["start and unseal"] == "1.5 s"
    assert told["check"] == "2.8 min"


def test_the_nation_is_the_sum_of_its_appliances() -> None:
    told = cells(page(rows()), "125,000,000")
    assert told["appliances"] == "47"
    assert told["memory"] == "7.27 GB"
    assert told["start and unseal"] == "1.5 s each"


def test_memory_stands_on_what_was_measured_with_all_functions_used() -> None:
    more = [*rows(), {"name": "memory/all functions@2000000", "ours": 240.0, "unit": "MB"}]
    assert Measured.of(more).memory.at(2_000_000) == 240.0


def test_what_falls_by_chance_is_not_extrapolated_below() -> None:
    known = Measured.of(rows(**{"growth/check": (20.0, 10.0)}))
    assert known.check.at(14_000_000) == 10.0


def test_what_was_measured_at_one_size_grows_in_proportion() -> None:
    assert Measured.of(rows(**{"growth/check": (20.0,)})).check.at(2_000_000) == 200.0


def test_what_was_not_measured_is_named() -> None:
    told = [row for row in rows() if "check" not in row["name"]]
    with pytest.raises(NotEnough, match="growth/check"):
        page(told)


def test_the_page_says_its_formulas_and_where_one_machine_ends() -> None:
    text = page(rows())
    assert "Where one machine ends" in text
    assert "1,000 inquiries/s" in text
    assert "Assumed, not measured" in text


def test_a_small_run_says_that_it_is_one() -> None:
    assert "order of magnitude" not in page(rows())
    small = [{**row, "name": row["name"].replace("000000", "0000")} for row in rows()]
    small = [{**row, "name": row["name"].replace("@200000", "@2000")} for row in small]
    assert "order of magnitude" in page(small)
