"""``juki keys``: the keys of a new year, while no server has the store."""

from pathlib import Path
from typing import Any

import click

from appliance.cli.frame import Exit, Group, Stop, as_json, show, with_config
from appliance.cli.machine import shares_given
from appliance.machine import rotating
from appliance.machine.config import read_settings
from appliance.machine.rotating import NotThisYear, Rotation
from appliance.parts import utc_now


@click.group(cls=Group)
def keys() -> None:
    """The key ring."""


@keys.command()
@with_config
@click.option("--year", type=click.IntRange(2000, 9999), help="Of the keys; this one in Japan.")
@click.option("--show", "dry", is_flag=True, help="Only say what would be added; takes no share.")
@click.option(
    "--shares-from",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="As unseal.",
)
@as_json
def rotate(config_path: Path, year: int | None, dry: bool, shares_from: Path | None) -> None:
    """Add a year's keys to the key ring. The server must be stopped. Needs three shares.

    Unsealing adds them by itself in the year after the last keys. This is for a store that lay
    closed for longer, and for next year's keys, beforehand. They are in use from the next unsealing
    on; then job keys/rewrap brings every record under the year's retention key.

    The ring is written whole or not at all, the last two stay beside it, and the backup of the ring
    must be made anew. Ledger and boot journal say what was added.

    Examples:
      juki keys rotate --show
      juki keys rotate --year 2028
    """
    settings = read_settings(config_path)
    try:
        if dry:
            told = rotating.planned(settings, year, utc_now)
        else:
            told = rotating.rotate(settings, shares_given(shares_from), year, utc_now)
    except NotThisYear as no:
        raise Stop(Exit.REFUSED, "year", str(no)) from None
    plain = _plain(told, dry)
    show(plain, lambda: _lines(plain))


def _plain(told: Rotation, dry: bool) -> dict[str, Any]:
    done = bool(told.added) and not dry
    return {"newest": told.newest, "year": told.year, "keys": list(told.added), "added": done}


def _lines(plain: dict[str, Any]) -> str:
    if not plain["keys"]:
        return f"nothing to add: the keys of {plain['year']} are there"
    what = "added" if plain["added"] else "would be added"
    return "\n".join([f"keys of {plain['year']} {what}:", *(f"  {name}" for name in plain["keys"])])
