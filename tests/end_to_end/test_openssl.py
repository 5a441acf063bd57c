"""The certificates that ``firmware_config/README.md`` says how to make are good for everything."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.appliance.founding import Site, configure
from tests.end_to_end.test_process import PIN, Process, juki, plain
from tests.machine import SHIPPED

BLOCK = re.compile(r"^```sh certificates\n(.*?)^```$", re.MULTILINE | re.DOTALL)
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a machine whose certificates were made by the lines of the README."""
    (block,) = BLOCK.findall((SHIPPED / "README.md").read_text("utf-8"))
    made = Site(tmp_path, tmp_path / "appliance.toml")
    for folder in (made.tls, made.firmware):
        folder.mkdir()
    done = subprocess.run(["bash", "-euc", block], cwd=made.tls, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    shutil.copytree(SHIPPED / "policy", made.firmware / "policy")
    shutil.copy(SHIPPED / "plugins.toml", made.firmware)
    configure(made, residents=10_000)
    return made


@pytest.fixture
def process(site: Site) -> Iterator[Process]:
    founded = plain(
        juki(
            *("init", "--config", site.config, "--terminal", site.tls / "TERM-0001.pem"),
            *("--shares-to", site.custodians, "--json"),
        )
    )
    (site.folder / "code").write_text(founded["enrolment_code"])
    (site.folder / "officer-code").write_text(founded["officer_code"])
    running = Process(site).start()
    yield running
    running.child.kill()
    running.child.wait()


def test_with_them_a_server_serves_and_a_terminal_logs_in(process: Process) -> None:
    site = process.site
    process.unseal()
    options = {
        "url": f"https://127.0.0.1:{site.settings.listen.port}",
        "certificate": site.tls / "TERM-0001.pem",
        "key": site.tls / "TERM-0001.key",
        "ca": site.tls / "ca.pem",
        "session": site.folder / "session.json",
    }
    seat = [f"--{name}={value}" for name, value in options.items()]
    code = (site.folder / "code").read_text()
    opened = juki("login", "P-0001", "--enrol", "--json", *seat, given=f"{code}\n{PIN}\n")
    assert plain(opened)["operator"] == "OP-0001"
    cs = ("CS-432024", site.tls / "CS-432024.pem", "--kind=municipality", "--municipality=432024")
    enrol = ("terminal", "enrol", *cs, "--json", *seat)
    number = plain(juki(*enrol, "--request", "--form=接続-1", "--why=新設"))["number"]
    officer = [*seat[:-1], f"--session={site.folder / 'officer.json'}"]
    code = (site.folder / "officer-code").read_text()
    plain(juki("login", "P-9001", "--enrol", "--json", *officer, given=f"{code}\n{PIN}\n"))
    plain(juki("approval", "give", number, "--json", *officer))
    assert plain(juki(*enrol, "--approval", number))["municipality_code"] == "432024"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "other.key",
            "-out",
            "other.pem",
            "-subj",
            "/CN=other",
        ],
        cwd=site.tls,
        capture_output=True,
        check=True,
    )
    foreign = ("TERM-0002", site.tls / "other.pem", "--kind=business", "--place=県税事務所")
    refused = juki("terminal", "enrol", *foreign, *seat)
    assert refused.exit_code == 2
    assert "another authority" in refused.stderr
