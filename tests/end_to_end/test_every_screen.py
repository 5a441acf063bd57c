"""Every entry of the menu, for each role of staff, on a screen zoomed to 200 %.

Roles are found in the shipped policy and entries in the menu, so that a new one is tested by
itself. What WCAG asks of a screen at work is asked by those who work with it, in the other files.
"""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By

from tests.accessibility import axe, unfolded
from tests.browser import Browser
from tests.machine import PIN
from tests.rights import ANYBODY, ROLES, STAFFED
from tests.simulators.terminal import Terminal
from tests.town import TERMINAL, Town, at_the_terminal, no_violations, town

STAFF = [
    name for name, rule in ROLES.items() if name != ANYBODY and {*STAFFED} & {*rule["terminals"]}
]
OPERATORS = {role: f"OP-01{which:02}" for which, role in enumerate(STAFF)}
COLLEAGUE = "OP-0200"
WIDTH, HEIGHT = 640, 480
"""In pixels of CSS: a window of 1280 × 960 at 200 % (WCAG 1.4.4, 1.4.10)."""
TOO_WIDE = "return document.documentElement.scrollWidth - document.documentElement.clientWidth;"
UNMARKED = """
const found = [];
const some = "a[href], button, input, select, textarea, summary, [tabindex='0']";
for (const each of document.querySelectorAll(some)) {
  if (each.disabled || each.type === "hidden" || !each.checkVisibility()) continue;
  each.focus({focusVisible: true});
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(each);
  const { left, right, top, bottom } = each.getClientRects()[0];
  const middle = (from, to, end) => (Math.max(from, 0) + Math.min(to, end)) / 2;
  const there = document.elementFromPoint(
    middle(left, right, innerWidth), middle(top, bottom, innerHeight));
  const marked = outlineStyle === "solid" && parseFloat(outlineWidth) >= 2
    && outlineColor === "rgb(0, 0, 0)";
  const seen = each.contains(there) || there?.contains(each);
  if (document.activeElement !== each || !marked || !seen) found.push(each.outerHTML.slice(0, 200));
}
return found;
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    people = {COLLEAGUE: ["clerk"]} | {operator: [role] for role, operator in OPERATORS.items()}
    with town(tmp_path_factory.mktemp("town") / "machine", people) as served:
        yield served


@pytest.fixture(scope="module")
def page(served: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with at_the_terminal(served, tmp_path_factory.mktemp("browser"), COLLEAGUE) as page:
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 2, "mobile": False}
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        yield page


@pytest.fixture(scope="module")
def colleague(served: Town) -> Iterator[Terminal]:
    """Somebody of the staff, at the same terminal: whoever is of another company needs it."""
    terminal = served.machine.terminal(TERMINAL)
    terminal.login(COLLEAGUE, PIN)
    yield terminal
    terminal.close()


def entries(page: Browser) -> dict[str, str]:
    """Return path and name of what the menu leads to."""
    links = page.driver.find_elements(By.CSS_SELECTOR, "nav.menu li a")
    return {
        str(link.get_attribute("href")).removeprefix(page.origin): str(
            link.get_attribute("textContent")
        )
        for link in links
    }


def faults(page: Browser) -> list[object]:
    """Return what is wrong with the page, with everything open that can be."""
    status = page.driver.execute_script(
        "return performance.getEntriesByType('navigation')[0].responseStatus;"
    )
    found: list[object] = [] if status == 200 else [f"status {status}"]
    with unfolded(page.driver):
        if wide := page.driver.execute_script(TOO_WIDE):
            found.append(f"{wide} px too wide")
        found += [("no mark of focus", each) for each in page.driver.execute_script(UNMARKED)]
        found += [(each.rule, each.places) for each in axe(page.driver)]
    return found


@pytest.mark.parametrize("role", STAFF)
def test_every_entry_of_the_menu_is_sound(page: Browser, colleague: Terminal, role: str) -> None:
    page.logs_in(OPERATORS[role].replace("OP", "P"), PIN)
    listed = entries(page)
    assert listed
    wrong: dict[str, list[object]] = {"/screens/menu": faults(page)}
    for group in page.driver.find_elements(By.CSS_SELECTOR, "nav.menu summary"):
        group.click()
        if page.driver.execute_script(TOO_WIDE):
            wrong["/screens/menu"].append(f"{group.text} opens beyond the screen")
    for path, name in listed.items():
        page.goes_to(path)
        heading = page.driver.find_element(By.TAG_NAME, "h1").text
        wrong[path] = faults(page) if heading == name else [f"headed {heading!r}, not {name!r}"]
    assert {path: found for path, found in wrong.items() if found} == {}
    no_violations(page)
