"""What the appliance promises its plugins: every hook is documented, tested, and only narrows."""

import inspect
import re
from pathlib import Path

import pytest

from appliance import hookspecs, plugin_api
from appliance.loading import admit

ROOT = Path(__file__).parents[2]
HOOKS = {
    name: function
    for name, function in vars(hookspecs).items()
    if inspect.isfunction(function) and function.__module__ == hookspecs.__name__
}


def test_there_are_hooks_and_pluggy_knows_them_all() -> None:
    assert set(HOOKS) == {name for name in vars(admit({}).hook) if not name.startswith("_")}


@pytest.mark.parametrize("name", HOOKS)
@pytest.mark.parametrize("told", ["Asked:", "Together:", "Raising:"])
def test_a_hook_says_when_it_is_asked_how_answers_join_and_what_raising_does(
    name: str, told: str
) -> None:
    if (name, told) == ("operations", "Asked:"):
        assert "once, at start" in str(HOOKS[name].__doc__)
    assert told in str(HOOKS[name].__doc__)


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_has_types(name: str) -> None:
    signature = inspect.signature(HOOKS[name])
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_has_a_test(name: str) -> None:
    tests = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    implemented = re.compile(rf"@(?:plugin_api\.|api\.)?hookimpl\s+def {name}\(")
    assert any(implemented.search(text) for text in tests), f"no test implements {name}"


def test_no_hook_can_grant_anything() -> None:
    returned = {
        name: str(inspect.signature(hook).return_annotation) for name, hook in HOOKS.items()
    }
    assert not any(
        "bool" in annotation or "Grant" in annotation for annotation in returned.values()
    )


def test_everything_a_vendor_may_use_is_there() -> None:
    for name in plugin_api.__all__:
        assert hasattr(plugin_api, name)


def test_the_vendor_example_is_short() -> None:
    lines = (ROOT / "tests/vendor_example/age_check.py").read_text("utf-8").splitlines()
    assert len(lines) < 60
