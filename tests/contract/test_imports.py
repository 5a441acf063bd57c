"""Who may import whom, read from the source: what import-linter checks, without it."""

import ast
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("appliance", "plugins", "storage")
FILES = [path for package in OURS for path in sorted((ROOT / package).rglob("*.py"))]
PLUGINS = [*(ROOT / "plugins").rglob("*.py"), ROOT / "tests/vendor_example/age_check.py"]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[str]:
    """Yield what a file imports, as ``package.module`` or ``package.module.name``."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def of_package(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize("path", PLUGINS, ids=named)
def test_a_plugin_imports_only_the_plugin_api(path: Path) -> None:
    own = ".".join(path.relative_to(ROOT).parts[:2])
    ours = [name for name in imported(path) if name.split(".")[0] in OURS]
    foreign = [
        name for name in ours if not f"{name}.".startswith(("appliance.plugin_api.", f"{own}."))
    ]
    assert foreign == []


@pytest.mark.parametrize("path", FILES, ids=named)
def test_imports_go_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    above = {"plugins": set(), "appliance": {"plugins"}, "storage": {"plugins", "appliance"}}
    assert not of_package(path) & above[package]


@pytest.mark.parametrize(
    ("library", "where"),
    [("apsw", "storage/"), ("bottle", "appliance/http.py"), ("pluggy", "appliance/")],
)
def test_a_library_is_known_in_one_place(library: str, where: str) -> None:
    users = [named(path) for path in FILES if library in of_package(path)]
    assert users
    assert all(user.startswith(where) for user in users)


def test_the_three_packages_are_of_exactly_one_distribution() -> None:
    distributions = packages_distributions()
    if "appliance" not in distributions:
        pytest.skip("juki-appliance is not installed here")
    for package in OURS:
        assert set(distributions[package]) == {"juki-appliance"}


def test_the_distribution_has_these_three_packages_and_no_other() -> None:
    found = {path.parent.relative_to(ROOT).parts[0] for path in ROOT.glob("*/*.py")}
    packaged = found - {"tests", "scripts"}
    assert packaged <= set(OURS)
