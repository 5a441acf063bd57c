from pathlib import Path
from typing import Any

import pytest

from appliance.certificates import peer_from_pem
from appliance.cli import dev
from appliance.cli.dev import Place, make
from appliance.errors import Malformed, StartupError
from appliance.machine import boot
from appliance.machine.config import read_settings
from appliance.machine.firmware import verified
from appliance.machine.store import Layout, read_identity


def test_everything_is_made_in_one_folder_and_says_what_it_is(tmp_path: Path) -> None:
    place = Place(tmp_path / "dev", 9000)
    founded = make(place, ["432024", "431001"])
    settings = read_settings(place.config)
    assert settings.is_development
    assert (settings.listen.host, settings.listen.port, settings.management_port) == (
        "127.0.0.1",
        9000,
        9001,
    )
    assert read_identity(Layout(settings.data)) == founded.identity
    assert verified(place.firmware, founded.identity.policy_keys, least_serial=1).plugins
    assert {path.name for path in place.custodians.iterdir()} == {
        *(f"share-{number}.txt" for number in range(1, 6)),
        "policy-1.key",
        "policy-2.key",
    }
    for name in ("server", "terminal", "cs-432024", "cs-431001"):
        assert peer_from_pem((place.tls / f"{name}.pem").read_bytes())


def test_nothing_is_ever_made_over_something(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(StartupError, match="is not empty"):
        make(Place(tmp_path, 9000), [])
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_municipality_that_does_not_exist_is_told_before_anything_is_made(
    tmp_path: Path,
) -> None:
    with pytest.raises(StartupError) as refused:
        make(Place(tmp_path / "dev", 9000), ["999999", "432024", "430005"])
    assert refused.value.problems == (
        "--municipality 999999: no municipality has this code",
        "--municipality 430005: no municipality has this code",
    )
    assert not (tmp_path / "dev").exists()


def test_without_a_shipped_policy_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "SHIPPED", tmp_path / "nowhere")
    with pytest.raises(StartupError, match="policy as shipped"):
        make(Place(tmp_path / "dev", 9000), [])
    assert not (tmp_path / "dev").exists()


def test_a_start_that_fails_halfway_ends_the_process_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    killed: list[tuple[int, int]] = []

    class Refusing:
        def unseal(self, share: str) -> dict[str, Any]:
            raise Malformed("this is a share of another store")

    def serve(settings: object, again: tuple[str, ...], *, ready: Any) -> int:
        ready(Refusing())
        return 0

    monkeypatch.setattr(boot, "serve", serve)
    monkeypatch.setattr(dev.os, "kill", lambda pid, number: killed.append((pid, number)))
    assert dev.serve(tmp_path / "dev", ["432024"], 9000) == 1
    assert len(killed) == 1
    assert "a share of another store" in capsys.readouterr().err


def test_without_a_municipality_no_notice_is_proposed(tmp_path: Path) -> None:
    text = dev._what_to_try(Place(tmp_path, 9000), [])
    assert "update/notify" not in text
    assert "search/find" in text
