"""``juki backup make|verify|restore``: copies of the store for the day when it is lost."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import click
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

from appliance.cli import report
from appliance.cli.frame import (
    Exit,
    Group,
    Stop,
    as_json,
    finish,
    progress_console,
    show,
    with_config,
)
from appliance.cli.link import ask_machine, refuse
from appliance.cli.machine import drawn_parts, shares_given
from appliance.machine import backing, checking, restoring
from appliance.machine.backing import BackupFailed, Holder, Made, Point
from appliance.machine.backupset import Manifest
from appliance.machine.config import Settings, read_settings
from appliance.machine.standing import Stopped
from appliance.machine.store import Layout
from appliance.parts import utc_now
from storage.findings import Finding
from storage.lock import holder

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group(cls=Group)
def backup() -> None:
    """Backups: encrypted as the store is, and proved by restoring them.

    Whoever gets hold of one gets nothing: without three custodians' shares it does not open, for
    those who made it neither.
    """


@backup.command()
@with_config
@click.option("--to", type=FOLDER, help="The medium; a folder of its own is made in it.")
@as_json
def make(config_path: Path, to: Path | None) -> None:
    """Copy the whole store as of one commit, while it serves, or of a stopped appliance.

    Nobody waits for it, no key is needed, and nothing in it is in clear. The folder appears under
    its name once it is whole and on the medium. Needs to read the data folder: the service user, or
    root. The ledger says who began, and how it ended.

    Example:
      juki backup make --to /media/backup
    """
    settings = read_settings(config_path)
    configured = None if settings.backup is None else settings.backup.folder
    folder = to or configured
    if folder is None:
        raise Stop(Exit.NOT_UNDERSTOOD, "to", "say --to FOLDER, or backup.folder in the config")
    begin = time.monotonic()
    with _holder(settings) as held, _bytes("copied") as progress:
        try:
            made = backing.make(settings, folder, held, progress, utc_now)
        except BackupFailed as problem:
            raise Stop(Exit.WRONG, problem.code, str(problem)) from None
    seconds = round(time.monotonic() - begin, 3)
    plain = {
        "backup": str(made.folder),
        **_told(made.manifest, made.digest),
        "seconds": seconds,
        **_record(made),
    }
    show(plain)
    finish(Exit.WRONG if made.unrecorded else Exit.DONE)


@backup.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@with_config
@click.option("--key", "vkey", help="The ledger's verifier key, from elsewhere than the backup.")
@click.option("--shares", is_flag=True, help="Restore it into a temporary folder and check it.")
@click.option(
    "--shares-from", type=FOLDER, help="As unseal; with it, --shares goes without saying."
)
@click.option(
    "--in",
    "scratch",
    type=FOLDER,
    default=tempfile.gettempdir,
    help="Where the temporary folder is made; it needs as much room as the backup.",
)
@as_json
def verify(
    folder: Path,
    config_path: Path,
    vkey: str | None,
    shares: bool,
    shares_from: Path | None,
    scratch: Path,
) -> None:
    """Say whether a backup is whole; with shares, restore it on trial and read every record.

    Without shares it needs no key and no configuration: every byte is compared with the manifest,
    and the checkpoint with the ledger's key. With --shares three custodians open a copy in a
    temporary folder; it is then read as by juki check, and removed.

    Examples:
      juki backup verify /media/backup/juki-43-20260401T021500Z-73894 --key LEDGER-VKEY
      juki backup verify /media/backup/juki-43-20260401T021500Z-73894 --shares
    """
    with _bytes("read") as progress:
        manifest, digest, findings = restoring.examine(folder, vkey, progress)
    plain: dict[str, Any] = _told(manifest, digest)
    tried = (shares or shares_from is not None) and not findings
    if tried:
        settings = read_settings(config_path)
        with drawn_parts() as parts:
            read, found = restoring.prove(
                settings, folder, scratch, shares_given(shares_from), lambda *_: None, parts
            )
        findings = found
        plain |= {"restored": checking.plain(read, found)}
    plain = {"sound": not findings, "opened": tried, **plain, "findings": _listed(findings)}
    show(plain, lambda: _verified(plain))
    finish(Exit.HUMAN if findings else Exit.DONE)


@backup.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--data", required=True, type=click.Path(path_type=Path), help="New, or empty.")
@as_json
def restore(folder: Path, data: Path) -> None:
    """Make a new data folder of a backup; it is there whole or not at all.

    It is never put over anything. Then: data = "…" in the configuration, juki serve, juki unseal.
    Three custodians must give their shares for that; unsealing refuses what the witness knows more
    of. Only where the original is lost for good: two appliances of one store are two ledgers of one
    name.

    Example:
      juki backup restore /media/backup/juki-43-20260401T021500Z-73894 --data /var/lib/juki/43
    """
    with _bytes("restored") as progress:
        manifest, digest = restoring.restore(folder, data, progress, utc_now)
    show({"data": str(data), **_told(manifest, digest)})


class _Serving:
    """An appliance that serves, asked over its loopback port (``backing.Holder``)."""

    def __init__(self, settings: Settings) -> None:
        self._port = settings.management_port
        self._token = Layout(settings.data).seal_token.read_text("ascii")
        self._lease = ""

    def begin(self) -> None:
        told = {"uid": os.getuid()}
        if (sudo := os.environ.get("SUDO_UID", "")).isdecimal():
            told["sudo_uid"] = int(sudo)
        self._lease = str(self._ask("begin", **told)["lease"])

    def go_on(self) -> None:
        self._ask("go-on")

    def point(self) -> Point:
        told = self._ask("point")
        checkpoint = str(told["checkpoint"])
        return Point(checkpoint, int(checkpoint.splitlines()[1]), int(told["wal_bytes"]))

    def finish(self, digest: str) -> None:
        self._ask("finish", digest=digest)

    def give_up(self, code: str) -> None:
        self._ask("give-up", code=code)

    def _ask(self, step: str, **told: object) -> dict[str, Any]:
        body = {"lease": self._lease, **told}
        status, plain = ask_machine(self._port, "POST", f"/v1/sys/backup/{step}", body, self._token)
        if status != HTTPStatus.OK:
            raise refuse(status, plain)
        return plain


@contextmanager
def _holder(settings: Settings) -> Iterator[Holder]:
    """Yield whoever lets the store stand still: its server if there is one, or else its lock."""
    if holder(settings.data) is not None:
        yield _Serving(settings)
        return
    with Stopped(settings, utc_now) as stopped:
        yield stopped


@contextmanager
def _bytes(what: str) -> Iterator[Callable[[int, int], None]]:
    """Draw a bar of bytes."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeElapsedColumn(),
        console=progress_console(),
    ) as drawn:
        bar = drawn.add_task(what, total=None)
        yield lambda done, total: drawn.update(bar, completed=done, total=total)


def _told(manifest: Manifest, digest: str) -> dict[str, Any]:
    return {
        "installation": manifest.installation,
        "origin": manifest.origin,
        "made_at": manifest.made_at,
        "ledger_size": manifest.ledger_size,
        "exact": manifest.exact,
        "bytes": manifest.size,
        "manifest": digest,
    }


def _record(made: Made) -> dict[str, Any]:
    return {"recorded": not made.unrecorded, "problem": made.unrecorded or None}


def _listed(findings: list[Finding]) -> list[dict[str, str]]:
    return [{"place": each.place, "what": each.what} for each in findings]


def _verified(plain: dict[str, Any]) -> str:
    lines = [f"{name}: {plain[name]}" for name in ("origin", "made_at", "ledger_size", "manifest")]
    if (read := plain.get("restored")) is not None:
        lines.append(report.checked(read))
    else:
        lines += [f"{each['place']}: {each['what']}" for each in plain["findings"]]
        lines.append("sound, not opened" if plain["sound"] else "NOT SOUND")
    return "\n".join(lines)
