"""``juki seal``: in order if the appliance answers, by force if it does not."""

import json
import os
import time
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import click

from appliance.cli.frame import Command, Exit, Stop, as_json, show, with_config
from appliance.cli.link import answers, ask_machine, refuse
from appliance.files import replace_file
from appliance.machine.config import Settings, read_settings
from appliance.machine.ending import kill_holder
from appliance.machine.store import Layout
from storage.lock import holder

ANSWER_SECONDS = 5.0
"""How long a process may take to say that it will seal; it does nothing else before."""
SEAL_SECONDS = 60.0
"""How long it may take to drain, to close and to come back sealed."""
KILLED = (
    "sealed: the process did not answer and was killed (process {pid}). What it acknowledged is on "
    "disk. Its supervisor starts it again, sealed; without one, run juki serve"
)


@click.command(cls=Command)
@with_config
@as_json
def seal(config_path: Path) -> None:
    """Seal the appliance: it drains, forgets every key and waits for the custodians again.

    Returns when it has come back sealed. An appliance that does not answer within 5 seconds, or has
    not come back within 60, is killed: then too nothing of a key is left in memory.

    Needs to read seal.token in the data folder: the service user, or root.

    Example:
      juki seal
    """
    settings = read_settings(config_path)
    try:
        _in_order(settings)
    except _Silent as silent:
        pid = _by_force(Layout(settings.data))
        if pid is None:
            raise silent.stop from None
        show({"sealed": True, "killed": pid}, lambda: KILLED.format(pid=pid))
    else:
        show({"sealed": True, "killed": None}, lambda: "sealed")


class _Silent(Exception):
    """The process says nothing; ``stop`` is what to say of it if there is none."""

    def __init__(self, stop: Stop) -> None:
        super().__init__()
        self.stop = stop


def _by_force(layout: Layout) -> int | None:
    """Kill whoever has the data folder; return its number. The next start notes who did it.

    The journal is the process's own to write, and its supervisor may start the next at once: so
    what is to be noted lies there before.
    """
    if holder(layout.data) is None:
        return None  # and what an earlier one left for the next start stays
    told = {"at": int(time.time() * 1000), "uid": os.getuid()}
    if sudo := os.environ.get("SUDO_UID", ""):
        told["sudo_uid"] = int(sudo)
    with suppress(OSError):  # a full disk must not keep anybody from sealing
        replace_file(layout.emergency, json.dumps(told).encode(), 0o600)
    pid = None
    try:
        pid = kill_holder(layout.data)
    finally:
        if pid is None:
            layout.emergency.unlink(missing_ok=True)
    return pid


def _in_order(settings: Settings) -> None:
    token_file, port = Layout(settings.data).seal_token, settings.management_port
    token = token_file.read_text("ascii")
    try:
        code, plain = ask_machine(port, "POST", "/v1/sys/seal", {}, token, seconds=ANSWER_SECONDS)
    except Stop as stop:
        raise _Silent(stop) from None
    if code != HTTPStatus.ACCEPTED:
        raise refuse(code, plain)
    # What is typed next must meet the fresh process, which has a token of its own.
    until = time.monotonic() + SEAL_SECONDS
    while token_file.read_text("ascii") == token or not answers(port):
        if time.monotonic() > until:
            slow = "it has not come back sealed yet; see juki status"
            raise _Silent(Stop(Exit.WRONG, "slow", slow))
        time.sleep(0.1)
