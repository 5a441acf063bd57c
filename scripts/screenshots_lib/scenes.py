"""States of screens, and how one gets there; what stands in the menu is pictured besides."""

from collections.abc import Callable
from dataclasses import dataclass

from scripts.demo.cast import Cast
from scripts.demo.people import CLERK, REGISTRAR, Person
from scripts.screenshots_lib.camera import Camera

FIND, CASES = "/screens/search/find", "/screens/disclosure/cases"
NOBODY = "存在　せぬ男"


@dataclass(frozen=True)
class Scene:
    """One picture: its name, who sits there, and what he does before it is taken."""

    name: str
    person: Person
    plays: Callable[[Camera, Cast], None]


def _searching(camera: Camera, **fields: str) -> None:
    camera.goes(FIND)
    camera.fills(ground="first", case="2026-0001", **fields)
    camera.presses("検索")


def _found(camera: Camera, cast: Cast) -> None:
    _searching(camera, name=cast.minoru[0].name)


def _nobody(camera: Camera, cast: Cast) -> None:
    _searching(camera, name=NOBODY)


def _too_many(camera: Camera, cast: Cast) -> None:
    _searching(camera, address=cast.home[0].address)


def _wrong(camera: Camera, cast: Cast) -> None:
    camera.goes(FIND)
    camera.fills(ground="first", case="2026-0001", name=NOBODY, birth_date="昭和70年13月40日")
    camera.presses("検索")


def _opened(camera: Camera, cast: Cast) -> None:
    _searching(camera, name=cast.sawako.name)
    camera.presses("詳細")


def _denied(camera: Camera, cast: Cast) -> None:
    camera.goes("/screens/watching/uses")


def _case(camera: Camera, cast: Cast) -> None:
    camera.goes(CASES)
    camera.presses("開く")


def _locked(camera: Camera, cast: Cast) -> None:
    _found(camera, cast)
    camera.browser.driver.execute_script("document.body.dataset.idle = '1'")
    camera.browser.sees("ロック中")


SCENES = (
    Scene("search-found", CLERK, _found),
    Scene("search-nobody", CLERK, _nobody),
    Scene("search-too-many", CLERK, _too_many),
    Scene("search-wrong", CLERK, _wrong),
    Scene("detail", REGISTRAR, _opened),
    Scene("denied", CLERK, _denied),
    Scene("disclosure-case", REGISTRAR, _case),
    Scene("locked", CLERK, _locked),
)
