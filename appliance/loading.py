"""Which plugins are let in, and what they offer together."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import entry_points
from typing import Any, cast

import pluggy

from appliance import hookspecs
from appliance.case import POWERS, Power
from appliance.errors import StartupError
from appliance.firstload import FirstLoad
from appliance.jobs import OFTEN, Job, Nothing, Step
from appliance.model import OperationName
from appliance.operation import AnyOperation, argument_paths, covers
from appliance.screen import Screen

GROUP = "appliance.plugins"
CORE = "core"
"""What the appliance's own documents are kept under; no plugin's papers may be."""

_PLUGIN = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_OPERATION = re.compile(r"[a-z][a-z0-9-]{0,39}/[a-z][a-z0-9-]{0,39}")
_SCREEN = re.compile(r"/screens/(?!static/|session/)[a-z][a-z0-9-]{0,39}/[a-z][a-z0-9-]{0,39}")
_ACT = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class OwnedJob:
    """A job, and the plugin that offers it."""

    owner: str
    job: Job


def admit(plugins: Mapping[str, object]) -> pluggy.PluginManager:
    """Register plugins by name.

    Raises:
        StartupError: a plugin answers a question nobody asks, or none, or tries to wrap another's
            answer; or its name is not one.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for name, plugin in plugins.items():
        # The name stands before the kinds of its papers, so it must not reach another's.
        if not _PLUGIN.fullmatch(name) or name == CORE:
            raise StartupError(f"plugin {name!r}: the name is not one a plugin can have")
        try:
            manager.register(plugin, name)
            manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as problem:
            raise StartupError(f"plugin {name}: {problem}") from None
        if not manager.get_hookcallers(plugin):
            raise StartupError(f"plugin {name} answers no question; are its hooks marked?")
    _refuse_power_over_others(manager)
    return manager


def installed(names: Iterable[str]) -> dict[str, object]:
    """Import the plugins of these names from the installed entry points.

    Raises:
        StartupError: one is not installed; says which are.
    """
    names = list(names)
    found = {point.name: point for point in entry_points(group=GROUP)}
    if missing := missing_of(names):
        there = ", ".join(sorted(found)) or "none"
        raise StartupError(
            *(f"plugin {name} is not installed (there: {there})" for name in missing)
        )
    return {name: found[name].load() for name in names}


def missing_of(names: Iterable[str]) -> list[str]:
    """Return which of these plugins are not installed here."""
    there = {point.name for point in entry_points(group=GROUP)}
    return [name for name in names if name not in there]


def catalogue(
    manager: pluggy.PluginManager, powers: Mapping[str, Collection[Power]] | None = None
) -> dict[OperationName, tuple[str, AnyOperation]]:
    """Return every operation by name, with the plugin that offers it.

    ``powers`` says which parts of the appliance each plugin may use (``Operation.uses``); without
    it, as in a bench, whoever declares one may.

    Raises:
        StartupError: two plugins offer the same, an argument is undeclared for the ledger, a name
            is not of the form ``function/operation``, an operation uses what its plugin may not, or
            says that it is blind and uses what tells of residents, or a plugin failed.
    """
    offered: dict[OperationName, tuple[str, AnyOperation]] = {}
    problems = []
    for owner, operation in _offers(manager):
        name = operation.name
        if name in offered:
            problems.append(f"{name} is offered by {owner} and {offered[name][0]}")
        if not _OPERATION.fullmatch(name):
            problems.append(f"plugin {owner}: {name!r} is not of the form function/operation")
        problems += [*_undeclared(operation), *_unseconded(operation), *_half_blind(operation)]
        may = POWERS if powers is None else frozenset(powers.get(owner, ()))
        problems += [
            f"{name}: uses {power}, which plugin {owner} may not ([powers] of plugins.toml)"
            for power in sorted(operation.uses - may)
        ]
        offered[name] = (owner, operation)
    if problems:
        raise StartupError(*problems)
    return offered


def timetable(
    manager: pluggy.PluginManager, operations: Mapping[OperationName, tuple[str, AnyOperation]]
) -> tuple[OwnedJob, ...]:
    """Return every job, in the order of names.

    Raises:
        StartupError: two jobs have the same name, one is not a step of its plugin, runs often
            without saying when there is anything to do, or a plugin failed.
    """
    jobs: dict[str, OwnedJob] = {}
    problems = []
    for owner, job in _answers(manager, "jobs"):
        where = f"plugin {owner}: job {job.name!r}"
        if not _OPERATION.fullmatch(job.name):
            problems.append(f"{where}: the name is not of the form function/what")
        if job.name in jobs:
            problems.append(f"{where}: is offered by {jobs[job.name].owner} already")
        problems += [f"{where}: {what}" for what in _unfit(owner, job, operations)]
        jobs[job.name] = OwnedJob(owner, job)
    if problems:
        raise StartupError(*problems)
    return tuple(jobs[name] for name in sorted(jobs))


