"""What the boot journal says of a process that does not start, and of one that was killed."""

import json
import socket
from pathlib import Path

import pytest

from appliance.errors import StartupError
from appliance.machine import host
from appliance.machine.boot import serve
from appliance.machine.notes import note_emergency
from appliance.machine.store import Layout
from storage.errors import Tampered
from storage.journal import Journal, read_journal
from tests.appliance.founding import Site, make_site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(host, "harden", lambda: None)
    site = make_site(tmp_path)
    site.found()
    return site


def refused_to_start(site: Site) -> str:
    with pytest.raises((StartupError, Tampered)):
        serve(site.settings, ())
    line = read_journal(Layout(site.data).journal)[-1]
    assert line["event"] == "start-refused"
    return str(line["why"])


def test_why_it_does_not_start_is_noted_once(site: Site) -> None:
    roles = site.firmware / "policy" / "roles.toml"
    signed = roles.read_bytes()
    roles.write_bytes(signed + b"\n")
    assert "policy/roles.toml: was changed after it was signed" in refused_to_start(site)
    refused_to_start(site)  # as a supervisor does, every few seconds
    roles.write_bytes(signed)
    ring = Layout(site.data).ring
    ring.write_bytes(ring.read_bytes()[:-1])
    assert "key ring" in refused_to_start(site)
    events = [line["event"] for line in read_journal(Layout(site.data).journal)]
    assert events == ["start-refused", "start-refused"]


def test_a_port_in_use_is_noted(site: Site) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", site.settings.management_port))
        other.listen()
        assert f"port {site.settings.management_port}" in refused_to_start(site)


def test_who_killed_the_process_before_is_noted_whatever_the_file_holds(site: Site) -> None:
    layout = Layout(site.data)
    log = Journal(layout.journal, lambda: 1_775_000_000_000)
    for told in (
        json.dumps({"at": 7, "uid": 0, "sudo_uid": 1000, "name": "x"}),
        "{",
        '{"uid": "x"}',
    ):
        layout.emergency.write_text(told, "utf-8")
        note_emergency(layout, log)
        assert not layout.emergency.exists()
    note_emergency(layout, log)
    log.close()
    lines = read_journal(layout.journal)
    told_of = [{name: line[name] for name in line if name.startswith("told_")} for line in lines]
    assert told_of == [{"told_at": 7, "told_uid": 0, "told_sudo_uid": 1000}, {}, {}]
