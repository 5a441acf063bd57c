"""An exported ledger is verified by the Go project's own packages, and damage is named by them."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.cosignature import Cosigner, with_cosignature
from storage.leaf import Header, body_key, seal_leaf
from storage.note import Signer, to_base64, unbase64
from storage.tiles import export
from tests.storage.made import ORIGIN, SIGNER, LedgerInMemory, flipped, small_ledger

SOURCE = Path(__file__).parents[1] / "ledger_go" / "verify.go"
COSIGNED = SOURCE.parent / "cosigned" / "cosigned.go"
WITNESS = Cosigner("witness.example", bytes(range(50, 82)))
AT = 1_790_000_000
GO_PACKAGES = Path("/usr/share/gocode")


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(SOURCE, tmp_path_factory.mktemp("go"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(COSIGNED, tmp_path_factory.mktemp("go"))


def built(source: Path, folder: Path) -> Path:
    if shutil.which("go") is None or not (GO_PACKAGES / "src/golang.org/x/mod/sumdb").exists():
        missing = "apt install golang-go golang-golang-x-mod-dev"
        if os.environ.get("JUKI_SKIP_NOTHING"):
            pytest.fail(f"the independent verification did not run: {missing}")
        pytest.skip(missing)
    binary = folder / "verify"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GO111MODULE": "off",
        "GOPATH": str(GO_PACKAGES),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
    }
    subprocess.run(["go", "build", "-o", binary, source], env=environment, check=True)
    return binary


def said(verifier: Path, folder: Path, vkey: str = SIGNER.vkey) -> tuple[int, str]:
    done = subprocess.run([verifier, folder, vkey], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


def exported(folder: Path, ledger: LedgerInMemory) -> Path:
    export(folder, ledger, ledger.checkpoint())
    return folder


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 700, 70_000])
def test_go_finds_an_exported_ledger_sound(verifier: Path, tmp_path: Path, size: int) -> None:
    assert said(verifier, exported(tmp_path, small_ledger(size))) == (0, f"sound {size}")


def test_go_finds_a_ledger_of_sealed_entries_sound(verifier: Path, tmp_path: Path) -> None:
    key = body_key(bytes(32))
    ledger = LedgerInMemory(
        seal_leaf(Header(index, 1_790_000_000_000 + index, 1, 0, 2026), b"body", key, ORIGIN)
        for index in range(300)
    )
    assert said(verifier, exported(tmp_path, ledger)) == (0, "sound 300")


def test_go_finds_a_ledger_sound_after_every_export(verifier: Path, tmp_path: Path) -> None:
    ledger = small_ledger(0)
    for size in (3, 256, 600):
        for index in range(ledger.frontier.size, size):
            ledger.append(b"entry %d" % index)
        assert said(verifier, exported(tmp_path, ledger)) == (0, f"sound {size}")


def flip(name: str, place: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        path.write_bytes(flipped(path.read_bytes(), 8 * place))

    return damage


def cut(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes()[:-3])

    return damage


def swap(folder: Path) -> None:
    shutil.copy(folder / "tile/0/001", folder / "tile/0/000")


def forge(folder: Path) -> None:
    """Change an entry and its hash, as somebody would who knows the format."""
    forged = LedgerInMemory([b"forged!", *small_ledger(256).entries[1:]])
    (folder / "tile/0/000").write_bytes(b"".join(forged.hashes[0]))
    bundle = (folder / "tile/entries/000").read_bytes()
    (folder / "tile/entries/000").write_bytes(bundle.replace(b"entry 0", b"forged!"))


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "first entry": (flip("tile/entries/000", 2), "entry 0 is not the one in its tile"),
    # Each of these bundles holds entries of nine characters behind two bytes of length.
    "entry 300": (flip("tile/entries/001", 44 * 11 + 6), "entry 300 is not the one in its tile"),
    "last entry": (flip("tile/entries/002.p/188", 187 * 11 + 10), "entry 699 is not the one"),
    "length of entry 300": (flip("tile/entries/001", 44 * 11), "entry 300 is not the one"),
    "cut bundle": (cut("tile/entries/001"), "entry 511 is not the one in its tile"),
    "tile of level 0": (flip("tile/0/001", 40), "tile/0/001 is not what the entries give"),
    "partial tile": (flip("tile/0/002.p/188", 0), "tile/0/002.p/188 is not what"),
    "tile of level 1": (flip("tile/1/000.p/2", 0), "tile/1/000.p/2 is not what"),
    "cut tile": (cut("tile/0/001"), "tile/0/001 has 8189 bytes, not 8192"),
    "swapped tile": (swap, "tile/0/000 is not what the entries give"),
    "entry and tile": (forge, "the entries and their tiles do not give the signed root"),
    "missing bundle": (lambda f: (f / "tile/entries/001").unlink(), "tile/entries/001: no such"),
    "missing checkpoint": (lambda f: (f / "checkpoint").unlink(), "checkpoint: no such file"),
    "changed checkpoint": (flip("checkpoint", len(ORIGIN) + 1), "invalid signature"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_go_names_what_is_damaged(verifier: Path, tmp_path: Path, damage: str) -> None:
    folder = exported(tmp_path, small_ledger(700))
    hurt, says = DAMAGE[damage]
    hurt(folder)
    code, text = said(verifier, folder)
    assert code == 1
    assert says in text


def test_go_refuses_another_key(verifier: Path, tmp_path: Path) -> None:
    folder = exported(tmp_path, small_ledger(3))
    code, text = said(verifier, folder, Signer(ORIGIN, bytes(32)).vkey)
    assert (code, text) == (1, "note has no verifiable signatures")


# --- cosignatures


def cosigned(note: str, by: Cosigner = WITNESS) -> str:
    return with_cosignature(note, by.cosign(note.partition("\n\n")[0] + "\n", AT), by.key)


def read(reader: Path, folder: Path, note: str) -> tuple[int, str]:
    path = folder / "checkpoint.witnessed"
    path.write_text(note, "utf-8")
    done = subprocess.run(
        [reader, path, SIGNER.vkey, str(WITNESS.key)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.strip()


def test_go_finds_a_ledger_sound_whose_checkpoint_is_cosigned(
    verifier: Path, tmp_path: Path
) -> None:
    ledger = small_ledger(300)
    export(tmp_path, ledger, cosigned(ledger.checkpoint()))
    assert said(verifier, tmp_path) == (0, "sound 300")


def test_go_verifies_a_cosignature(reader: Path, tmp_path: Path) -> None:
    note = cosigned(small_ledger(300).checkpoint())
    assert read(reader, tmp_path, note) == (0, f"cosigned 300 {AT}")


def test_go_refuses_a_cosignature_of_another_time_or_witness(reader: Path, tmp_path: Path) -> None:
    note = cosigned(small_ledger(300).checkpoint())
    ours, line = note.removesuffix("\n").rsplit("\n", 1)
    head, encoded = line.rsplit(" ", 1)
    raw = bytearray(unbase64(encoded))
    raw[11] ^= 1
    later = f"{ours}\n{head} {to_base64(bytes(raw))}\n"
    assert read(reader, tmp_path, later) == (
        1,
        f"invalid signature for key witness.example+{WITNESS.key.key_id.hex()}",
    )
    other = cosigned(small_ledger(300).checkpoint(), Cosigner("witness.example", bytes(32)))
    assert read(reader, tmp_path, other) == (1, "the witness has not cosigned")