def screens_of(
    manager: pluggy.PluginManager, operations: Collection[OperationName]
) -> tuple[Screen, ...]:
    """Return every screen, as the plugins offer them.

    Raises:
        StartupError: two have one path, one has a path or an act that is none, or needs an
            operation nobody offers, or a plugin failed.
    """
    screens: dict[str, Screen] = {}
    problems = []
    for owner, screen in _answers(manager, "screens"):
        where = f"plugin {owner}: screen {screen.path!r}"
        if screen.path in screens:
            problems.append(f"{where}: another has this path already")
        if not _SCREEN.fullmatch(screen.path):
            problems.append(f"{where}: the path is not of the form /screens/function/name")
        if screen.needs not in operations:
            problems.append(f"{where}: needs {screen.needs}, which nobody offers")
        names = [*screen.acts, *screen.polls]
        if len(set(names)) != len(names) or not all(map(_ACT.fullmatch, names)):
            problems.append(f"{where}: acts and polls are named a-z, 0-9 and -, each once")
        screens[screen.path] = screen
    if problems:
        raise StartupError(*problems)
    return tuple(screens.values())


def first_load(manager: pluggy.PluginManager) -> tuple[str, FirstLoad]:
    """Return how residents are brought in at once, and the plugin that says so.

    Raises:
        StartupError: no plugin does, or two, or one failed.
    """
    offered = list(_answers(manager, "first_loads"))
    if len(offered) != 1:
        raise StartupError(f"{len(offered)} plugins know how to load residents; one must")
    return offered[0]


def _unfit(
    owner: str, job: Job, operations: Mapping[OperationName, tuple[str, AnyOperation]]
) -> Iterator[str]:
    offered_by, operation = operations.get(job.operation, (None, None))
    if operation is None or offered_by != owner:
        yield f"the plugin offers no {job.operation}"
    elif operation.asks is not Nothing or not issubclass(operation.answers, Step):
        yield f"{job.operation} must ask Nothing and answer a Step"
    elif not operation.changes or operation.purposed or operation.seconded:
        yield f"{job.operation} must change data and need no 事務 and no second person"
    if job.every is not None and (job.at is not None or job.every <= timedelta(0)):
        yield "every must be positive, and stand without at"
    if job.every is not None and job.every < OFTEN and job.due is None:
        yield "what runs more than once an hour must say by due whether there is anything to do"


def _offers(manager: pluggy.PluginManager) -> Iterator[tuple[str, AnyOperation]]:
    return _answers(manager, "operations")


def _answers(manager: pluggy.PluginManager, hook: str) -> Iterator[tuple[str, Any]]:
    """Yield what each plugin answers to a question without arguments, and which plugin it is."""
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        owner = implementation.plugin_name
        ask = cast(Callable[[], Iterable[Any]], implementation.function)
        try:
            yield from ((owner, answer) for answer in ask())
        except Exception as problem:
            raise StartupError(f"plugin {owner}: {hook}() failed: {problem!r}") from problem


def _half_blind(operation: AnyOperation) -> Iterator[str]:
    if operation.blind and operation.purposed:
        yield f"{operation.name}: what is blind shows nobody, so it needs purposed=False"
    if operation.blind and "ledger" in operation.uses:
        yield f"{operation.name}: the ledger tells of residents; what is blind does not use it"


def _undeclared(operation: AnyOperation) -> list[str]:
    problems = []
    declared = [*operation.records, *operation.drops]
    paths = list(argument_paths(operation.asks))
    for path in paths:
        if sum(covers(other, path) for other in declared) != 1:
            problems.append(f"{operation.name}: say whether the ledger records or drops {path!r}")
    problems += [
        f"{operation.name}: there is no argument {other!r} for the ledger to record or drop"
        for other in declared
        if not any(covers(other, path) for path in paths)
    ]
    return problems


def _unseconded(operation: AnyOperation) -> Iterator[str]:
    """Yield what only an operation that takes a second person may say, of one that does not."""
    alone_too = (operation.about, operation.alone) != (None, None) or operation.shows
    if not operation.seconded and alone_too:
        yield f"{operation.name}: about, alone and shows go with seconded=True"
    for path in operation.shows:
        if path not in operation.drops:
            yield f"{operation.name}: shows {path!r}, which is none of its drops"


def _refuse_power_over_others(manager: pluggy.PluginManager) -> None:
    for name, plugin in manager.list_name_plugin():
        for caller in manager.get_hookcallers(plugin) or ():
            for implementation in caller.get_hookimpls():
                if implementation.plugin_name == name and (
                    implementation.wrapper or implementation.hookwrapper or implementation.tryfirst
                ):
                    raise StartupError(f"plugin {name} wraps {caller.name}; that is not allowed")
