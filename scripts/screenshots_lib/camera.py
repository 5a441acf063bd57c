"""A browser that takes pictures of whole pages."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.browser import PATIENCE, Browser

WIDTH = 1280


@dataclass
class Camera:
    """Somebody at a browser, with a camera."""

    browser: Browser
    folder: Path
    taken: list[Path] = field(default_factory=list)

    def shoot(self, name: str) -> None:
        """Take a picture of the whole page as it is now."""
        driver = self.browser.driver
        size = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": size["height"], "scale": 1}
        given = {"captureBeyondViewport": True, "clip": clip}
        taken = driver.execute_cdp_cmd("Page.captureScreenshot", given)
        path = self.folder / f"{name}.png"
        path.write_bytes(base64.b64decode(taken["data"]))
        self.taken.append(path)

    def goes(self, path: str) -> None:
        """Open a page."""
        self.browser.goes_to(path)

    def fills(self, **fields: str) -> None:
        """Fill in fields by name; of a choice, the first that has this text or value in it."""
        for name, text in fields.items():
            found = self.browser.driver.find_element(By.ID, f"f-{name}")
            if found.tag_name == "select":
                chosen = Select(found)
                at = next(
                    index
                    for index, option in enumerate(chosen.options)
                    if text in (option.get_attribute("value"), "first") or text in option.text
                    if option.get_attribute("value")
                )
                chosen.select_by_index(at)
            else:
                self.browser.types(**{f"f-{name}": text})

    def presses(self, text: str) -> None:
        """Press the first button of the page that says this, and wait for the page it leads to."""
        driver = self.browser.driver
        before = driver.find_element(By.TAG_NAME, "html")
        button = next(
            each
            for each in driver.find_elements(By.CSS_SELECTOR, "main button, main a.button")
            if text in each.text and each.is_displayed()
        )
        button.click()
        WebDriverWait(driver, PATIENCE).until(
            lambda it: it.find_element(By.TAG_NAME, "html") != before
        )

    def links(self) -> dict[str, str]:
        """Return path and title of what the menu leads to."""
        self.goes("/screens/menu")
        found = self.browser.driver.find_elements(By.CSS_SELECTOR, "#work ~ * a")
        origin = self.browser.origin
        return {str(each.get_attribute("href")).removeprefix(origin): each.text for each in found}
