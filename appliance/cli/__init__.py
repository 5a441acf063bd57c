"""``juki``: what an operator types.

While the server runs, a command is one HTTP call: to the main port with the terminal's certificate
and an operator's session (``people.py``, ``ledger.py``), or to the loopback port (``machine.py``).
Files are opened directly only by commands that say so, and only while no server has the store.

Read it in this order::

    frame.py     exit codes, output, how an error becomes both
    link.py      the two ways to the server; the session file
    machine.py   init serve unseal status check config
    report.py    what status and check say, in lines for people
    dev.py       serve --dev: a whole appliance to try things on
    sealing.py   seal
    policy.py    policy sign|show
    people.py    login logout operator terminal
    ledger.py    ledger verify|checkpoint|prove|search|person
    jobs.py      job list|run|status
    media.py     media keygen|seal|open
    watching.py  watching flags|show|decide|figures
"""

import logging

import click

from appliance.cli.frame import Juki
from appliance.cli.jobs import job
from appliance.cli.ledger import ledger
from appliance.cli.machine import check, config, init, serve, status, unseal
from appliance.cli.media import media
from appliance.cli.people import login, logout, operator, terminal
from appliance.cli.policy import policy
from appliance.cli.sealing import seal
from appliance.cli.watching import watching
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
      juki login OP-0001 --enrol --url https://... the first システム管理者 sets a PIN
      juki operator add OP-0002 ...                and lets others in

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
    config,
    policy,
    login,
    logout,
    operator,
    terminal,
    ledger,
    job,
    media,
    watching,
):
    juki.add_command(command)


def main() -> None:
    """Run ``juki``, its memory and its files kept to itself."""
    host.harden()
    juki(prog_name="juki")
