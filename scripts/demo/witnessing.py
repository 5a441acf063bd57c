"""Outside eyes: a witness of the prefecture cosigns the ledger, and finds what was put back.

It is a process of its own with a folder of its own; in earnest, another machine of other people.
"""

import shutil
from typing import Any

from scripts.demo.auditing import HUMAN
from scripts.demo.children import Done, Failed, appliance
from scripts.demo.grounds import ADDRESS, introduce
from scripts.demo.people import AUDITOR, as_person
from scripts.demo.stage import Stage
from storage.note import Checkpoint, parse_note
from storage.tiles import CHECKPOINT

NAME = "witness.pref-43.example"
OLDER, NEWEST = "data.older", "data.newest"


def set_up(stage: Stage) -> None:
    """Make the witness, start it, and tell the appliance of it.

    Raises:
        Failed: it does not start.
    """
    grounds, key = stage.grounds, stage.identity()["ledger_key"]
    with stage.steps.step("the prefecture sets up a witness of its own", vital=True) as step:
        step.asks("juki witness init, juki witness serve")
        certificate, private, ca = grounds.credentials(grounds.witness, "server")
        made = stage.juki.needs(
            *("witness", "init", str(grounds.witness), "--name", NAME, "--ledger", key),
            *("--listen", f"{ADDRESS}:0", "--certificate", str(certificate)),
            *("--cert-key", str(private), "--client-ca", str(ca)),
        )
        command = appliance("witness", "serve", str(grounds.witness))
        log = grounds.witness / "witness.log"
        child = stage.children.start("witness", command, log, told=True)
        listening = child.first_line().split()[-1]
        introduce(grounds, listening, made["vkey"])
        step.saw(f"{listening}, cosigns as {made['vkey']}", listening.startswith("https://"))


def look(stage: Stage) -> None:
    """See that the ledger is cosigned, and have an entry proven with the cosignature."""
    with stage.steps.step("the witness has cosigned the ledger") as step:
        step.asks("juki status, juki witness show")
        stage.wait(lambda: _ours(stage)["state"] == "cosigned", "to be cosigned")
        ours, (theirs,) = _ours(stage), _theirs(stage).plain["cosigned"]
        step.saw(f"{ours['size']:,} entries, {ours['age_seconds']} seconds ago", ours["size"] > 0)
        step.saw(f"the witness: {theirs['size']:,}", theirs["size"] >= ours["size"])
    with stage.steps.step("an entry is proven to a court, cosigned, offline") as step:
        newest = stage.people[AUDITOR.name].gets("ledger/search", {"limit": 1})["entries"][0]
        paper = stage.grounds.terminal / "cosigned.tlog-proof"
        step.asks(f"juki ledger prove {newest['index']} --wait 60, juki ledger verify-proof")
        proved = stage.juki.needs(
            *("ledger", "prove", str(newest["index"]), "--wait", "60", "--out", str(paper)),
            *as_person(stage, AUDITOR),
        )
        step.saw("the proof leads to what the witness cosigned", proved["witnessed"])
        shown = stage.juki.needs("ledger", "verify-proof", str(paper), *_keys(stage))
        step.saw(f"entry {shown['index']:,} of {shown['size']:,}, {shown['witnessed'][0]}")


def keep_copy(stage: Stage) -> None:
    """Copy the data folder of the stopped appliance, as a backup or a thief would."""
    shutil.copytree(stage.grounds.data, stage.grounds.appliance / OLDER, symlinks=True)


def caught_up(stage: Stage) -> None:
    """See that the witness has cosigned what was entered since the copy."""
    with stage.steps.step("what was entered since is cosigned too") as step:
        step.asks("juki status")
        before = _copied(stage)
        stage.wait(lambda: (_ours(stage)["size"] or 0) > before, "to be cosigned")
        step.saw(f"{_ours(stage)['size']:,} entries, then {before:,}")


def put_back(stage: Stage) -> None:
    """Put the whole data folder back to the copy: found, refused, nothing served."""
    grounds, juki = stage.grounds, stage.juki
    grounds.data.rename(grounds.appliance / NEWEST)
    (grounds.appliance / OLDER).rename(grounds.data)
    with stage.steps.step("a data folder put back whole is refused when it is unsealed") as step:
        step.asks("the older folder, juki serve, juki unseal")
        stage.start_appliance()
        done = juki.machine("unseal", given="".join(f"{grounds.share(n)}\n" for n in (1, 2, 3)))
        said = done.err.strip().removeprefix("juki: ")
        step.saw(f"exit {done.code}: {said}", done.code == HUMAN and NAME in said)
        step.saw("it stays sealed", (stage.seal_status() or {}).get("sealed") is True)
        stage.stop_appliance()
    with stage.steps.step("the witness has kept what shows it") as step:
        step.asks("juki witness show")
        shown = _theirs(stage)
        kinds = [each["kind"] for each in shown.plain["evidence"]]
        step.saw(
            f"exit {shown.code}: {', '.join(kinds)}", (shown.code, kinds) == (HUMAN, ["rollback"])
        )
    shutil.rmtree(grounds.data)
    (grounds.appliance / NEWEST).rename(grounds.data)


def _ours(stage: Stage) -> dict[str, Any]:
    """Return what the appliance says of the witness."""
    told: dict[str, Any] | None = stage.juki.needs_machine("status")["witness"]
    if told is None:
        raise Failed("the appliance knows no witness")
    return told


def _theirs(stage: Stage) -> Done:
    return stage.juki.run("witness", "show", str(stage.grounds.witness), "--json")


def _keys(stage: Stage) -> tuple[str, ...]:
    """Return what a verifier must know beforehand."""
    vkey = _theirs(stage).plain["vkey"]
    return "--key", stage.identity()["ledger_key"], "--witness", vkey


def _copied(stage: Stage) -> int:
    note = (stage.grounds.appliance / OLDER / "tiles" / CHECKPOINT).read_text("utf-8")
    return Checkpoint.parse(parse_note(note).text).size
