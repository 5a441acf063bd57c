"""The drawing of a bench: well-formed, and every value in words."""

from typing import Any
from xml.etree import ElementTree

import pytest

from scripts.bench_lib.plot import charts, drawn, figure

SVG = "{http://www.w3.org/2000/svg}"


def row(name: str, ours: float | None, unit: str = "ms") -> dict[str, Any]:
    return {"name": name, "ours": ours, "unit": unit}


ROWS = [
    row("growth/search/find p50@2000", 1.25),
    row("growth/search/find p50@20000", 1.5),
    row("growth/load@2000", 12_345.6, "residents/s"),
    row("growth/load@20000", 23_456.7, "residents/s"),
    row("growth/load@200000", 34_567.8, "residents/s"),
    row("only/once@2000", 777.0),
    row("no/size", 888.0),
    row("growth/backup@2000", None),
]


def words(svg: str) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


def test_every_value_stands_beside_its_point() -> None:
    told = words(drawn(ROWS, "a <machine> & its cores"))
    for each in ROWS[:5]:
        assert figure(each["ours"]) in told
    assert {"2,000", "20,000", "200,000", "ms", "residents/s"} <= set(told)


def test_titles_and_axes_are_named_and_nothing_hangs_on_a_colour() -> None:
    svg = drawn(ROWS, "a <machine> & its cores")
    told = words(svg)
    assert "a <machine> & its cores" in told
    assert {"growth/search/find p50", "growth/load"} <= set(told)
    assert told.count("residents (logarithmic)") == 2
    root = ElementTree.fromstring(svg)  # noqa: S314
    assert root.find(f"{SVG}title") is not None
    assert len(list(root.iter(f"{SVG}circle"))) == 5
    assert {each.get("fill") for each in root.iter(f"{SVG}circle")} == {None}


def test_what_was_measured_at_one_size_is_not_drawn() -> None:
    assert [chart.name for chart in charts(ROWS)] == ["growth/search/find p50", "growth/load"]
    with pytest.raises(ValueError, match="two sizes"):
        drawn(ROWS[5:], "title")


def test_points_stand_within_the_drawing_and_in_order() -> None:
    root = ElementTree.fromstring(drawn(ROWS[2:5], "title"))  # noqa: S314
    _, _, width, height = map(float, str(root.get("viewBox")).split())
    points = [
        (float(str(each.get("cx"))), float(str(each.get("cy"))))
        for each in root.iter(f"{SVG}circle")
    ]
    assert points == sorted(points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)
    assert all(0 < x < width and 0 < y < height for x, y in points)
