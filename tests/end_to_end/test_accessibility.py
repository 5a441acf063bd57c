"""The accessibility check itself: it finds what is wrong, and the policy of our pages stands."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from selenium.webdriver import Chrome

from appliance.screens.look import HEADERS
from tests.accessibility import axe
from tests.appliance.test_plots import EMPTY, PLOTS
from tests.browser import chromium

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
            for name, value in (*HEADERS, ("Content-Type", "text/html; charset=utf-8")):
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
    with served(PAGES) as origin, chromium(folder) as driver:
        yield Visit(driver, origin)


class Visit:
    """Somebody who opens pages and looks what is wrong with them."""

    def __init__(self, driver: Chrome, origin: str) -> None:
        self.driver = driver
        self.origin = origin

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
