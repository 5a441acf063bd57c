"""Somebody at a browser who has no mouse, and whose every page is looked at.

``sees`` is asked after every step; it holds the page against WCAG 2.2 AA and its own policy.
"""

from dataclasses import dataclass
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.accessibility import axe, unfolded
from tests.browser import Browser
from tests.town import no_violations

MOST_TABS = 100
FRAMES = "印刷は、下の枠の印刷ボタンで行います。"
"""Of a page that shows a PDF: the viewer is not ours to be held against anything."""


@dataclass(frozen=True)
class Keyboard:
    """The keys of a browser; nothing here clicks, or fills in a field but by typing."""

    page: Browser

    def sees(self, *texts: str) -> None:
        """See a page that says something, and against which, all unfolded, nothing can be said.

        Raises:
            AssertionError: it does not, or there is.
        """
        for text in texts:
            self.page.sees(text)
        if not self.page.driver.find_elements(By.CSS_SELECTOR, "iframe.paper"):
            with unfolded(self.page.driver):
                assert [(each.rule, each.places) for each in axe(self.page.driver)] == []
        no_violations(self.page)

    def reaches(self, name: str, *, back: bool = False) -> None:
        """Go on by Tab, or back, to what has this name, id or text.

        Raises:
            AssertionError: there is no way to it.
        """
        for _ in range(MOST_TABS):
            if back:
                self.page.chord(Keys.SHIFT, Keys.TAB)
            else:
                self.page.keys(Keys.TAB)
            if name in self._focused():
                return
        raise AssertionError(f"no way by Tab to {name!r}; the focus is on {self._focused()}")

    def presses(self, name: str) -> None:
        """Press a button, follow a link or unfold what is folded."""
        self.reaches(name)
        self.page.keys(Keys.ENTER)

    def writes(self, **fields: str) -> None:
        """Fill in fields by name or id, in the order in which they stand."""
        for name, text in fields.items():
            self.reaches(name)
            self.page.keys(text)

    def enters(self, **fields: str) -> None:
        """Fill in fields, and press Enter in the last."""
        self.writes(**fields)
        self.page.keys(Keys.ENTER)

    def ticks(self, *names: str) -> None:
        """Tick boxes, or choose the first of a group."""
        for name in names:
            self.reaches(name)
            self.page.keys(Keys.SPACE)

    def picks(self, name: str, label: str) -> None:
        """Choose in a list by what an entry, or the group it stands in, begins with."""
        self.writes(**{name: label})
        field = Select(self.page.driver.switch_to.active_element)
        if not field.first_selected_option.get_attribute("value"):
            self.page.keys(Keys.ARROW_DOWN)

    def hands_in(self, name: str, file: Path) -> None:
        """Choose a file; the dialog is the system's own, and the driver answers it."""
        self.reaches(name)
        self.page.driver.switch_to.active_element.send_keys(str(file))

    def opens(self, screen: str) -> None:
        """Go to a screen by way of 業務メニュー."""
        self.reaches("業務メニュー", back=True)
        self.page.keys(Keys.ENTER)
        self.sees("今日の確認事項")
        self.presses(screen)

    def opens_row(self, which: int = 1) -> None:
        """Open what stands in a row of the table."""
        self.page.keys(*[Keys.ARROW_DOWN] * which, Keys.ENTER)

    def goes_back(self) -> None:
        """Go back a page; Alt and the left arrow are the browser's own, and the driver does it."""
        self.page.driver.back()

    def states_the_ground(self, case: str) -> None:
        """Say what for: the first 利用事由 of the first 事務, and a line of 使用簿."""
        self.sees("利用の根拠")
        self.picks("ground", "01")
        self.writes(case=case)

    def _focused(self) -> set[str]:
        found: list[str] = self.page.driver.execute_script(
            "const at = document.activeElement; return [at.name, at.id, at.textContent.trim()];"
        )
        return {each for each in found if each}
