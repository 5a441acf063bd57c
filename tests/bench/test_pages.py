"""The browser of the bench: what counts as a page, and how long pages took."""

from collections.abc import Iterator

import pytest

from scripts.bench_lib.measures.screens import Taken
from scripts.bench_lib.pages import MENU, NotThePage, Pages, browsing, carried, entries
from scripts.bench_lib.wire import Papers
from tests.machine import PIN
from tests.town import HANAKO, TERMINAL, Town, town

FIND = "/screens/search/find"
GROUND = {"ground": "prefectural-tax/01", "case": "2026-0001"}
TWO_FORMS = f"""
<form method="post" action="{FIND}/other"><input type="hidden" name="ref" value="other"></form>
<form method="post" action="{FIND}/detail" class=""><input type="hidden" name="ref" value="a&amp;b">
<input type="hidden" name="case" value="1"><input type="text" name="name" value="typed"></form>
<form method="post" action="{FIND}/detail"><input type="hidden" name="ref" value="second"></form>
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("town")) as small:
        yield small


@pytest.fixture
def pages(served: Town) -> Iterator[Pages]:
    papers = Papers(*map(str, served.machine.credentials(TERMINAL)))
    with browsing(served.machine.port, papers) as browser:
        yield browser


def test_a_page_is_fetched_as_whoever_is_logged_in(pages: Pages) -> None:
    pages.logs_in("P-0100", "OP-0100", PIN)
    menu = entries(pages.opens(MENU))
    assert FIND in menu
    assert "/screens/ledger/operations" not in menu
    assert len(menu) == len(set(menu))


def test_a_button_leads_to_the_page_behind_it(pages: Pages) -> None:
    pages.logs_in("P-0100", "OP-0100", PIN)
    found = pages.presses(f"{FIND}/list", {**GROUND, "name": HANAKO, "birth_date": "19900405"})
    assert HANAKO in found
    detail = pages.presses(f"{FIND}/detail", carried(found, f"{FIND}/detail"))
    assert "本人確認情報" in detail


def test_a_form_that_comes_again_is_not_the_page(pages: Pages) -> None:
    pages.logs_in("P-0100", "OP-0100", PIN)
    with pytest.raises(NotThePage, match="what was wrong"):
        pages.presses(f"{FIND}/list", GROUND)


def test_whoever_is_not_let_in_gets_no_page(pages: Pages) -> None:
    with pytest.raises(NotThePage, match="303"):
        pages.opens(MENU)
    with pytest.raises(NotThePage, match="instead of a session"):
        pages.logs_in("P-0100", "OP-0100", "00000000")
    pages.logs_in("P-0100", "OP-0100", PIN)
    with pytest.raises(NotThePage, match="403"):
        pages.opens("/screens/ledger/operations")


def test_what_a_form_carries_is_of_the_first_that_goes_there() -> None:
    assert carried(TWO_FORMS, f"{FIND}/detail") == {"ref": "a&b", "case": "1"}
    with pytest.raises(NotThePage, match="no form"):
        carried(TWO_FORMS, f"{FIND}/nowhere")


def test_rows_tell_how_many_pages_of_each_kind_and_the_bar_is_over_all() -> None:
    quick, slow = [0.01] * 60, [0.2] * 40
    *kinds, every = Taken({"slow": slow, "quick": quick}).rows(2_000, "one role")
    assert [row.name for row in kinds] == ["screens/quick p95@2000", "screens/slow p95@2000"]
    assert [row.met for row in kinds] == [None, None]
    assert kinds[1].ours == pytest.approx(200)
    assert kinds[1].note == "p50 200.0 ms; 40 pages"
    assert (every.name, every.unit, every.met) == ("screens/page p95@2000", "ms", False)
    assert every.note.startswith("p50 10.0 ms; 100 pages of 2 kinds")


def test_pages_under_the_bar_meet_it() -> None:
    *_, every = Taken({"quick": [0.01] * 20}).rows(2_000, "one role")
    assert every.met is True
