"""``system/state`` of an appliance that serves: what it tells is what ``juki status`` tells."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from appliance.machine.gate import Ending
from appliance.statedesk import SystemState
from tests.appliance.founding import NOW, make_site
from tests.appliance.machine.test_backup import Unsealed


@pytest.fixture
def unsealed(tmp_path: Path) -> Iterator[Unsealed]:
    site = make_site(tmp_path / "site")
    made = Unsealed(site, site.found(), alarm_after=timedelta(days=2))
    made.unseal()
    yield made
    made.appliance.close(Ending.STOP)
    made.journal.close()


def told(unsealed: Unsealed) -> SystemState:
    return unsealed.running.opened.loaded.state.look()


def test_it_tells_what_the_machine_itself_is_told(unsealed: Unsealed) -> None:
    state, details = told(unsealed), unsealed.appliance.details()
    assert (state.at, state.unsealed_at) == (NOW, NOW)
    assert state.version == unsealed.appliance.seal_status()["version"]
    assert state.policy_serial == details["policy_serial"]
    assert state.disk_free == pytest.approx(details["disk_free"], abs=0.01)
    assert list(state.warnings) == details["warnings"]
    assert (state.national, state.witness) == (None, None)
    assert state.ledger.entries == unsealed.size


def test_the_export_is_told_as_far_as_it_goes(unsealed: Unsealed) -> None:
    unsealed.running.jobs.stop()
    unsealed.running.exporter.export()
    before = told(unsealed).ledger
    assert before.exported == before.entries
    unsealed.enter(3)
    after = told(unsealed).ledger
    assert (after.exported, after.entries) == (before.entries, before.entries + 3)


def test_a_backup_is_told_with_its_age_and_alarms_when_it_is_old(
    unsealed: Unsealed, tmp_path: Path
) -> None:
    assert told(unsealed).backup.at is None
    (tmp_path / "medium").mkdir()
    made = unsealed.make(tmp_path / "medium")
    backup = told(unsealed).backup
    assert (backup.at, backup.entries) == (NOW, made.manifest.ledger_size)
    unsealed.now = NOW + timedelta(days=3)
    (alarm,) = [each for each in told(unsealed).alarms if each.name == "backup-old"]
    assert alarm.since == NOW
    assert "alarms" in told(unsealed).warnings


def test_the_end_of_a_certificate_is_read_from_its_file(unsealed: Unsealed) -> None:
    (server,) = told(unsealed).certificates
    assert server.name == "server"
    assert isinstance(server.not_after, datetime)
    unsealed.settings.tls.certificate.write_bytes(b"damaged")
    assert told(unsealed).certificates[0].not_after is None
