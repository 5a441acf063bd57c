"""The signed policy: nothing of it is loaded that two persons did not sign, each with his own key.

::

    plugins.toml            which plugins are let in, and what they may use beside residents
    policy/*.toml           roles, 事務, items
    MANIFEST                serial and digests of every file above
    MANIFEST.sig            the signature lines under it, one of each policy key

    MANIFEST   "juki-policy/v1", "serial N", then "SHA-256 in hex, two spaces, path" a line each,
               sorted by path
    together   MANIFEST, an empty line, MANIFEST.sig are a signed note (C2SP signed-note)

Two custodians keep a signing key each; the store keeps, sealed, both verifier keys and the highest
serial it has seen, so that an old policy cannot be put back (R126). Neither of them alone, nor who
runs the machine, can widen a right or let a plugin in (R127). The first signature makes a manifest
under the next serial, the second completes it. The settings in ``appliance.toml`` are not signed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from appliance.case import Power
from appliance.errors import StartupError
from appliance.files import replace_file
from appliance.policy import FILES, Policy, read_policy
from storage.errors import LedgerBroken
from storage.note import (
    ED25519,
    Signer,
    VerifierKey,
    open_note,
    parse_note,
    to_base64,
    unbase64,
)

MANIFEST, SIGNATURE = "MANIFEST", "MANIFEST.sig"
PLUGINS, POLICY = "plugins.toml", "policy"
SIGNER_NAMES = ("juki-policy-1", "juki-policy-2")
FIRST_LINE = "juki-policy/v1"
SECRET_START = "PRIVATE+KEY+"  # noqa: S105
_LINE = re.compile(r"([0-9a-f]{64})  ([a-z0-9_./-]{1,100})")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was signed: ``serial`` grows by one with every change that is signed."""

    serial: int
    digests: Mapping[str, str]
    """SHA-256 in hex, by path below the firmware folder."""

    def text(self) -> str:
        """Return the manifest as it is signed."""
        lines = [f"{digest}  {path}" for path, digest in sorted(self.digests.items())]
        return "\n".join((FIRST_LINE, f"serial {self.serial}", *lines, ""))

    @classmethod
    def parse(cls, text: str) -> "Manifest":
        """Read a manifest in its one spelling.

        Raises:
            ValueError: it is none.
        """
        first, serial, *lines, last = text.split("\n") if text.count("\n") >= 2 else ("", "", "")
        rows = [row for line in lines if (row := _LINE.fullmatch(line))]
        if re.fullmatch(r"serial [1-9][0-9]{0,8}", serial) is None:
            raise ValueError("this is not a manifest of a policy")
        manifest = cls(int(serial.removeprefix("serial ")), {row[2]: row[1] for row in rows})
        if first != FIRST_LINE or last or manifest.text() != text:
            raise ValueError("this is not a manifest of a policy")
        return manifest


@dataclass(frozen=True, slots=True)
class Firmware:
    """A policy that was verified and read."""

    manifest: Manifest
    policy: Policy
    plugins: tuple[str, ...]
    powers: Mapping[str, tuple[Power, ...]]
    """Which parts of the appliance the operations of a plugin may use, beside residents."""


class _Plugins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    plugins: tuple[str, ...]
    powers: Mapping[str, tuple[Power, ...]] = {}


def policy_files(folder: Path) -> dict[str, bytes]:
    """Return every file that is signed, by path below the folder; also those nobody expects.

    Raises:
        StartupError: one cannot be read.
    """
    try:
        paths = [folder / PLUGINS, *sorted((folder / POLICY).iterdir())]
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    except OSError as problem:
        raise StartupError(f"{problem.filename}: {problem.strerror}") from None


def unsigned(folder: Path) -> Firmware:
    """Return the policy as it lies there, signed or not: to look at, never to serve with.

    Raises:
        StartupError: it cannot be read, or is not understood.
    """
    there = policy_files(folder)
    return _read(folder, there, Manifest(0, _digests(there)))


def sign(folder: Path, signer: Signer) -> Manifest:
    """Sign the policy as it lies there: under the next serial, or beside who signed it already.

    Raises:
        StartupError: it cannot be read, or is not understood; nothing is signed then.
        OSError: the disk.
    """
    digests, before = unsigned(folder).manifest.digests, _manifest_there(folder)
    if before is not None and before.digests == digests:
        manifest, others = before, _signatures_of_others(folder, signer)
    else:
        manifest, others = Manifest(before.serial + 1 if before else 1, digests), ""
    text = manifest.text()
    _, _, mine = signer.sign(text).rpartition("\n\n")
    # Without its signatures a manifest is good for nothing; those of another one are none of its.
    replace_file(folder / MANIFEST, text.encode(), 0o644)
    replace_file(folder / SIGNATURE, (others + mine).encode(), 0o644)
    return manifest


def lacking(folder: Path, vkeys: Sequence[str]) -> list[str]:
    """Return the names of the policy keys by which the manifest is not signed, or not rightly.

    Raises:
        StartupError: it cannot be read.
    """
    note = _note(folder)
    return [key.name for key in map(VerifierKey.parse, vkeys) if not _is_signed_by(key, note)]


