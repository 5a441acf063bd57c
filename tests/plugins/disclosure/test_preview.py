"""What is looked at before it is issued: the paper itself, and shapes that the font lacks."""

from datetime import timedelta
from pathlib import Path

import pytest

from appliance.errors import Rejected
from appliance.testing import Bench
from tests.plugins.disclosure.desk import HANAKO, KNOWN, OTHER, UNSEEN, Desk, read
from tests.plugins.people import admit, change


def of(name: str) -> dict[str, str]:
    return {**HANAKO, "name": name}


def at_the_counter(bench: Bench) -> Desk:
    """Sit down anew: a session ends."""
    return Desk(bench, bench.clerk(roles=("registrar",), purposes=("disclosure",)))


@pytest.mark.requirement("R66")
@pytest.mark.parametrize("exists", [True, False], ids=["confirmation", "absence"])
def test_what_is_issued_is_what_was_looked_at(desk: Desk, tmp_path: Path, exists: bool) -> None:
    if exists:
        admit(desk.bench)
    number = desk.matched()
    seen = desk.ask("preview", number=number)
    made = desk.ask("issue", number=number, sha256=seen["sha256"])
    same = ("form", "pages", "sha256", "number")
    assert [seen[each] for each in same] == [made[each] for each in same]
    assert seen["form"] == ("confirmation" if exists else "absence")
    assert seen["shapes"] == []
    looked_at, issued = read(seen["pdf"], tmp_path), read(made["pdf"], tmp_path)
    assert "見本" in looked_at.replace("\n", "")
    assert "見本" not in issued.replace("\n", "")
    assert set(issued.split()) <= set(looked_at.split())


def test_a_look_keeps_nothing_and_is_in_the_ledger(desk: Desk) -> None:
    who = admit(desk.bench)
    number = desk.matched()
    before = desk.ask("case", number=number)
    seen = desk.ask("preview", number=number)
    entry = desk.bench.ledger()[-1]
    assert entry.note == f"case {number}, confirmation, 1 pages, {seen['sha256']}"
    assert (entry.subjects, len(entry.items)) == ((who,), 8)
    assert desk.ask("case", number=number) == before
    assert desk.ask("sheets")["sheets"] == []
    assert desk.ask("preview", number=number) == seen


@pytest.mark.parametrize("meanwhile", ["nobody looked", "a correction came", "a day went by"])
def test_what_was_not_looked_at_is_not_issued(desk: Desk, meanwhile: str) -> None:
    who = admit(desk.bench)
    number = desk.matched()
    seen = desk.ask("preview", number=number)["sha256"]
    if meanwhile == "nobody looked":
        seen = UNSEEN
    elif meanwhile == "a correction came":
        change(desk.bench, who, my_number=None)
        desk.ask("match", number=number)
    else:
        desk.bench.now += timedelta(days=1)
        desk = at_the_counter(desk.bench)
    assert desk.refused("issue", number=number, sha256=seen) == [("D-38", "sha256")]
    assert desk.ask("sheets")["sheets"] == []
    assert desk.issue(number)["sheet"] == 1


def test_a_shape_the_font_lacks_is_issued_only_by_whoever_has_looked_at_it(
    desk: Desk, tmp_path: Path
) -> None:
    admit(desk.bench, name=OTHER)
    number = desk.matched(of(OTHER))
    seen = desk.ask("preview", number=number)
    assert seen["shapes"] == [{"item": "name", "character": "U+845B U+E0100"}]
    asked = {"number": number, "sha256": seen["sha256"]}
    with pytest.raises(Rejected) as caught:
        desk.ask("issue", **asked)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.item) == ("D-39", "shapes_seen")
    assert problem.text.startswith("氏名に、書体 IPAmj明朝 にない字形の文字(U+845B U+E0100)があり")
    assert "花子" not in problem.text
    assert desk.ask("sheets")["sheets"] == []

    made = desk.ask("issue", **asked, shapes_seen=True)
    assert desk.bench.ledger()[-1].conditions["shapes_seen"] is True
    assert "氏名の一部の文字は、書体の都合により標準の字形で" in read(made["pdf"], tmp_path)
    (line,) = desk.ask("sheets")["sheets"]
    assert line["shapes_seen"] is True
    again = desk.ask("reissue", sheet=1, why="汚損")
    assert again["pdf"] == made["pdf"]
    assert all(line["shapes_seen"] for line in desk.ask("sheets")["sheets"])


def test_a_shape_the_font_has_is_nothing_to_be_looked_at(desk: Desk, tmp_path: Path) -> None:
    admit(desk.bench, name=KNOWN)
    number = desk.matched(of(KNOWN))
    assert desk.ask("preview", number=number)["shapes"] == []
    made = desk.issue(number)
    assert "標準の字形" not in read(made["pdf"], tmp_path)
    assert desk.ask("sheets")["sheets"][0]["shapes_seen"] is False


def test_letters_ask_for_the_same_look(desk: Desk) -> None:
    number = desk.receive(of(OTHER))
    put_off = {"number": number, "until": "2026-05-10", "why": "調査"}
    assert desk.refused("extend", **put_off) == [("D-39", "shapes_seen")]
    assert desk.ask("extend", **put_off, shapes_seen=True)["sheet"] == 1
    desk.ask("match", number=number)
    seen = desk.ask("preview", number=number)["sha256"]
    asked = {"number": number, "sha256": seen}
    assert desk.refused("issue", **asked) == [("D-39", "shapes_seen")]
    sheet = desk.ask("issue", **asked, shapes_seen=True)["sheet"]
    desk.ask("deliver", sheet=sheet, method="counter")
    wish = desk.correction(number)
    desk.ask("investigate", number=wish, finding="error", account="転記の誤り")
    told = {"number": wish, "municipality_code": "432024"}
    assert desk.refused("report", **told) == [("D-39", "shapes_seen")]
    assert desk.ask("report", **told, shapes_seen=True)["by"] == "letter"
    outcome = {"number": wish, "outcome": "not-corrected", "explanation": "変わりません。"}
    assert desk.refused("result", **outcome) == [("D-39", "shapes_seen")]
    assert desk.ask("result", **outcome, shapes_seen=True)["form"] == "result"


def test_a_character_without_any_shape_is_not_issued_by_looking_at_it(desk: Desk) -> None:
    name = "\U0002ebf0田　花子"
    admit(desk.bench, name=name)
    number = desk.matched(of(name))
    assert desk.refused("preview", number=number) == [("F-01", "name")]
    asked = {"number": number, "sha256": UNSEEN, "shapes_seen": True}
    assert desk.refused("issue", **asked) == [("F-01", "name")]
