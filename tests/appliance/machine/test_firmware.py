import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from appliance.errors import StartupError
from appliance.machine import firmware
from appliance.machine.firmware import Manifest, sign, signer_of, unsigned, verified
from storage.note import Signer, VerifierKey, open_note
from tests.appliance.founding import make_site

FIRST, SECOND = map(Signer, firmware.SIGNER_NAMES, (bytes(range(32)), bytes(range(1, 33))))
KEYS = (FIRST.vkey, SECOND.vkey)


def both_sign(folder: Path) -> Manifest:
    """Let both custodians sign, one after the other."""
    sign(folder, FIRST)
    return sign(folder, SECOND)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = make_site(tmp_path).firmware
    both_sign(place)
    return place


def told(folder: Path, least_serial: int = 1, vkeys: Sequence[str] = KEYS) -> list[str]:
    with pytest.raises(StartupError) as caught:
        verified(folder, vkeys, least_serial=least_serial)
    return [problem.removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_a_signed_policy_is_read(folder: Path) -> None:
    found = verified(folder, KEYS, least_serial=1)
    assert found.manifest.serial == 1
    assert sorted(found.manifest.digests) == [
        "plugins.toml",
        "policy/access.toml",
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
    for custodian in (FIRST, SECOND):
        assert open_note(note, custodian.verifier) == text
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


def change(folder: Path) -> None:
    with (folder / "plugins.toml").open("a") as file:
        file.write("# another plugin\n")


MISSING = (
    "MANIFEST: is signed by one person only; the signature of {} is missing: "
    "whoever keeps that key signs too (juki policy sign)"
)


@pytest.mark.requirement("R127")
@pytest.mark.parametrize(("alone", "other"), [(FIRST, SECOND), (SECOND, FIRST)])
def test_one_person_alone_changes_nothing(folder: Path, alone: Signer, other: Signer) -> None:
    change(folder)
    for _ in range(3):
        assert sign(folder, alone).serial == 2
        assert told(folder) == [MISSING.format(other.verifier.name)]
        assert firmware.lacking(folder, KEYS) == [other.verifier.name]
    assert sign(folder, other).serial == 2
    assert verified(folder, KEYS, least_serial=2).manifest.serial == 2
    assert firmware.lacking(folder, KEYS) == []


def test_what_was_changed_between_the_signatures_was_signed_by_one(folder: Path) -> None:
    change(folder)
    assert sign(folder, FIRST).serial == 2
    change(folder)
    assert sign(folder, SECOND).serial == 3
    assert told(folder) == [MISSING.format("juki-policy-1")]


def test_the_signature_of_another_manifest_does_not_count(folder: Path) -> None:
    """A machine's operator puts the old signature of one beside the new one of the other."""
    old = (folder / "MANIFEST.sig").read_text("utf-8")
    change(folder)
    sign(folder, SECOND)
    new = (folder / "MANIFEST.sig").read_text("utf-8")
    (folder / "MANIFEST.sig").write_text(old.splitlines()[0] + "\n" + new, "utf-8")
    assert told(folder) == [MISSING.format("juki-policy-1")]
    assert sign(folder, FIRST).serial == 2
    verified(folder, KEYS, least_serial=2)


@pytest.mark.parametrize("second", [FIRST, Signer("juki-policy-2", bytes(range(32)))])
def test_one_key_under_two_names_is_one_person(folder: Path, second: Signer) -> None:
    change(folder)
    sign(folder, FIRST)
    sign(folder, second)
    assert told(folder, vkeys=(FIRST.vkey, second.vkey)) == [
        "MANIFEST: the store does not know two different policy keys"
    ]


def test_signing_again_what_is_in_force_changes_nothing(folder: Path) -> None:
    before = (folder / "MANIFEST").read_bytes()
    assert both_sign(folder).serial == 1
    assert (folder / "MANIFEST").read_bytes() == before
    verified(folder, KEYS, least_serial=1)


def test_another_key_does_not_do(folder: Path) -> None:
    change(folder)
    for name in firmware.SIGNER_NAMES:
        sign(folder, Signer(name, bytes(32)))
    assert told(folder) == ["MANIFEST: is not signed with the policy keys of this store"]
    assert told(folder, vkeys=("nonsense", FIRST.vkey)) == [
        "MANIFEST: the store does not know two different policy keys"
    ]


def test_a_changed_manifest_is_refused(folder: Path) -> None:
    manifest = folder / "MANIFEST"
    manifest.write_text(manifest.read_text("utf-8").replace("serial 1", "serial 9"))
    assert told(folder) == ["MANIFEST: is not signed with the policy keys of this store"]


def test_an_old_policy_cannot_be_put_back(folder: Path) -> None:
    old = {name: (folder / name).read_bytes() for name in ("MANIFEST", "MANIFEST.sig")}
    change(folder)
    assert both_sign(folder).serial == 2
    verified(folder, KEYS, least_serial=2)
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
        sign(folder, FIRST)
    (folder / "plugins.toml").write_text("version = 1\nplugin = []\n")
    with pytest.raises(StartupError, match=r"plugins\.toml"):
        sign(folder, FIRST)


def test_what_a_plugin_may_use_is_signed_too(folder: Path) -> None:
    text = 'version = 1\nplugins = ["a"]\n[powers]\n'
    (folder / "plugins.toml").write_text(text + 'a = ["roster"]\n')
    assert unsigned(folder).powers == {"a": ("roster",)}
    for line, told in (('b = ["roster"]', "what is not let in: b"), ('a = ["disk"]', "plugins")):
        (folder / "plugins.toml").write_text(f"{text}{line}\n")
        with pytest.raises(StartupError, match=told):
            sign(folder, FIRST)


def test_a_manifest_nobody_can_read_is_not_written_over(folder: Path) -> None:
    (folder / "MANIFEST").write_text("mine")
    with pytest.raises(StartupError, match="not a manifest"):
        sign(folder, FIRST)


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
        verified(folder, KEYS, least_serial=1)


def test_the_custodians_key_survives_paper(tmp_path: Path) -> None:
    seed = os.urandom(32)
    signer = Signer(firmware.SIGNER_NAMES[0], seed)
    again = signer_of(firmware.secret_text(signer.verifier, seed) + "\n")
    assert again.vkey == signer.vkey
    assert VerifierKey.parse(again.vkey).name == "juki-policy-1"


@pytest.mark.parametrize("secret", ["", "PRIVATE+KEY+a+b", "PRIVATE+KEY+a+00000000+AQ==", "x+y+z"])
def test_what_is_no_key_is_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(ValueError, match=r"not a signing key|base64"):
        signer_of(secret)


def test_a_key_with_the_id_of_another_is_refused() -> None:
    text = firmware.secret_text(FIRST.verifier, bytes(32))
    with pytest.raises(ValueError, match="not a signing key"):
        signer_of(text)
