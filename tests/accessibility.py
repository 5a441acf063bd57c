"""What is against WCAG 2.2 AA (JIS X 8341-3) on a page, as far as a machine can tell: axe-core.

The rules are axe-core's own file, out of the package ``axe-playwright-python``; nothing else of it
is used. It is given to the browser by the driver and not by the page, so that the page's
Content-Security-Policy stands, trusted types included.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome

STANDARD = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice")


@dataclass(frozen=True)
class Violation:
    """A rule that is broken, and where."""

    rule: str
    text: str
    places: tuple[str, ...]


def axe(driver: Chrome) -> list[Violation]:
    """Return what is wrong with the page that is shown, as it is now.

    Raises:
        RuntimeError: axe-core could not look.
    """
    _evaluate(driver, _rules())
    options = {"runOnly": {"type": "tag", "values": list(STANDARD)}, "resultTypes": ["violations"]}
    found = _evaluate(driver, f"axe.run(document, {options!r})")
    return [
        Violation(
            rule=each["id"],
            text=each["help"],
            places=tuple(node["html"][:200] for node in each["nodes"]),
        )
        for each in found["violations"]
    ]


@contextmanager
def unfolded(driver: Chrome) -> Iterator[None]:
    """Open everything of a page that can be opened, and leave it as it was."""
    folds = "for (const each of document.querySelectorAll('main details%s')) "
    driver.execute_script(folds % ":not([open])" + "each.open = each.dataset.unfolded = true;")
    yield
    driver.execute_script(
        folds % "[data-unfolded]" + "{ each.open = false; delete each.dataset.unfolded; }"
    )


def _evaluate(driver: Chrome, expression: str) -> Any:
    """Evaluate in the page as a debugger does, which no policy of the page forbids."""
    asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
    answer = driver.execute_cdp_cmd("Runtime.evaluate", asked)
    if problem := answer.get("exceptionDetails"):
        raise RuntimeError(problem.get("exception", {}).get("description") or problem["text"])
    return answer["result"].get("value")


@cache
def _rules() -> str:
    found = distribution("axe-playwright-python").locate_file("axe_playwright_python/axe.min.js")
    # What the file is worth, that is to be returned, would be all of axe.
    return Path(str(found)).read_text("utf-8") + ";undefined"
