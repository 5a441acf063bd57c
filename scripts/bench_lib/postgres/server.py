"""A PostgreSQL of our own for as long as a bench runs, from the Debian packages.

It gets ``shared_buffers`` and ``maintenance_work_mem`` of 256 MB and a WAL of up to 4 GB between
checkpoints, which is what anybody would give it. All that makes a commit safe stays as it comes:
``fsync``, ``synchronous_commit`` and ``full_page_writes`` are on. It listens on a Unix socket
(faster for it than TCP) in a folder that only its user can enter, and nowhere else.
"""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

PACKAGES = Path("/usr/lib/postgresql")
SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
}
USER = "bench"
PATIENCE = 30.0
"""Seconds in which it must be up, or down."""


class NotThere(Exception):
    """There is no PostgreSQL to measure, and why."""


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Yield how to connect to a server with an empty database below ``folder``; end it afterwards.

    It ends with this process too, however that ends. As root it runs as another user, who must be
    able to pass through the folder above ``folder``: that one is made so.

    Raises:
        NotThere: it is not installed, or does not start here.
    """
    programs, owner = _programs(), _owner()
    with TemporaryDirectory(prefix="juki-pg-") as sockets:
        folder.mkdir(mode=0o700)
        for own in (folder, Path(sockets)):
            if owner is not None:
                # What lies there beside it is each readable by its owner alone.
                folder.parent.chmod(0o711)
                os.chown(own, owner.pw_uid, owner.pw_gid)
        data, log = folder / "data", folder / "log"
        _initialise(_as(owner, programs / "initdb"), data)
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        serve = [*_as(owner, programs / "postgres"), "-D", str(data), "-k", sockets, *options]
        with log.open("wb") as said:
            process = subprocess.Popen(serve, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            conninfo = f"host={sockets} user={USER} dbname=postgres"
            _wait(process, conninfo, log)
            yield conninfo
        finally:
            _stop(process)


def _programs() -> Path:
    """Return the folder of the newest release's programs."""
    releases = [path.parent for path in PACKAGES.glob("*/bin/postgres")]
    if not releases:
        raise NotThere("PostgreSQL is not installed (Debian: postgresql, postgresql-contrib)")
    return max(releases, key=lambda path: int(path.parent.name))


def _owner() -> pwd.struct_passwd | None:
    """Return as whom it runs, for it refuses to run as root; None: as whoever runs this."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name: user for user in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _as(owner: pwd.struct_passwd | None, program: Path) -> list[str]:
    somebody = []
    if owner is not None:
        somebody = [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    # A bench that is killed cannot stop its server; the kernel does.
    return ["setpriv", "--pdeathsig=INT", *somebody, str(program)]


def _initialise(initdb: Sequence[str], data: Path) -> None:
    options = ["--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C.UTF-8"]
    made = subprocess.run(
        [*initdb, "-D", str(data), *options, "--no-sync"],
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )
    if made.returncode:
        raise NotThere(f"initdb failed: {_last_line(made.stderr)}")


def _wait(process: subprocess.Popen[bytes], conninfo: str, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(conninfo).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > end:
                reason = _last_line(log.read_text("utf-8", "replace"))
                raise NotThere(f"it does not start: {reason}") from None
            time.sleep(0.05)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End it in the fast way, and if that takes too long at once."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait()


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"
