"""The accessibility check itself: it finds what is wrong, and the policy of our pages stands."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from selenium.webdriver import Chrome

from appliance.screens.look import HEADERS, TYPES
from appliance.testing import Bench
from tests.accessibility import axe
from tests.appliance.screens.test_approvals import two_persons
from tests.appliance.test_plots import EMPTY, PLOTS
from tests.browser import chromium
from tests.plugins.people import shipped_policy
from tests.plugins.watching.office import FOR_TAX, Watched
from tests.screens import Visitor

BORN = {"birth_date": "1990-04-05"}
GOOD = """<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>検索</title></head>
<body><main><h1>検索</h1><form><label for="n">氏名</label><input id="n" name="n"></form></main>
</body></html>"""
BAD = """<!doctype html><html><head><meta charset="utf-8"><title>検索</title></head>
<body><main><h1>検索</h1><form><input name="n"></form><img src="data:,">
<font color="#bbbbbb">薄い文字</font></main></body></html>"""
DRAWN = "".join(
    f"<section><h2>{number}</h2>{plot.svg}</section>"
    for number, plot in enumerate([*PLOTS.values(), EMPTY["bars"]])
)
PAGES = {
    "/good": GOOD,
    "/bad": BAD,
    "/plots": GOOD.replace("<form>", f"{DRAWN}<form>"),
    "/styled": GOOD.replace("<form>", '<form style="color: red">'),
}


@contextmanager
def served(pages: dict[str, str]) -> Iterator[str]:
    """Serve pages with the headers of ours; yield where."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path, "").encode()
            self.send_response(200 if page else 404)
            kind = TYPES.get(self.path[self.path.rfind(".") :], "text/html")
            for name, value in (*HEADERS, ("Content-Type", f"{kind}; charset=utf-8")):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Visit"]:
    folder = tmp_path_factory.mktemp("browser")
    pages = dict(PAGES)
    with served(pages) as origin, chromium(folder) as driver:
        yield Visit(driver, origin, pages)


class Visit:
    """Somebody who opens pages and looks what is wrong with them."""

    def __init__(self, driver: Chrome, origin: str, pages: dict[str, str]) -> None:
        self.driver = driver
        self.origin = origin
        self.pages = pages

    def wrong(self, path: str) -> set[str]:
        """Open a page and return the rules that it breaks."""
        self.driver.get(self.origin + path)
        return {violation.rule for violation in axe(self.driver)}

    def refused(self) -> list[str]:
        """Return what the policy of the page has refused since last asked."""
        lines = (line["message"] for line in self.driver.get_log("browser"))
        return [line for line in lines if "Content Security Policy" in line]


def test_a_bad_page_is_found_out(visit: Visit) -> None:
    wrong = visit.wrong("/bad")
    assert {"html-has-lang", "label", "image-alt", "color-contrast"} <= wrong
    (unlabelled,) = [each for each in axe(visit.driver) if each.rule == "label"]
    assert unlabelled.places == ('<input name="n">',)


def test_a_good_page_is_found_good_and_its_policy_is_not_in_the_way(visit: Visit) -> None:
    visit.refused()
    assert visit.wrong("/good") == set()
    assert visit.refused() == []


def test_the_policy_is_in_force_while_the_rules_are_asked(visit: Visit) -> None:
    visit.refused()
    visit.wrong("/styled")
    assert len(visit.refused()) == 1


def test_plots_are_accessible_and_keep_to_the_policy(visit: Visit) -> None:
    visit.refused()
    assert visit.wrong("/plots") == set()
    assert visit.refused() == []
    shown = visit.driver.execute_script("return document.querySelectorAll('svg[role=img]').length")
    assert shown == len(PLOTS) + 1


@pytest.fixture
def audited(tmp_path: Path) -> Iterator[Visitor]:
    """An auditor at a terminal, after a day on which two people of two offices were at work."""
    with Bench.open(tmp_path, policy=shipped_policy(), in_step=True) as bench:
        watched = Watched(bench)
        watched.resident(1, "熊本　花子", "くまもと　はなこ")
        for which, office in ((1, "県税事務所"), (2, "福祉事務所")):
            watched.look(watched.clerk(which, office), f"R8-{which}", name="熊本　花子", **BORN)
        watched.clerk().ask("search/find", {"name": "阿蘇　一郎"}, **FOR_TAX)
        watched.days_later(5)
        watched.night()
        yield Visitor.at(bench, "TERM-0100").logs_in(bench, roles=("auditor",), purposes=())


@pytest.mark.parametrize("width", [1280, 480])
def test_the_plots_of_an_auditor_are_accessible_with_every_table_open(
    visit: Visit, audited: Visitor, width: int
) -> None:
    typed = {"since": "2026-04-01", "until": "2026-04-06", "person": "P-OP-0001"}
    page = audited.presses("/screens/watching/uses/choose", **typed)
    # Not its script: it would lock a session that is long over by the clock of the browser.
    for file in re.findall(r'"(/screens/static/[^"]+[.]css)"', page.markup):
        visit.pages[file] = audited.goes(file).body.decode()
    visit.pages["/audit"] = page.markup
    visit.refused()
    visit.driver.set_window_size(width, 900)
    assert visit.wrong("/audit") == set()
    visit.driver.execute_script(
        "for (const each of document.querySelectorAll('figure details')) each.open = true;"
    )
    assert [(each.rule, each.places) for each in axe(visit.driver)] == []
    assert visit.refused() == []
    shown = visit.driver.execute_script("return document.querySelectorAll('figure svg').length")
    assert shown == 14


@pytest.mark.parametrize("width", [1280, 480])
def test_the_page_that_asks_for_a_second_person_is_accessible_at_every_step(
    visit: Visit, tmp_path: Path, width: int
) -> None:
    visit.driver.set_window_size(width, 900)
    with two_persons(tmp_path) as two:
        before = two.pressed()
        number, asked = two.asks()
        early = two.again(asked, number)
        for file in re.findall(r'"(/screens/static/[^"]+[.]css)"', before.markup):
            visit.pages[file] = two.asker.goes(file).body.decode()
    for page in (before, asked, early):
        visit.pages["/second"] = page.markup
        visit.refused()
        assert visit.wrong("/second") == set()
        visit.driver.execute_script(
            "for (const each of document.querySelectorAll('main details')) each.open = true;"
        )
        assert [(each.rule, each.places) for each in axe(visit.driver)] == []
        assert visit.refused() == []