def verified(folder: Path, vkeys: Sequence[str], *, least_serial: int) -> Firmware:
    """Return the policy, once it is shown to be what two persons signed.

    Args:
        folder: where it lies.
        vkeys: the verifier keys of both.
        least_serial: the highest one that was in force.

    Raises:
        StartupError: names every file that was changed, removed or added, or whose signature is
            missing, or what is wrong with the manifest.
    """
    manifest = _signed_manifest(folder, vkeys)
    if manifest.serial < least_serial:
        raise StartupError(
            f"{folder / MANIFEST}: serial {manifest.serial} was replaced by {least_serial}; "
            "an old policy cannot be put back"
        )
    there = policy_files(folder)
    if problems := _differences(folder, manifest, there):
        raise StartupError(*problems)
    return _read(folder, there, manifest)


def secret_text(verifier: VerifierKey, seed: bytes) -> str:
    """Return a signing key as the custodians keep it; Go's ``note`` package reads it too."""
    material = to_base64(ED25519 + seed)
    return f"{SECRET_START}{verifier.name}+{verifier.key_id.hex()}+{material}"


def signer_of(secret: str) -> Signer:
    """Return the signer of a key as ``secret_text`` wrote it.

    Raises:
        ValueError: it is none; the text does not quote it.
    """
    name, _, rest = secret.strip().removeprefix(SECRET_START).partition("+")
    key_id, _, material = rest.partition("+")
    raw = unbase64(material)
    if not secret.startswith(SECRET_START) or raw[:1] != ED25519 or len(raw) != 33:
        raise ValueError("this is not a signing key")
    signer = Signer(name, raw[1:])
    if signer.verifier.key_id.hex() != key_id:
        raise ValueError("this is not a signing key")
    return signer


def are_two_keys(vkeys: Sequence[str]) -> bool:
    """Return whether these are the verifier keys of two different keys, whatever their names."""
    try:
        return len(vkeys) == 2 and len({VerifierKey.parse(vkey).public for vkey in vkeys}) == 2
    except ValueError:
        return False


def _signed_manifest(folder: Path, vkeys: Sequence[str]) -> Manifest:
    where = folder / MANIFEST
    if not are_two_keys(vkeys):
        raise StartupError(f"{where}: the store does not know two different policy keys")
    missing = lacking(folder, vkeys)
    if len(missing) == len(vkeys):
        raise StartupError(f"{where}: is not signed with the policy keys of this store")
    if missing:
        raise StartupError(
            f"{where}: is signed by one person only; the signature of {missing[0]} is missing: "
            "whoever keeps that key signs too (juki policy sign)"
        )
    try:
        return Manifest.parse(parse_note(_note(folder)).text)
    except ValueError:
        raise StartupError(f"{where}: is not a manifest of a policy") from None


def _is_signed_by(key: VerifierKey, note: str) -> bool:
    try:
        open_note(note, key)
    except LedgerBroken:
        return False
    return True


def _note(folder: Path) -> str:
    """Return manifest and signatures, together a signed note."""
    try:
        text = (folder / MANIFEST).read_text("utf-8")
        return f"{text}\n{(folder / SIGNATURE).read_text('utf-8')}"
    except OSError as problem:
        raise StartupError(f"{problem.filename}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise StartupError(f"{folder / MANIFEST}: is not text") from None


def _signatures_of_others(folder: Path, signer: Signer) -> str:
    """Return the lines of those who signed this manifest already; none if they are not lines."""
    try:
        signatures = parse_note(_note(folder)).signatures
    except (StartupError, LedgerBroken):
        return ""
    mine = signer.verifier
    return "".join(
        f"— {each.name} {to_base64(each.key_id + each.blob)}\n"
        for each in signatures
        if (each.name, each.key_id) != (mine.name, mine.key_id)
    )


def _differences(folder: Path, manifest: Manifest, there: Mapping[str, bytes]) -> list[str]:
    found, signed = _digests(there), manifest.digests
    problems = {
        **dict.fromkeys(sorted(signed.keys() - found.keys()), "was signed and is missing"),
        **dict.fromkeys(sorted(found.keys() - signed.keys()), "was not signed"),
        **{
            path: "was changed after it was signed"
            for path in sorted(found.keys() & signed.keys())
            if found[path] != signed[path]
        },
    }
    return [f"{folder / path}: {problem}" for path, problem in problems.items()]


def _read(folder: Path, there: Mapping[str, bytes], manifest: Manifest) -> Firmware:
    policy = read_policy(folder / POLICY)
    read = b"\0".join(there.get(f"{POLICY}/{name}", b"") for name in FILES)
    # The files were read once to be compared and once to be understood.
    if policy.digest != sha256(read).digest():
        raise StartupError(f"{folder / POLICY}: changed while it was read")
    listed = _plugins(folder, there)
    return Firmware(manifest, policy, listed.plugins, listed.powers)


def _plugins(folder: Path, there: Mapping[str, bytes]) -> _Plugins:
    try:
        listed = msgspec.toml.decode(there[PLUGINS], type=_Plugins)
    except (ValueError, msgspec.ValidationError) as problem:
        raise StartupError(f"{folder / PLUGINS}: {problem}") from None
    if len(set(listed.plugins)) != len(listed.plugins):
        raise StartupError(f"{folder / PLUGINS}: a plugin is named twice")
    if strangers := sorted(set(listed.powers) - set(listed.plugins)):
        names = ", ".join(strangers)
        raise StartupError(f"{folder / PLUGINS}: [powers] of what is not let in: {names}")
    return listed


def _manifest_there(folder: Path) -> Manifest | None:
    try:
        return Manifest.parse((folder / MANIFEST).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise StartupError(f"{folder / MANIFEST}: is not a manifest of a policy") from None


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: sha256(content).hexdigest() for path, content in files.items()}
