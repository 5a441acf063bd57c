"""``juki witness``: the program that stands with the prefecture and cosigns the ledger."""

import logging
import time
from pathlib import Path
from typing import Any

import click

from appliance.cli.frame import Exit, Group, Stop, as_json, finish, show, table
from appliance.witness.setup import CONFIG, BadSetup, Setup, make, read_cosigner
from appliance.witness.shelf import Shelf
from storage.errors import LedgerBroken

log = logging.getLogger(__name__)

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group(cls=Group)
def witness() -> None:
    """A witness of the ledger, on the prefecture's own premises (C2SP tlog-witness).

    It is another machine than the appliance, run by other people. Whoever holds every key of the
    appliance could write its ledger anew; the witness would not cosign that, and says so.
    """


@witness.command()
@click.argument("folder", type=FOLDER)
@click.option("--name", required=True, help="Such as witness.pref-43.example.")
@click.option(
    "--ledger", "ledgers", multiple=True, required=True, help="Verifier key; may be repeated."
)
@click.option("--listen", default="127.0.0.1:8550", show_default=True, help="ADDRESS:PORT")
@click.option("--certificate", help="PEM; with --cert-key and --client-ca: mutual TLS.")
@click.option("--cert-key", help="PEM, mode 0600.")
@click.option("--client-ca", help="PEM: whose certificates may open a connection.")
@as_json
def init(folder: Path, name: str, ledgers: tuple[str, ...], listen: str, **tls: str | None) -> None:
    """Make the FOLDER of a new witness, and its key; print the key's public part.

    The printed vkey is for witness.vkey of the appliance's configuration, and for everybody who
    verifies a proof. The key itself never leaves the folder; it is not made twice.

    Example:
      juki witness init /var/lib/witness --name witness.pref-43.example --ledger VKEY
    """
    given = {
        "certificate": tls["certificate"],
        "key": tls["cert_key"],
        "client_ca": tls["client_ca"],
    }
    if any(given.values()) and not all(given.values()):
        raise Stop(Exit.NOT_UNDERSTOOD, "tls", "give --certificate, --cert-key and --client-ca")
    try:
        cosigner = make(folder, name, _config(listen, ledgers, given))
    except BadSetup as problem:
        raise Stop(Exit.REFUSED, "witness", str(problem)) from None
    except ValueError as problem:
        raise Stop(Exit.NOT_UNDERSTOOD, "name", str(problem)) from None
    show({"vkey": str(cosigner.key), "config": str(folder / CONFIG)})


@witness.command()
@click.argument("folder", type=FOLDER)
@as_json
def serve(folder: Path) -> None:
    """Serve the witness of this FOLDER until SIGTERM or SIGINT.

    It answers POST /add-checkpoint and nothing else. What it refuses because a ledger contradicts
    itself is in its log, and in `juki witness show`.

    Example:
      juki witness serve /var/lib/witness
    """
    # Here, because only this command needs the server.
    from appliance.witness import server

    # Unlike the appliance it knows of nobody: what it logs are names and sizes of ledgers.
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", force=True
    )

    def ready(setup: Setup, port: int) -> None:
        scheme = "http" if setup.context is None else "https"
        log.info("the witness answers on port %d", port)
        show({"listening": f"{scheme}://{setup.host}:{port}", "vkey": str(setup.cosigner.key)})

    try:
        server.serve(folder, ready)
    except BadSetup as problem:
        raise Stop(Exit.NOT_UNDERSTOOD, "witness", str(problem)) from None


@witness.command("show")
@click.argument("folder", type=FOLDER)
@as_json
def show_witness(folder: Path) -> None:
    """Say what this witness has cosigned, and what contradicted it. Exit: 4 if anything did.

    Evidence stays until a human has looked at it and moved the file elsewhere. That a ledger has
    not been seen for long is for a human to notice too: the age is shown.

    Example:
      juki witness show /var/lib/witness
    """
    try:
        cosigner = read_cosigner(folder)
    except BadSetup as problem:
        raise Stop(Exit.NOT_UNDERSTOOD, "witness", str(problem)) from None
    shelf = Shelf(folder, cosigner.key)
    shelf.make()
    try:
        records = [
            {
                "ledger": record.checkpoint.origin,
                "size": record.checkpoint.size,
                "root": record.checkpoint.root.hex(),
                "age_seconds": int(time.time()) - record.at,
            }
            for record in shelf.records()
        ]
    except LedgerBroken as problem:
        raise Stop(Exit.HUMAN, "integrity", str(problem)) from None
    evidence = [
        {"ledger": each.origin, "kind": each.kind.value, "file": str(each.path)}
        for each in shelf.evidence()
    ]
    plain = {"vkey": str(cosigner.key), "cosigned": records, "evidence": evidence}
    show(plain, lambda: _lines(plain))
    finish(Exit.HUMAN if evidence else Exit.DONE)


def _lines(plain: dict[str, Any]) -> str:
    parts = [plain["vkey"], ""]
    cosigned, evidence = plain["cosigned"], plain["evidence"]
    parts.append(
        table(cosigned, ("ledger", "size", "root", "age_seconds"))
        if cosigned
        else "nothing was cosigned yet"
    )
    if evidence:
        parts += ["", "the ledger contradicts itself:", table(evidence, ("ledger", "kind", "file"))]
    return "\n".join(parts)


def _config(listen: str, ledgers: tuple[str, ...], tls: dict[str, str | None]) -> str:
    lines = [f'listen = "{listen}"', "ledgers = [", *(f'    "{each}",' for each in ledgers), "]"]
    if all(tls.values()):
        lines += ["[tls]", *(f'{name} = "{path}"' for name, path in tls.items())]
    return "\n".join(lines) + "\n"
