"""Which plugins are let in, and what they offer together."""

from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points

import pluggy

from appliance import hookspecs
from appliance.errors import StartupError
from appliance.model import OperationName
from appliance.operation import AnyOperation

GROUP = "appliance.plugins"


def admit(plugins: Mapping[str, object]) -> pluggy.PluginManager:
    """Register plugins by name.

    Raises:
        StartupError: a plugin answers a question nobody asks, or tries to wrap another's answer.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for name, plugin in plugins.items():
        try:
            manager.register(plugin, name)
        except pluggy.PluginValidationError as problem:
            raise StartupError(f"plugin {name}: {problem}") from None
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as problem:
        raise StartupError(str(problem)) from None
    _refuse_power_over_others(manager)
    return manager


def installed(names: Iterable[str]) -> dict[str, object]:
    """Import the plugins of these names from the installed entry points.

    Raises:
        StartupError: one is not installed; says which are.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    missing = [name for name in names if name not in found]
    if missing:
        there = ", ".join(sorted(found)) or "none"
        raise StartupError(
            *(f"plugin {name} is not installed (there: {there})" for name in missing)
        )
    return {name: found[name].load() for name in names}


def catalogue(manager: pluggy.PluginManager) -> dict[OperationName, tuple[str, AnyOperation]]:
    """Return every operation by name, with the plugin that offers it.

    Raises:
        StartupError: two plugins offer the same, or an argument is undeclared for the ledger.
    """
    offered: dict[OperationName, tuple[str, AnyOperation]] = {}
    problems = []
    for owner, plugin in manager.list_name_plugin():
        for operation in _offers(plugin):
            if operation.name in offered:
                problems.append(f"{operation.name} is offered by {owner} and another plugin")
            problems += _undeclared(operation)
            offered[operation.name] = (owner, operation)
    if problems:
        raise StartupError(*problems)
    return offered


def _offers(plugin: object) -> Iterable[AnyOperation]:
    answer = getattr(plugin, "operations", None)
    return answer() if callable(answer) else ()


def _undeclared(operation: AnyOperation) -> list[str]:
    declared = {*operation.records, *operation.drops}
    fields = set(operation.asks.__struct_fields__)
    return [
        f"{operation.name}: say whether the ledger records or drops {field!r}"
        for field in sorted(fields ^ declared)
    ]


def _refuse_power_over_others(manager: pluggy.PluginManager) -> None:
    for name, plugin in manager.list_name_plugin():
        for caller in manager.get_hookcallers(plugin) or ():
            for implementation in caller.get_hookimpls():
                if implementation.plugin_name == name and (
                    implementation.wrapper or implementation.hookwrapper or implementation.tryfirst
                ):
                    raise StartupError(f"plugin {name} wraps {caller.name}; that is not allowed")
