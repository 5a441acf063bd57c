"""``juki``: what an operator types.

While the server runs, a command is one HTTP call: to the main port with the terminal's certificate
and an operator's session (``people.py``, ``ledger.py``), or to the loopback port (``machine.py``).
Files are opened directly only by commands that say so, and only while no server has the store.

Read it in this order::

    frame.py     exit codes, output, how an error becomes both
    link.py      the two ways to the server; the session file
    machine.py   init serve unseal status check config
    load.py      load: very many residents at once, while no server has the store
    report.py    what status and check say, in lines for people
    keys.py      keys rotate
    dev.py       serve --dev: a whole appliance to try things on
    sealing.py   seal
    backup.py    backup make|verify|restore
    policy.py    policy sign|show
    session.py   login verify logout
    roster.py    person …  operator …  roster print
    terminals.py terminal …
    approvals.py approval list|show|give|refuse|withdraw; --approval and --request of others
    ledger.py    ledger verify|checkpoint|prove|verify-proof|verify-export
    reading.py   ledger search|denials|person|report|export
    journal.py   journal show|verify
    jobs.py      job list|run|status
    media.py     media keygen|seal|open
    compliance.py  compliance books|open|step|list|show|due|coverage|lacking|pack
    usebook.py   usebook import|lines|match|leftovers|mark|sign-off|reopen|figures
    witness.py   witness init|serve|show: another program, on another machine
    watching.py  watching flags|show|decide|figures
"""

import logging
from importlib import import_module
from typing import Any

import click

from appliance.cli.frame import Juki
from appliance.machine import host

SILENCE = logging.NullHandler()
COMMANDS = {
    "init": "machine",
    "serve": "machine",
    "unseal": "machine",
    "seal": "sealing",
    "status": "machine",
    "check": "machine",
    "load": "load",
    "config": "machine",
    "keys": "keys",
    "backup": "backup",
    "policy": "policy",
    "login": "session",
    "verify": "session",
    "logout": "session",
    "person": "roster",
    "operator": "roster",
    "terminal": "terminals",
    "roster": "roster",
    "approval": "approvals",
    "ledger": "ledger",
    "journal": "journal",
    "job": "jobs",
    "media": "media",
    "compliance": "compliance",
    "usebook": "usebook",
    "witness": "witness",
    "watching": "watching",
}
"""Every command, and the module that has it under the same name."""


class All(Juki):
    """The commands; only the module of the one that was typed is loaded, so that it starts soon."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None if there is no such."""
        if cmd_name not in COMMANDS:
            return None
        module: Any = import_module(f"appliance.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(cls=All, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="juki-appliance", prog_name="juki")
def juki() -> None:
    """The prefectural resident-register appliance (都道府県サーバ).

    A first day:
      juki init --config appliance.toml --shares-to - --terminal terminal.pem ...
      juki serve --config appliance.toml
      juki unseal --config appliance.toml          three custodians, one share each
      juki login P-0001 --enrol --url https://...  the first システム管理者, at the first terminal
      juki login P-9001 --enrol --url https://...  the first セキュリティ責任者, --session FILE

    Letting somebody in takes both of them, and two papers:
      juki person grant P-0002 ... --request --why 新任      who he is: one asks,
      juki approval give 1                                  the other agrees,
      juki person grant P-0002 ... --approval 1             then it is done; prints his code
      juki operator add OP-0002 --holder P-0002 ...         what he may do: the same three steps
      juki login P-0002 --enrol --authenticator ...         he registers his device

    Exit codes: 0 done; 1 done, and something is wrong; 2 not understood;
    3 refused; 4 a human must look. Of status: 0 unsealed, 1 error, 2 sealed.
    """
    # What goes wrong is told by the command; log lines are for the serving process.
    logging.getLogger().addHandler(SILENCE)


def main() -> None:
    """Run ``juki``, its memory and its files kept to itself."""
    host.harden()
    juki(prog_name="juki")
