"""Plots: what they say to whoever sees them, whoever does not, and the browser's policy."""

from datetime import datetime, timedelta
from itertools import pairwise
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model import JST
from appliance.screens.plots import (
    Event,
    Line,
    Plot,
    Span,
    bars,
    box_of,
    columns,
    gantt,
    heat,
    lines,
    ranked,
    shares,
    strip,
    timeline,
)
from appliance.screens.plots.canvas import BLUE, BROWN, GREEN, GREY, INK, RED, WHITE
from appliance.screens.plots.heat import STEPS
from appliance.screens.plots.numbers import ticks, written

SVG = "{http://www.w3.org/2000/svg}"
EIGHT = datetime(2026, 4, 6, 8, 0, tzinfo=JST)
NASTY = "<script>&\"'"


def at(hours: float) -> datetime:
    return EIGHT + timedelta(hours=hours)


def session(lane: str, begins: float, ends: float, marked: str = "") -> Span:
    return Span(lane, at(begins), at(ends), "P-1", marked)


DAYS = ["04-06", "04-07", "04-08"]
PLOTS = {
    "lines": lines("a", "日ごと", DAYS, [Line(NASTY, [1, 9, None], [(0, 3), (0, 3), None])]),
    "heat": heat("b", "時刻", ["8", "9"], [NASTY], [[0, 4]], outlined={0}, outline="業務時間外"),
    "bars": bars("c", "突合", [NASTY], ["一致", "履歴のみ"], [[1200, 34]]),
    "ranked": ranked("d", "順", [("少", 1), (NASTY, 2)]),
    "shares": shares("e", "割合", [(NASTY, 1, 4), ("無", 0, 0)], part="閲覧のみ", whole="閲覧"),
    "columns": columns("f", "認証", DAYS, [NASTY, "失敗"], [[5, 1], [0, 0], [2, 0]]),
    "strip": strip("g", "遅れ", [box_of(NASTY, {0: 5, 1: 3, 9: 2})]),
    "timeline": timeline("h", "流れ", [Event(at(1), NASTY, "検索", "拒否")], at(0), at(10)),
    "gantt": gantt("i", "端末", [session(NASTY, 1, 3), session("T", 2, 4, "同時")], at(0), at(10)),
}
EMPTY = {
    "lines": lines("a", "日ごと", DAYS, [Line("検索", [None, None, None])]),
    "heat": heat("b", "時刻", ["8"], [], []),
    "bars": bars("c", "突合", [], ["一致"], []),
    "ranked": ranked("d", "順", []),
    "shares": shares("e", "割合", [("無", 0, 0)], part="閲覧のみ", whole="閲覧"),
    "columns": columns("f", "認証", [], ["失敗"], []),
    "strip": strip("g", "遅れ", []),
    "timeline": timeline("h", "流れ", [Event(at(11), "検索", "外")], at(0), at(10)),
    "gantt": gantt("i", "端末", [session("T", 11, 12)], at(0), at(10)),
}
every_plot = pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS.keys())


def drawn(plot: Plot) -> Element:
    """Return the drawing, read by somebody else; what a browser would not take is no XML."""
    return fromstring(str(plot.svg))  # noqa: S314


def told(plot: Plot) -> set[str]:
    return {each.text or "" for each in drawn(plot).iter(f"{SVG}title")}


@every_plot
def test_a_plot_has_nothing_that_the_policy_of_the_pages_refuses(plot: Plot) -> None:
    for each in drawn(plot).iter():
        assert each.tag.removeprefix(SVG) not in ("style", "script", "image", "foreignObject", "a")
        assert not [name for name in each.attrib if name == "style" or name.startswith("on")]


@every_plot
def test_a_plot_is_an_image_with_a_title_and_a_description(plot: Plot) -> None:
    svg = drawn(plot)
    texts = {each.get("id"): each.text for each in svg.iter() if each.get("id")}
    title, desc = (svg.get("aria-labelledby") or "").split()
    assert svg.get("role") == "img"
    assert texts[title] == plot.caption
    assert texts[desc]


@every_plot
def test_whatever_stands_in_the_data_is_text_in_drawing_and_table(plot: Plot) -> None:
    assert NASTY in "".join(drawn(plot).itertext())
    cells = [*plot.columns, *(cell for row in plot.rows for cell in row)]
    assert any(NASTY in cell for cell in cells)


@every_plot
def test_ids_begin_with_the_name_so_that_twelve_plots_fit_on_a_page(plot: Plot) -> None:
    svg = drawn(plot)
    prefix = f"{(svg.get('aria-labelledby') or '').partition('-')[0]}-"
    assert all(each.get("id", prefix).startswith(prefix) for each in svg.iter())
    used = {each.get("fill", "") for each in svg.iter()}
    patterns = {each.get("id") for each in svg.iter(f"{SVG}pattern")}
    assert {fill[5:-1] for fill in used if fill.startswith("url(#")} <= patterns


@every_plot
def test_no_text_is_smaller_than_twelve_pixels_at_normal_size(plot: Plot) -> None:
    svg = drawn(plot)
    width = float((svg.get("viewBox") or "").split()[2])
    assert float(svg.get("width", 0)) == width
    sizes = [float(each.get("font-size", 13)) for each in svg.iter(f"{SVG}text")]
    assert min([float(svg.get("font-size", 0)), *sizes]) >= 12


