"""The command line of ``scripts/screenshots``."""

import shutil
import tempfile
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from selenium.common.exceptions import WebDriverException

from scripts.demo import watching
from scripts.demo.cast import Cast
from scripts.demo.children import Children, Juki
from scripts.demo.grounds import lay_out
from scripts.demo.people import (
    ADMINISTRATOR,
    APPROVER,
    AUDITOR,
    CLERK,
    MEDIA,
    OFFICER,
    REGISTRAR,
    STATISTICIAN,
    TAX,
    Person,
)
from scripts.demo.stage import Refusals, Stage
from scripts.demo.steps import Steps
from scripts.demo.story import everything_else, first_acts
from scripts.screenshots_lib.camera import WIDTH, Camera
from scripts.screenshots_lib.scenes import SCENES
from tests.browser import browser

PEOPLE = (
    CLERK,
    REGISTRAR,
    MEDIA,
    APPROVER,
    TAX,
    AUDITOR,
    ADMINISTRATOR,
    OFFICER,
    STATISTICIAN,
)
"""Each screen is pictured for the first of them who has it."""
RIGHT, WRONG = 0, 1
HEIGHT = 900
EXAMPLES = """
examples:
  scripts/screenshots --to pictures                every screen, some minutes
  scripts/screenshots --to pictures --only detail,disclosure

A picture is named after the path of its screen, or after its state. People are made up.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a town, sit people down, take the pictures; return the exit status."""
    options = _parser().parse_args(arguments)
    options.to.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False)
    folder = Path(tempfile.mkdtemp(prefix="juki-pictures-"))
    missed: list[str] = []
    try:
        with _town(folder, options.residents, options.seed, console) as (stage, cast):
            done: set[str] = set()
            for person in PEOPLE:
                with _seated(stage, person, options.to) as camera:
                    missed += _pictured(camera, person, cast, done, options.only)
                    for path in camera.taken:
                        console.print(path, markup=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for each in missed:
        console.print(f"not taken: {each}", markup=False)
    return WRONG if missed else RIGHT


@contextmanager
def _town(
    folder: Path, residents: int, seed: int, console: Console
) -> Iterator[tuple[Stage, Cast]]:
    """Play the demonstration, so that there is something on every screen."""
    grounds = lay_out(folder / "town", datetime.now(UTC), 0)
    steps = Steps(Console(quiet=True))
    with Children() as children, console.status("making a town"):
        juki = Juki(grounds.config, grounds.terminal / "juki.log")
        refusals = Refusals(grounds.terminal / "refusals.jsonl")
        stage = Stage(grounds, steps, children, juki, refusals)
        cast = first_acts(stage, residents, seed, check=False)
        everything_else(stage, cast)
        watching.watch(stage, cast)
        for step in steps.failed:
            console.print(f"in the town: {step.name}: {step.answered}", markup=False)
        yield stage, cast


@contextmanager
def _seated(stage: Stage, person: Person, to: Path) -> Iterator[Camera]:
    """Sit somebody down who has logged in by his device."""
    grounds = stage.grounds
    origin = f"https://localhost:{grounds.port}"
    terminal = grounds.credentials(grounds.terminal, person.terminal)
    with browser(grounds.folder / "browsers" / person.person, origin, terminal) as page:
        page.driver.set_window_size(WIDTH, HEIGHT)
        page.has_device(grounds.device(person.person).device)
        camera = Camera(page, to)
        _logs_in(camera, person)
        yield camera


def _logs_in(camera: Camera, person: Person) -> None:
    page = camera.browser
    page.goes_to("/screens/login")
    if person == PEOPLE[0]:
        camera.shoot("login")
    page.types(person=person.person)
    page.presses("by-device")
    page.sees("ログイン中")
    if person == PEOPLE[0]:
        camera.shoot("login-done")
    page.presses("go-on")
    page.sees("今日の確認事項")
    camera.shoot(f"menu-{person.role}")


def _pictured(
    camera: Camera, person: Person, cast: Cast, done: set[str], only: Iterable[str] | None
) -> list[str]:
    """Take all pictures of a person; return what could not be taken."""
    missed = []
    for path in camera.links():
        name = path.removeprefix("/screens/").replace("/", "-")
        if name in done or not _wanted(name, only):
            continue
        done.add(name)
        camera.goes(path)
        camera.shoot(name)
    for scene in (each for each in SCENES if each.person == person and _wanted(each.name, only)):
        try:
            scene.plays(camera, cast)
            camera.shoot(scene.name)
        except (WebDriverException, AssertionError, StopIteration) as problem:
            camera.shoot(f"{scene.name}-missed")
            missed.append(f"{scene.name}: {type(problem).__name__}")
    return missed


def _wanted(name: str, only: Iterable[str] | None) -> bool:
    return only is None or any(name.startswith(each) for each in only)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="scripts/screenshots",
        description="Take a picture of every screen in its main states.",
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="where they go")
    parser.add_argument("--residents", type=int, default=2_000, metavar="N", help="of the town")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which people")
    parser.add_argument(
        "--only", type=lambda text: text.split(","), metavar="NAME,NAME", help="names that begin so"
    )
    return parser
