"""``juki init|serve|unseal|status|check|config``: what is done on the machine itself."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from appliance.certificates import BadCertificate, peer_from_pem
from appliance.cli import report
from appliance.cli.frame import (
    Command,
    Exit,
    Group,
    Stop,
    as_json,
    finish,
    progress_console,
    secret,
    show,
    stopped_by,
    table,
    wants_json,
    with_config,
)
from appliance.cli.link import ask_machine, refuse
from appliance.machine import checking, logs
from appliance.machine.config import Settings, read_settings
from appliance.machine.firmware import are_two_keys
from appliance.machine.init import Founded, Founder, Founding, found, write_shares
from appliance.model import JST
from appliance.parts import utc_now
from storage.findings import Progress as ProgressOfCheck

STDOUT = "-"
SEALED = 2


@click.command(cls=Command)
@with_config
@click.option("--shares-to", required=True, help="A folder, one file a custodian; or - to print.")
@click.option(
    "--terminal",
    "pem",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Certificate of the first 代表端末, PEM.",
)
@click.option("--terminal-id", default="TERM-0001", show_default=True)
@click.option("--place", default="市町村課", show_default=True, help="Where the terminal stands.")
@click.option("--operator", "operator_id", default="OP-0001", show_default=True)
@click.option("--person", "person_id", default="P-0001", show_default=True, help="照合ID")
@click.option("--name", default="", help="His name, 姓　名.")
@click.option("--officer-operator", default="OP-9001", show_default=True)
@click.option("--officer-person", default="P-9001", show_default=True)
@click.option("--officer-name", default="", help="Name of the first セキュリティ責任者.")
@click.option("--office", default="市町村課", show_default=True)
@click.option(
    "--expires", type=click.DateTime(["%Y-%m-%d"]), help="Of the operator; a year from now."
)
@click.option(
    "--policy-key",
    "policy_keys",
    multiple=True,
    help="Verifier keys of a policy that is signed already; given twice.",
)
@as_json
def init(
    config_path: Path,
    shares_to: str,
    pem: Path,
    expires: datetime | None,
    policy_keys: tuple[str, ...],
    operator_id: str,
    person_id: str,
    name: str,
    officer_operator: str,
    officer_person: str,
    officer_name: str,
    **named: str,
) -> None:
    """Make a new store, with the custodians present.

    Hands out five shares, any three of which unseal it; two keys for two persons, both of whom sign
    the policy; and one-use codes for the first システム管理者 and the first セキュリティ責任者, who
    must agree to whatever the other does about people. None of them can be had again. The store
    exists only once all of them are out; it is never made over another.

    Examples:
      juki init --shares-to - --terminal terminal-1.pem
      juki init --config appliance.toml --shares-to /media/custodians --terminal terminal-1.pem
    """
    if policy_keys and not are_two_keys(policy_keys):
        told = "--policy-key takes the verifier keys of two different keys, one each"
        raise Stop(Exit.NOT_UNDERSTOOD, "policy-key", told)
    settings = read_settings(config_path)
    try:
        peer = peer_from_pem(pem.read_bytes())
    except BadCertificate as problem:
        raise Stop(Exit.NOT_UNDERSTOOD, "certificate", f"{pem}: {problem}") from None
    founding = Founding(
        settings=settings,
        fingerprint=peer.fingerprint,
        not_after=peer.not_after,
        expires_on=expires.date() if expires else _in_a_year(),
        policy_keys=policy_keys,
        administrator=Founder(person_id=person_id, operator_id=operator_id, name=name),
        officer=Founder(person_id=officer_person, operator_id=officer_operator, name=officer_name),
        **named,
    )
    found(founding, lambda founded: _hand_out(settings, founded, shares_to), utc_now)


def _hand_out(settings: Settings, founded: Founded, shares_to: str) -> None:
    plain: dict[str, Any] = {
        "data": str(settings.data),
        "origin": founded.identity.origin,
        "ledger_key": founded.identity.ledger_key,
        "policy_keys": list(founded.identity.policy_keys),
        "enrolment_code": founded.enrolment_code,
        "officer_code": founded.officer_code,
        "enrolment_until": founded.enrolment_until.astimezone(JST).isoformat(timespec="minutes"),
    }
    papers = {f"share_{at}": share for at, share in enumerate(founded.shares, start=1)}
    keys = enumerate(founded.policy_secrets, start=1)
    papers |= {f"policy_secret_{at}": key for at, key in keys}
    if shares_to != STDOUT:
        plain["shares"] = _written(settings, founded, Path(shares_to).resolve())
    elif _is_screen() and not wants_json():
        _shown_one_by_one(papers)
    else:
        plain |= papers
    show(plain)
    sys.stdout.flush()


def _written(settings: Settings, founded: Founded, folder: Path) -> list[str]:
    if settings.data.resolve() in (folder, *folder.parents):
        raise Stop(
            Exit.REFUSED, "shares-to", "the shares must not lie in the data folder they open"
        )
    return [str(path) for path in write_shares(folder, founded)]


def _is_screen() -> bool:
    return sys.stdout.isatty()


def _shown_one_by_one(papers: dict[str, str]) -> None:
    """Let one custodian after another write down his own, and no other's."""
    for name, paper in papers.items():
        click.clear()
        click.echo(f"{name}\n\n{paper}\n")
        click.pause("Written down? Press a key; it is never shown again.")
    click.clear()