@every_plot
def test_everything_drawn_lies_within_the_drawing(plot: Plot) -> None:
    svg = drawn(plot)
    _, _, width, height = map(float, (svg.get("viewBox") or "").split())
    for rect in svg.findall(f"{SVG}rect"):
        x, y, w, h = (float(rect.get(name, 0)) for name in ("x", "y", "width", "height"))
        assert (x >= 0, y >= 0, x + w <= width + 0.2, y + h <= height + 0.2, h > 0) == (True,) * 5


@every_plot
def test_the_table_has_a_cell_for_every_column(plot: Plot) -> None:
    assert plot.rows
    assert {len(row) for row in plot.rows} == {len(plot.columns)}


@pytest.mark.parametrize("plot", EMPTY.values(), ids=EMPTY.keys())
def test_a_plot_of_nothing_says_so(plot: Plot) -> None:
    assert "記録がありません" in "".join(drawn(plot).itertext())
    assert plot.rows == ()
    assert plot.columns


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("ground", "text"), [*STEPS, *((WHITE, each) for each in (INK, GREY, BLUE, RED, GREEN, BROWN))]
)
def test_text_and_marks_are_readable_on_their_ground(ground: str, text: str) -> None:
    assert contrast(ground, text) >= 4.5


def test_what_is_unusual_is_ringed_named_and_said_in_the_table() -> None:
    plot = PLOTS["lines"]
    rings = drawn(plot).findall(f"{SVG}circle")
    assert len(rings) == 1
    assert f"04-07 {NASTY} 9件 平常の範囲外" in told(plot)
    assert plot.rows[1] == ("04-07", "9", "0から3", "平常の範囲外")
    assert plot.rows[2] == ("04-08", "–", "–", "")


def test_a_line_is_broken_where_there_is_no_value() -> None:
    svg = drawn(lines("a", "線", ["1", "2", "3", "4"], [Line("検索", [1, None, 2, 3])]))
    (path,) = [each for each in svg.findall(f"{SVG}path") if each.get("stroke-width") == "2"]
    assert (path.get("d") or "").count("M") == 2


def test_several_lines_differ_in_their_dashes_and_surfaces_in_their_hatching() -> None:
    svg = drawn(lines("a", "線", DAYS, [Line(name, [1, 2, 3]) for name in "abcde"]))
    dashes = [e.get("stroke-dasharray") for e in svg.findall(f"{SVG}path") if e.get("d")]
    assert len(set(dashes)) == 5
    stacked = drawn(columns("f", "列", ["x"], list("abcde"), [[1, 1, 1, 1, 1]]))
    fills = {
        e.get("fill") for e in stacked.findall(f"{SVG}rect") if e.find(f"{SVG}title") is not None
    }
    assert len(fills) == 5


def test_a_heat_map_has_its_numbers_and_frames_the_closed_hours() -> None:
    plot = PLOTS["heat"]
    assert plot.columns == ("操作者", "8(業務時間外)", "9")
    assert f"{NASTY} 8(業務時間外) 0件" in told(plot)
    frames = [e for e in drawn(plot).findall(f"{SVG}rect") if e.get("fill") == "none"]
    assert len(frames) == 1


def test_stacked_bars_say_each_part_and_what_they_come_to() -> None:
    assert PLOTS["bars"].rows == ((NASTY, "1,200", "34", "1,234"),)
    assert f"{NASTY} 一致 1,200件" in told(PLOTS["bars"])


def test_the_largest_come_first_and_the_table_has_those_that_are_not_drawn() -> None:
    plot = ranked("d", "順", [(f"番号{n}", n) for n in range(1, 31)], most=5)
    assert plot.rows[0] == ("番号30", "30")
    assert len(plot.rows) == 30
    assert "番号26 26件" in told(plot)
    assert "番号25 25件" not in told(plot)


def test_a_share_says_of_how_many() -> None:
    assert PLOTS["shares"].rows == ((NASTY, "1", "4", "25.0%"),)
    assert f"{NASTY} 25.0%(1/4件)" in told(PLOTS["shares"])


def test_overlapping_sessions_are_hatched_and_named() -> None:
    plot = PLOTS["gantt"]
    assert [row[4] for row in plot.rows if row[0] == "T"] == ["同時"]
    hatched = [e for e in drawn(plot).findall(f"{SVG}rect") if "url(#" in (e.get("fill") or "")]
    assert len(hatched) == 1


@given(st.dictionaries(st.integers(0, 400), st.integers(1, 20), min_size=1, max_size=30))
def test_the_five_numbers_of_a_box_are_those_of_the_values_one_by_one(
    counts: dict[int, int],
) -> None:
    values = sorted(value for value, count in counts.items() for _ in range(count))
    box = box_of("x", counts)
    assert (box.least, box.most, box.count) == (values[0], values[-1], len(values))
    for part, found in ((0.25, box.quarter), (0.5, box.median), (0.75, box.three_quarters)):
        assert sum(value <= found for value in values) >= part * len(values)
        assert sum(value < found for value in values) < part * len(values)


def test_a_box_of_nothing_is_none() -> None:
    with pytest.raises(ValueError, match="nothing"):
        box_of("x", {3: 0})


@given(st.floats(0, 1e9))
def test_an_axis_has_a_few_round_marks_and_holds_everything(most: float) -> None:
    marks = ticks(most)
    assert marks[0] == 0
    assert marks[-1] >= most
    assert 2 <= len(marks) <= 7
    step = marks[1]
    assert all(after - before == pytest.approx(step) for before, after in pairwise(marks))
    assert f"{step:.0e}"[0] in "125"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234567, "1,234,567"), (2.5, "2.5"), (3.0, "3"), (None, "–")],
)
def test_numbers_are_written_as_people_write_them(value: float | None, text: str) -> None:
    assert written(value) == text
