import os
from hashlib import sha256
from pathlib import Path

import pytest

from appliance.errors import StartupError
from appliance.machine import firmware
from appliance.machine.firmware import Manifest, sign, signer_of, unsigned, verified
from storage.note import Signer, VerifierKey, open_note
from tests.appliance.founding import make_site

CUSTODIANS = Signer(firmware.SIGNER_NAME, bytes(range(32)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = make_site(tmp_path).firmware
    sign(place, CUSTODIANS)
    return place


def told(folder: Path, least_serial: int = 1, vkey: str = CUSTODIANS.vkey) -> list[str]:
    with pytest.raises(StartupError) as caught:
        verified(folder, vkey, least_serial=least_serial)
    return [problem.removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_a_signed_policy_is_read(folder: Path) -> None:
    found = verified(folder, CUSTODIANS.vkey, least_serial=1)
    assert found.manifest.serial == 1
    assert sorted(found.manifest.digests) == [
        "plugins.toml",
        "policy/office.toml",
        "policy/purposes.toml",
        "policy/roles.toml",
        "policy/watching.toml",
    ]
    assert found.plugins == ()
    assert "system-administrator" in found.policy.roles


def test_manifest_and_signature_together_are_a_signed_note(folder: Path) -> None:
    text = (folder / "MANIFEST").read_text("utf-8")
    note = text + "\n" + (folder / "MANIFEST.sig").read_text("utf-8")
    assert open_note(note, CUSTODIANS.verifier) == text
    digest = sha256((folder / "plugins.toml").read_bytes()).hexdigest()
    assert text.startswith(f"juki-policy/v1\nserial 1\n{digest}  plugins.toml\n")


@pytest.mark.parametrize("name", ["plugins.toml", "policy/roles.toml", "policy/purposes.toml"])
def test_a_changed_file_is_named(folder: Path, name: str) -> None:
    with (folder / name).open("a") as file:
        file.write("# harmless?\n")
    assert told(folder) == [f"{name}: was changed after it was signed"]


def test_every_difference_is_told_at_once(folder: Path) -> None:
    (folder / "plugins.toml").write_text("version = 1\nplugins = []\n# x\n")
    (folder / "policy" / "extra.toml").write_text("")
    assert told(folder) == [
        "policy/extra.toml: was not signed",
        "plugins.toml: was changed after it was signed",
    ]


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "policy" / "roles.toml").unlink()
    assert told(folder) == ["policy/roles.toml: was signed and is missing"]
    (folder / "plugins.toml").unlink()
    assert told(folder) == ["plugins.toml: No such file or directory"]


def test_another_key_does_not_do(folder: Path) -> None:
    thief = Signer(firmware.SIGNER_NAME, bytes(32))
    sign(folder, thief)
    assert told(folder) == ["MANIFEST: is not signed with the policy key of this store"]


def test_a_changed_manifest_is_refused(folder: Path) -> None:
    manifest = folder / "MANIFEST"
    manifest.write_text(manifest.read_text("utf-8").replace("serial 1", "serial 9"))
    assert told(folder) == ["MANIFEST: is not signed with the policy key of this store"]


def test_an_old_policy_cannot_be_put_back(folder: Path) -> None:
    old = {name: (folder / name).read_bytes() for name in ("MANIFEST", "MANIFEST.sig")}
    assert sign(folder, CUSTODIANS).serial == 2
    verified(folder, CUSTODIANS.vkey, least_serial=2)
    for name, content in old.items():
        (folder / name).write_bytes(content)
    assert told(folder, least_serial=2) == [
        "MANIFEST: serial 1 was replaced by 2; an old policy cannot be put back"
    ]


def test_an_unsigned_policy_is_not_in_force(tmp_path: Path) -> None:
    place = make_site(tmp_path).firmware
    assert told(place) == ["MANIFEST: No such file or directory"]
    assert unsigned(place).manifest.serial == 0


def test_a_manifest_that_is_not_text_is_refused(folder: Path) -> None:
    (folder / "MANIFEST").write_bytes(b"\xff")
    assert told(folder) == ["MANIFEST: is not text"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "juki-policy/v1\n",
        "juki-policy/v1\nserial 0\n",
        "juki-policy/v1\nserial 01\n",
        "juki-policy/v2\nserial 1\n",
        "juki-policy/v1\nserial 1\nabc  plugins.toml\n",
        f"juki-policy/v1\nserial 1\n{'a' * 64}  b\n{'a' * 64}  a\n",
        f"juki-policy/v1\nserial 1\n{'a' * 64}  a",
    ],
)
def test_a_manifest_has_one_spelling(text: str) -> None:
    with pytest.raises(ValueError, match="not a manifest"):
        Manifest.parse(text)


def test_what_does_not_parse_is_not_signed(folder: Path) -> None:
    (folder / "plugins.toml").write_text('version = 1\nplugins = ["a", "a"]\n')
    with pytest.raises(StartupError, match="named twice"):
        sign(folder, CUSTODIANS)
    (folder / "plugins.toml").write_text("version = 1\nplugin = []\n")
    with pytest.raises(StartupError, match=r"plugins\.toml"):
        sign(folder, CUSTODIANS)


def test_what_a_plugin_may_use_is_signed_too(folder: Path) -> None:
    text = 'version = 1\nplugins = ["a"]\n[powers]\n'
    (folder / "plugins.toml").write_text(text + 'a = ["roster"]\n')
    assert unsigned(folder).powers == {"a": ("roster",)}
    for line, told in (('b = ["roster"]', "what is not let in: b"), ('a = ["keys"]', "plugins")):
        (folder / "plugins.toml").write_text(f"{text}{line}\n")
        with pytest.raises(StartupError, match=told):
            sign(folder, CUSTODIANS)


def test_a_manifest_nobody_can_read_is_not_written_over(folder: Path) -> None:
    (folder / "MANIFEST").write_text("mine")
    with pytest.raises(StartupError, match="not a manifest"):
        sign(folder, CUSTODIANS)


def test_a_policy_that_changes_while_it_is_read_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = firmware.policy_files(folder)

    def swapped(place: Path) -> dict[str, bytes]:
        with (place / "policy" / "roles.toml").open("a") as file:
            file.write("# swapped between the check and the reading\n")
        return good

    monkeypatch.setattr(firmware, "policy_files", swapped)
    with pytest.raises(StartupError, match="changed while it was read"):
        verified(folder, CUSTODIANS.vkey, least_serial=1)


def test_the_custodians_key_survives_paper(tmp_path: Path) -> None:
    seed = os.urandom(32)
    signer = Signer(firmware.SIGNER_NAME, seed)
    again = signer_of(firmware.secret_text(signer.verifier, seed) + "\n")
    assert again.vkey == signer.vkey
    assert VerifierKey.parse(again.vkey).name == "juki-policy"


@pytest.mark.parametrize("secret", ["", "PRIVATE+KEY+a+b", "PRIVATE+KEY+a+00000000+AQ==", "x+y+z"])
def test_what_is_no_key_is_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(ValueError, match=r"not a signing key|base64"):
        signer_of(secret)


def test_a_key_with_the_id_of_another_is_refused() -> None:
    text = firmware.secret_text(CUSTODIANS.verifier, bytes(32))
    with pytest.raises(ValueError, match="not a signing key"):
        signer_of(text)