@click.command(cls=Command)
@with_config
@click.option(
    "--dev",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Make everything in this empty folder and serve it: never for real data.",
)
@click.option(
    "--municipality",
    "municipalities",
    multiple=True,
    default=("432024",),
    show_default=True,
    help="With --dev: register a municipal server for it; may be given repeatedly.",
)
@click.option("--port", type=click.IntRange(1, 65534), default=8443, help="With --dev.")
@as_json
def serve(
    config_path: Path,
    folder: Path | None,
    municipalities: tuple[str, ...],
    port: int,
) -> None:
    """Run. Starts sealed: answers only /v1/sys/* until three custodians gave their shares.

    SIGTERM and SIGINT end it in order; SIGHUP reads the certificates again. It exits with 70 if a
    commit failed on its way to the disk.

    Examples:
      juki serve --config /etc/juki/43.toml
      juki serve --dev /tmp/juki --municipality 432024
    """
    # Here, because only this command needs the whole appliance.
    from appliance.cli import dev
    from appliance.machine import boot

    logs.set_up()
    if folder is not None:
        finish(dev.serve(folder, municipalities, port))
    settings = read_settings(config_path)
    again = ("serve", "--config", str(config_path.resolve()))
    finish(boot.serve(settings, again))


@click.command(cls=Command)
@with_config
@click.option(
    "--shares-from",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Read share-1.txt … there: for demonstrations, where one person has them all.",
)
@as_json
def unseal(config_path: Path, shares_from: Path | None) -> None:
    """Give shares until the appliance is unsealed. They are typed unseen, or read from stdin.

    A share that is no good is refused with the reason; those given before stay.

    Examples:
      juki unseal
      juki unseal --shares-from custodians/
    """
    port = read_settings(config_path).management_port
    status = _seal_status(port)
    if not status["sealed"]:
        raise Stop(Exit.REFUSED, "conflict", "the appliance is not sealed")
    shares = shares_given(shares_from)
    while status["sealed"]:
        share = _next(shares, status)
        code, plain = ask_machine(port, "POST", "/v1/sys/unseal", {"share": share})
        if code == HTTPStatus.BAD_REQUEST and shares_from is None and sys.stdin.isatty():
            click.echo(f"juki: {refuse(code, plain)}", err=True)
            continue
        if code != HTTPStatus.OK:
            raise _share_refused(code, plain)
        status = plain
        if status["sealed"] and not wants_json():
            click.echo(f"{status['progress']} of {status['t']} shares")
    show(status, lambda: "unsealed")


