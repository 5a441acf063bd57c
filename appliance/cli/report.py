"""What the machine's own commands say of an appliance, in lines for people."""

from collections.abc import Mapping
from typing import Any

from appliance.cli.frame import table

NAMED = {
    "status": "state",
    "t": "shares needed",
    "n": "shares there are",
    "progress": "shares given",
    "share_set": "share set",
    "disk_free": "disk free",
    "policy_serial": "policy serial",
}
"""What the loopback port says, in the words of an operator."""


def standing(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return seal status and health as one flat list of names and values, with units."""
    flat: dict[str, Any] = {}
    for name, value in told.items():
        if isinstance(value, Mapping):
            flat |= {f"{name} {part.replace('_', ' ')}": each for part, each in value.items()}
        elif name == "disk_free":
            flat[NAMED[name]] = f"{value:.0%}"
        else:
            flat[NAMED.get(name, name)] = value
    if (size := flat.get("witness size")) is not None:
        flat["witness size"] = f"{size} entries"
    if "national acknowledged" in flat:
        flat["national acknowledged"] = f"{flat['national acknowledged']} messages"
    return flat


def work(plain: Mapping[str, Any]) -> str:
    """Return the jobs, and what a human should see to, as tables."""
    parts = []
    if plain.get("jobs"):
        parts.append(table(plain["jobs"], ("name", "when", "outcome", "ended", "failures")))
    if plain.get("alarms"):
        parts.append(table(plain["alarms"], ("name", "count", "age_seconds", "text")))
    return "".join(f"\n{part}\n" for part in parts)


def shares_missing(status: Mapping[str, Any]) -> str:
    """Return how many shares are still to be given; those given before stay."""
    missing, needed = status["t"] - status["progress"], status["t"]
    word = "share" if missing == 1 else "shares"
    return f"still sealed: {missing} more {word} needed, {status['progress']} of {needed} given"


def checked(plain: Mapping[str, Any]) -> str:
    """Return what a check of the store found."""
    read = ", ".join(f"{value} {name}" for name, value in plain.items() if type(value) is int)
    lines = [f"{each['place']}: {each['what']}" for each in plain["findings"]]
    return "\n".join([f"read: {read}", *lines, "clean" if plain["clean"] else "NOT CLEAN"])
