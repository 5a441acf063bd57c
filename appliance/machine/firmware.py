"""The signed policy: nothing of it is loaded that the custodians did not sign.

::

    plugins.toml            which plugins are let in, and what they may use beside residents
    policy/*.toml           roles, 事務, items
    MANIFEST                serial and digests of every file above
    MANIFEST.sig            the custodians' signature line under it

    MANIFEST   "juki-policy/v1", "serial N", then "SHA-256 in hex, two spaces, path" a line each,
               sorted by path
    together   MANIFEST, an empty line, MANIFEST.sig are a signed note (C2SP signed-note)

The custodians keep the signing key; the store keeps, sealed, the verifier key and the highest
serial it has seen, so that an old policy cannot be put back (R126). Who runs the machine can
neither widen a right nor let a plugin in. The settings in ``appliance.toml`` are not signed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from appliance.errors import StartupError
from appliance.files import replace_file
from appliance.operation import Power
from appliance.policy import FILES, Policy, read_policy
from storage.errors import LedgerBroken
from storage.note import ED25519, Signer, VerifierKey, open_note, to_base64, unbase64

MANIFEST, SIGNATURE = "MANIFEST", "MANIFEST.sig"
PLUGINS, POLICY = "plugins.toml", "policy"
SIGNER_NAME = "juki-policy"
FIRST_LINE = "juki-policy/v1"
SECRET_START = "PRIVATE+KEY+"  # noqa: S105
_LINE = re.compile(r"([0-9a-f]{64})  ([a-z0-9_./-]{1,100})")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was signed: ``serial`` grows by one with every signature."""

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
    """Sign the policy as it lies there, under the next serial.

    Raises:
        StartupError: it cannot be read, or is not understood; nothing is signed then.
        OSError: the disk.
    """
    manifest = Manifest(_serial_there(folder) + 1, unsigned(folder).manifest.digests)
    text = manifest.text()
    _, _, signature = signer.sign(text).rpartition("\n\n")
    replace_file(folder / MANIFEST, text.encode(), 0o644)
    replace_file(folder / SIGNATURE, signature.encode(), 0o644)
    return manifest


def verified(folder: Path, vkey: str, *, least_serial: int) -> Firmware:
    """Return the policy, once it is shown to be what the custodians signed.

    Raises:
        StartupError: names every file that was changed, removed or added, or what is wrong with
            the manifest.
    """
    manifest = _signed_manifest(folder, vkey)
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


def _signed_manifest(folder: Path, vkey: str) -> Manifest:
    try:
        text = (folder / MANIFEST).read_text("utf-8")
        signature = (folder / SIGNATURE).read_text("utf-8")
    except OSError as problem:
        raise StartupError(f"{problem.filename}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise StartupError(f"{folder / MANIFEST}: is not text") from None
    try:
        return Manifest.parse(open_note(f"{text}\n{signature}", VerifierKey.parse(vkey)))
    except (LedgerBroken, ValueError):
        raise StartupError(
            f"{folder / MANIFEST}: is not signed with the policy key of this store"
        ) from None


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


def _serial_there(folder: Path) -> int:
    try:
        return Manifest.parse((folder / MANIFEST).read_text("utf-8")).serial
    except FileNotFoundError:
        return 0
    except ValueError:
        raise StartupError(f"{folder / MANIFEST}: is not a manifest of a policy") from None


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: sha256(content).hexdigest() for path, content in files.items()}
