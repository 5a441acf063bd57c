"""A backup of the appliance at work, proved by restoring it.

The medium lies with all the appliance has, so that it too is searched for what is in clear.
"""

from pathlib import Path

from scripts.demo.stage import Stage

REFUSED = 3
"""Exit code of juki."""


def back_up(stage: Stage) -> None:
    """Make a backup while the appliance serves, and let three custodians try it."""
    juki, grounds = stage.juki, stage.grounds
    medium = grounds.appliance / "medium"
    medium.mkdir(mode=0o700)
    with stage.steps.step("the whole store is copied while it serves") as step:
        step.asks("juki backup make, juki backup verify, juki status")
        made = juki.needs_machine("backup", "make", "--to", str(medium))
        folder = Path(made["backup"])
        step.saw(f"{made['ledger_size']:,} entries in {folder.name}", made["recorded"])
        key = stage.identity()["ledger_key"]
        sound = juki.needs("backup", "verify", str(folder), "--key", key)
        step.saw("every byte is as it was made, without any key", sound["sound"])
        last = juki.needs_machine("status")["backup"]
        step.saw(f"made {last['age_seconds']} s ago", last["manifest"] == made["manifest"])
    with stage.steps.step("three custodians see that it can be restored") as step:
        step.asks("juki backup verify --shares, juki backup restore")
        shares = "".join(f"{grounds.share(number)}\n" for number in (1, 3, 5))
        scratch = ("--in", str(medium))
        tried = juki.needs_machine(
            "backup", "verify", str(folder), "--shares", *scratch, given=shares
        )["restored"]
        step.saw(f"{tried['entries']:,} entries", tried["entries"] == made["ledger_size"])
        step.saw(f"{tried['persons']:,} residents open", tried["clean"] and tried["persons"] > 0)
        done = juki.run("backup", "restore", str(folder), "--data", str(grounds.data), "--json")
        step.saw("it is put over nothing", done.code == REFUSED)
