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

import click

from appliance.cli.approvals import approval
from appliance.cli.backup import backup
from appliance.cli.compliance import compliance
from appliance.cli.frame import Juki
from appliance.cli.jobs import job
from appliance.cli.journal import journal
from appliance.cli.keys import keys
from appliance.cli.ledger import ledger
from appliance.cli.load import load
from appliance.cli.machine import check, config, init, serve, status, unseal
from appliance.cli.media import media
from appliance.cli.policy import policy
from appliance.cli.roster import operator, person, roster
from appliance.cli.sealing import seal
from appliance.cli.session import login, logout, verify
from appliance.cli.terminals import terminal
from appliance.cli.usebook import usebook
from appliance.cli.watching import watching
from appliance.cli.witness import witness
from appliance.machine import host

SILENCE = logging.NullHandler()


@click.group(cls=Juki, context_settings={"help_option_names": ["-h", "--help"]})
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


for command in (
    init,
    serve,
    unseal,
    seal,
    status,
    check,
    backup,
    load,
    config,
    keys,
    policy,
    login,
    verify,
    logout,
    person,
    operator,
    terminal,
    roster,
    approval,
    ledger,
    journal,
    job,
    media,
    compliance,
    usebook,
    witness,
    watching,
):
    juki.add_command(command)


def main() -> None:
    """Run ``juki``, its memory and its files kept to itself."""
    host.harden()
    juki(prog_name="juki")
