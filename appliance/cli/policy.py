"""``juki policy``: look at the rules in force, and sign new ones."""

from pathlib import Path
from typing import Any

import click
from msgspec import to_builtins

from appliance.cli.frame import (
    Exit,
    Group,
    Stop,
    as_json,
    must_be_private,
    secret,
    show,
    shown,
    table,
    with_config,
)
from appliance.duties import misjoined
from appliance.errors import StartupError
from appliance.loading import missing_of
from appliance.machine import firmware
from appliance.machine.config import read_settings
from appliance.machine.firmware import Firmware
from appliance.machine.opening import load_plugins, unfit
from appliance.machine.store import Layout, read_identity


@click.group(cls=Group)
def policy() -> None:
    """Roles, 事務 and plugins: what is signed is in force, nothing else."""


@policy.command("show")
@with_config
@as_json
def show_policy(config_path: Path) -> None:
    """Print who reaches what, how people prove who they are, and whether that is signed.

    Example:
      juki policy show
    """
    settings = read_settings(config_path)
    rules, signed, problems = _as_it_lies(settings.firmware, Layout(settings.data))
    unfit, unchecked = _fitness(rules)
    plain = {
        "serial": rules.manifest.serial,
        "signed": signed,
        "problems": [*problems, *unfit],
        "warnings": unchecked,
        "plugins": list(rules.plugins),
        "roles": {name: _role(rule) for name, rule in rules.policy.roles.items()},
        "purposes": {name: _purpose(rule) for name, rule in rules.policy.purposes.items()},
        "access": to_builtins(rules.policy.access),
    }
    show(plain, lambda: _matrix(plain))


@policy.command()
@with_config
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A custodian's policy key; asked for if not given.",
)
@as_json
def sign(config_path: Path, key_file: Path | None) -> None:
    """Sign plugins.toml and policy/*.toml as they lie there.

    Done by two custodians, one after the other, each with his own key: the first signature is under
    the next serial, the second completes it. It takes effect at the next unseal; signed by one of
    them only, nothing starts. What the appliance could not start with is not signed; where a plugin
    is not installed here, it cannot be looked at and a warning is given. Look before you sign:
    juki policy show.

    Examples:
      juki policy sign --key-file /media/custodian/policy-1.key      "missing" names the other key
      juki policy sign --key-file /media/custodian/policy-2.key      missing: none
    """
    settings = read_settings(config_path)
    try:
        signer = firmware.signer_of(_key(key_file))
    except ValueError:
        raise Stop(Exit.NOT_UNDERSTOOD, "key", "this is not a policy key") from None
    layout = Layout(settings.data)
    keys = read_identity(layout).policy_keys if layout.identity.exists() else ()
    if keys and signer.vkey not in keys:
        raise Stop(Exit.REFUSED, "key", "this is the policy key of another store")
    unfit, unchecked = _fitness(firmware.unsigned(settings.firmware))
    if unfit:
        raise Stop(Exit.REFUSED, "policy", *unfit, "nothing was signed")
    for warning in unchecked:
        click.echo(f"juki: warning: {warning}", err=True)
    manifest = firmware.sign(settings.firmware, signer)
    plain = {
        "serial": manifest.serial,
        "files": sorted(manifest.digests),
        "key": signer.vkey,
        "warnings": unchecked,
    }
    if keys:
        plain["missing"] = firmware.lacking(settings.firmware, keys)
    show(plain)


def _key(path: Path | None) -> str:
    if path is None:
        return secret("Policy key")
    must_be_private(path, "open-key")
    return path.read_text("utf-8")


def _fitness(rules: Firmware) -> tuple[list[str], list[str]]:
    """Return with what the appliance could not start, and what cannot be told here."""
    missing = missing_of(rules.plugins)
    policy = rules.policy
    try:
        there = [name for name in rules.plugins if name not in missing]
        loaded = load_plugins(there, rules.powers)
    except StartupError as problem:
        return [*problem.problems, *policy.unknown_items()], []
    if not missing:
        return unfit(policy, loaded), []
    warnings = [f"plugin {name} is not installed here, so it was not looked at" for name in missing]
    wrong = [
        *policy.unknown_items(),
        *policy.codes_without_ground(),
        *misjoined(policy, loaded.operations),
    ]
    return wrong, [*warnings, *policy.unknown_operations(loaded.operations)]


def _as_it_lies(folder: Path, layout: Layout) -> tuple[Firmware, bool, list[str]]:
    """Return the policy, whether it is the signed one, and if not, why."""
    try:
        keys = read_identity(layout).policy_keys
        return firmware.verified(folder, keys, least_serial=1), True, []
    except StartupError as problem:
        return firmware.unsigned(folder), False, list(problem.problems)


def _role(rule: Any) -> dict[str, Any]:
    return {
        "label": rule.label,
        "terminals": [str(kind) for kind in rule.terminals],
        "operations": list(rule.operations),
        "items": list(rule.items),
        "keys": list(rule.keys),
        "removed": rule.removed,
        "history": rule.history,
        "blind": rule.blind,
        "attended": rule.attended,
        "approves": list(rule.approves),
        "every_office": rule.every_office,
    }


def _purpose(rule: Any) -> dict[str, Any]:
    return {
        "label": rule.label,
        "basis": rule.basis,
        "agency": rule.agency,
        "operations": list(rule.operations),
        "items": list(rule.items),
        "keys": list(rule.keys),
        "reasons": dict(rule.reasons),
        "valid_from": rule.valid_from,
        "valid_until": rule.valid_until,
    }


def _matrix(plain: dict[str, Any]) -> str:
    parts = [
        f"serial {plain['serial']}, {'signed' if plain['signed'] else 'NOT SIGNED'}",
        *plain["problems"],
        *(f"warning: {warning}" for warning in plain["warnings"]),
        f"plugins: {shown(plain['plugins'])}",
    ]
    for title in ("roles", "purposes"):
        rows = [
            {"name": name, **rule, "operation": operation}
            for name, rule in plain[title].items()
            for operation in rule["operations"]
        ]
        more = ("approves",) if title == "roles" else ()
        columns = ("name", "label", "operation", "keys", "items", *more)
        parts.append(f"\n{title}\n{table(rows, columns)}")
    access = (
        f"{name}: {len(value) if name == 'roots' else shown(value)}"
        for name, value in plain["access"].items()
    )
    return "\n".join([*parts, "\naccess", *access])