@click.command(cls=Command)
@with_config
@as_json
def status(config_path: Path) -> None:
    """Say how the running appliance is. Exit: 0 unsealed, 1 error, 2 sealed.

    Example:
      juki status --json
    """
    try:
        settings = read_settings(config_path)
        sealed = _seal_status(settings.management_port)
        _, health = ask_machine(settings.management_port, "GET", "/v1/sys/health")
    except Exception as problem:
        stop = stopped_by(problem)
        # 2 would say "sealed" here.
        raise Stop(Exit.WRONG, stop.code, *stop.lines) from None
    told = {**sealed, **health}
    if wants_json():
        show(told)
    else:
        flat = {name: told[name] for name in told if name not in ("jobs", "alarms")}
        show(report.standing(flat))
        click.echo(report.work(told), nl=False)
    if health["status"] == "degraded":
        finish(Exit.WRONG)
    finish(SEALED if sealed["sealed"] else Exit.DONE)


@click.command(cls=Command)
@with_config
@click.option(
    "--shares-from",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="As unseal.",
)
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint that was kept elsewhere; the ledger must follow from it.",
)
@as_json
def check(config_path: Path, shares_from: Path | None, anchors: tuple[Path, ...]) -> None:
    """Read the whole store and say what does not open, follow or match.

    The server must be stopped. Needs three shares, for the store is closed.

    Example:
      juki check --anchor /media/auditor/2026-04-01.checkpoint
    """
    settings = read_settings(config_path)
    with drawn_parts() as progress:
        summary, findings = checking.check_store(
            settings,
            shares_given(shares_from),
            [anchor.read_text("utf-8") for anchor in anchors],
            progress,
        )
    plain = checking.plain(summary, findings)
    show(plain, lambda: report.checked(plain))
    finish(Exit.HUMAN if findings else Exit.DONE)


@click.group(cls=Group)
def config() -> None:
    """The configuration."""


@config.command("show")
@with_config
@as_json
def show_config(config_path: Path) -> None:
    """Print what is in force, and where each value came from.

    Example:
      juki config show --config appliance.toml
    """
    settings = read_settings(config_path)
    plain = {each.name: {"value": each.value, "source": each.source} for each in settings.in_force}
    rows = [{"key": name, **entry} for name, entry in plain.items()]
    show(plain, lambda: table(rows, ("key", "value", "source")))


def _seal_status(port: int) -> dict[str, Any]:
    code, plain = ask_machine(port, "GET", "/v1/sys/seal-status")
    if code != HTTPStatus.OK:
        raise refuse(code, plain)
    return plain


def shares_given(folder: Path | None) -> Iterator[str]:
    """Yield shares: from files, typed, or a line each of standard input."""
    if folder is not None:
        papers = sorted(folder.glob("share-*.txt"))
        if not papers:
            raise Stop(Exit.NOT_UNDERSTOOD, "no-shares", f"{folder}: holds no share-1.txt")
        for paper in papers:
            yield paper.read_text("ascii", errors="replace").strip()
        return
    while True:
        yield secret("Share")


def _next(shares: Iterator[str], status: dict[str, Any]) -> str:
    """Return another share; where no more come, say how many are missing."""
    try:
        return next(shares)
    except StopIteration:
        raise Stop(Exit.WRONG, "too-few-shares", report.shares_missing(status)) from None
    except Stop as stop:
        if stop.code != "no-input":
            raise
        raise Stop(stop.exit_code, stop.code, report.shares_missing(status)) from None


def _share_refused(code: int, plain: dict[str, Any]) -> Stop:
    problem = refuse(code, plain)
    # What does not open where it lies is no fault of whoever typed the share.
    human = problem.code in ("integrity", "internal")
    return Stop(Exit.HUMAN if human else Exit.REFUSED, problem.code, *problem.lines)


def _in_a_year() -> date:
    return utc_now().astimezone(JST).date() + timedelta(days=365)


@contextmanager
def drawn_parts() -> Iterator[ProgressOfCheck]:
    """Draw a bar for each part of a check."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=progress_console(),
    ) as progress:
        yield _on(progress)


def _on(progress: Progress) -> ProgressOfCheck:
    """Return what draws a bar for each part of a check."""
    bars: dict[str, TaskID] = {}

    def tell(part: str, done: int, total: int) -> None:
        if part not in bars:
            bars[part] = progress.add_task(part, total=total)
        progress.update(bars[part], completed=done, total=total)

    return tell
