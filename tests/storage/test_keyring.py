import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import keyring, ringfile
from storage.cells import Kek
from storage.derive import check_value
from storage.errors import Tampered, WrongKey
from storage.keyring import KeyRing, read_header
from storage.unseal import Gathering, split
from tests.storage.made import INSTALLATION, ROOT, all_flips, small_ring


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / keyring.FILE_NAME


def keys_of(ring: KeyRing) -> dict[str, bytes]:
    return {name: ring.key(name) for name in ring.names()}


def saved(path: Path) -> KeyRing:
    ring = small_ring()
    ring.save(path)
    return ring


# --- what is in it


def test_a_new_ring_has_every_key_a_store_begins_with() -> None:
    assert small_ring().names() == [
        "page/main/1",
        "field-root/basic/1",
        "field-root/jukicode/1",
        "field-root/mynumber/1",
        "field-root/other/1",
        "idx-root/1",
        "kek/active/2026",
        "kek/exp/2176",
        "kek/exp/2177",
        "seal/1",
        "docs/1",
        "parcels/1",
        "log-body/2026",
        "log-subj/2026",
        "log-sign",
        "mark-root/1",
        "media/1",
    ]


def test_no_key_is_another_or_the_root() -> None:
    keys = list(keys_of(small_ring()).values())
    assert len({*keys, ROOT}) == len(keys) + 1
    assert all(len(key) == 32 for key in keys)
    assert not set(keys) & set(keys_of(small_ring()).values())


def test_keys_are_found_by_name_family_and_number() -> None:
    ring = small_ring()
    ring.ensure("kek/active/2027")
    assert ring.family("log-body") == {"2026": ring.key("log-body/2026")}
    assert ring.field_roots()["mynumber"] == ring.key("field-root/mynumber/1")
    assert sorted(ring.field_roots()) == ["basic", "jukicode", "mynumber", "other"]
    old, new = ring.kek("kek/active/2026"), ring.kek("kek/active/2027")
    assert old == Kek(7, ring.key("kek/active/2026"))
    late, later = ring.kek("kek/exp/2176"), ring.kek("kek/exp/2177")
    assert ring.keks() == {7: old.key, 8: late.key, 9: later.key, 18: new.key}


def test_a_name_that_is_not_there_is_refused() -> None:
    ring = small_ring()
    for ask in (ring.key, ring.kek, ring.destroy):
        with pytest.raises(WrongKey, match="has no key kek/active/1999"):
            ask("kek/active/1999")
    with pytest.raises(WrongKey):
        ring.field_roots(2)


def test_a_key_that_is_there_is_not_drawn_again() -> None:
    ring = small_ring()
    assert ring.ensure("seal/1") == ring.key("seal/1")
    assert ring.ensure("seal/2") != ring.key("seal/1")


def test_what_a_ring_shows_of_itself_is_no_key() -> None:
    ring = small_ring()
    assert repr(ring) == "<KeyRing of 17 keys, serial 0>"
    entry = next(iter(ring._entries.values()))
    assert ring.key("page/main/1").hex() not in repr(entry) + repr(ring.header)


@pytest.mark.parametrize(
    "sizes",
    [(bytes(31), INSTALLATION, 20), (ROOT, b"short", 20), (ROOT, INSTALLATION, 0)],
    ids=["root", "id", "bits"],
)
def test_sizes_that_make_no_sense_are_refused(sizes: tuple[bytes, bytes, int]) -> None:
    with pytest.raises(ValueError, match="needs"):
        KeyRing.create(*sizes, 2026)


def test_shares_of_another_root_are_refused() -> None:
    _, share_set = split(bytes(32))
    with pytest.raises(ValueError, match="another root"):
        KeyRing.create(ROOT, INSTALLATION, 20, 2026, share_set)
    with pytest.raises(ValueError, match="another root"):
        small_ring().rerooted(ROOT, share_set)


# --- the file


def test_a_saved_ring_opens_with_its_root(path: Path) -> None:
    ring = saved(path)
    opened = KeyRing.open(path, ROOT)
    assert keys_of(opened) == keys_of(ring)
    assert opened.header == ring.header
    assert (opened.installation, opened.token_bits, opened.header.serial) == (INSTALLATION, 20, 1)


def test_only_the_owner_reads_the_file(path: Path) -> None:
    saved(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_key_stands_in_the_file(path: Path) -> None:
    ring = saved(path)
    raw = path.read_bytes()
    assert not [name for name, key in keys_of(ring).items() if key in raw]
    assert ROOT not in raw


def test_the_header_is_read_while_sealed(path: Path) -> None:
    shares, share_set = split(ROOT)
    KeyRing.create(ROOT, INSTALLATION, 20, 2026, share_set).save(path)
    header = read_header(path)
    assert header.share_set == share_set
    gathering = Gathering(share_set)
    for share in shares[:3]:
        gathering.add(share)
    assert KeyRing.open(path, gathering.key()).header == header


def test_another_root_does_not_open(path: Path) -> None:
    saved(path)
    with pytest.raises(WrongKey, match="another key ring"):
        KeyRing.open(path, bytes(32))


def test_there_may_be_no_ring(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        KeyRing.open(path, ROOT)
    with pytest.raises(FileNotFoundError):
        read_header(path)


def test_every_flipped_bit_is_noticed(path: Path) -> None:
    saved(path)
    for changed in all_flips(path.read_bytes()):
        path.write_bytes(changed)
        with pytest.raises(Tampered):
            KeyRing.open(path, ROOT)


@given(st.data())
def test_a_cut_ring_is_noticed(data: st.DataObject) -> None:
    ring = small_ring()
    raw = ringfile.encode_ring(ring.header, ROOT, ring._entries.values())
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    with pytest.raises(Tampered):
        ringfile.decode_ring(cut, ROOT)


@given(st.binary(max_size=60))
def test_whatever_the_bytes_it_is_a_ring_or_refused(raw: bytes) -> None:
    with pytest.raises(Tampered):
        ringfile.decode_ring(raw, ROOT)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        cbor2.dumps(1),
        cbor2.dumps([1, 2, 3, 4, 5, 6]),
        cbor2.dumps({0: 1}),
        cbor2.dumps({0: 1, 1: bytes(15), 2: 1, 3: 20, 4: bytes(32), 5: None}),
        cbor2.dumps({0: 1, 1: bytes(16), 2: -1, 3: 20, 4: bytes(32), 5: None}),
        cbor2.dumps({0: 1, 1: bytes(16), 2: 1, 3: 20, 4: bytes(32), 5: [1]}),
        cbor2.dumps({0: 1, 1: bytes(16), 2: 1, 3: 20, 4: bytes(32), 5: [1, 2, 3, 4, 5]}),
        cbor2.dumps({0: 1, 1: bytes(16), 2: 1, 3: 20, 4: bytes(32), 5: [1, 2, 3, ["x" * 16], []]}),
        cbor2.dumps({0: 1, 1: "x" * 16, 2: 1, 3: 20, 4: bytes(32), 5: None}),
        cbor2.dumps({0: 1, 1: bytes(16), 2: True, 3: 20, 4: bytes(32), 5: None}),
        cbor2.dumps({0: 2, 1: bytes(16), 2: 1, 3: 20, 4: bytes(32), 5: None}),
        cbor2.dumps({5: None, 0: 1, 1: bytes(16), 2: 1, 3: 20, 4: bytes(32)}),
    ],
)
def test_a_header_has_one_form(header: bytes) -> None:
    with pytest.raises(Tampered, match="header"):
        ringfile.decode_header(cbor2.dumps([header, b"", bytes(32)]))


@settings(max_examples=200)
@given(st.data())
def test_a_ring_damaged_anyhow_is_refused_whatever_the_root(data: st.DataObject) -> None:
    ring = small_ring()
    raw = ringfile.encode_ring(ring.header, ROOT, ring._entries.values())
    start = data.draw(st.integers(0, len(raw) - 1))
    stop = data.draw(st.integers(start, min(start + 9, len(raw))))
    changed = raw[:start] + data.draw(st.binary(max_size=9)) + raw[stop:]
    if changed != raw:
        with pytest.raises(Tampered):
            ringfile.decode_ring(changed, ROOT)
        with pytest.raises((Tampered, WrongKey)):
            ringfile.decode_ring(changed, bytes(32))


def test_a_header_too_long_is_refused() -> None:
    with pytest.raises(Tampered, match="too long"):
        ringfile.decode_header(cbor2.dumps([bytes(65_536), b"", bytes(32)]))


def entries_of_two_files(path: Path) -> tuple[list[bytes], list[bytes]]:
    ring = saved(path)
    first = cbor2.loads(path.read_bytes())
    ring.save(path)
    return first, cbor2.loads(path.read_bytes())


def test_an_entry_of_an_older_file_does_not_open_in_a_newer_one(path: Path) -> None:
    older, newer = entries_of_two_files(path)
    header = ringfile.decode_header(cbor2.dumps(newer))
    ring_key = ringfile._ring_key(header, ROOT)
    for item in cbor2.loads(older[1]):
        with pytest.raises(Tampered, match="does not open"):
            ringfile._opened(item, ring_key)


def test_the_entries_of_an_older_file_do_not_pass_in_a_newer_one(path: Path) -> None:
    older, newer = entries_of_two_files(path)
    path.write_bytes(cbor2.dumps([newer[0], older[1], newer[2]]))
    with pytest.raises(Tampered, match="was changed"):
        KeyRing.open(path, ROOT)


def test_a_key_that_is_not_the_one_committed_to_is_refused(path: Path) -> None:
    # Only somebody with the root can make one: a faulty program of our own.
    ring = small_ring()
    wrong = [
        ringfile.Entry(entry.id, entry.name, entry.born, check_value(bytes(32)), entry.key)
        for entry in ring._entries.values()
    ]
    path.write_bytes(ringfile.encode_ring(ring.header, ROOT, wrong))
    with pytest.raises(Tampered, match="page/main/1 does not match its check value"):
        KeyRing.open(path, ROOT)


@pytest.mark.parametrize(
    "listed", [b"\xff", cbor2.dumps(7), cbor2.dumps([{}, 7, {5: b""}, [], "x"])]
)
def test_damaged_entries_under_a_root_that_is_not_known_are_told_as_a_wrong_root(
    path: Path, listed: bytes
) -> None:
    saved(path)
    clear, _, mac = cbor2.loads(path.read_bytes())
    path.write_bytes(cbor2.dumps([clear, listed, mac]))
    with pytest.raises(WrongKey):
        KeyRing.open(path, bytes(32))


# --- destroying, and a new root


def test_a_destroyed_key_leaves_only_its_check_value(path: Path) -> None:
    ring = saved(path)
    lost = ring.key("kek/active/2026")
    ring.destroy("kek/active/2026")
    ring.save(path)
    opened = KeyRing.open(path, ROOT)
    assert "kek/active/2026" not in opened.names()
    assert 7 not in opened.keks()
    assert opened._entries["kek/active/2026"].check == check_value(lost)
    for ask in (opened.key, opened.ensure, opened.kek):
        with pytest.raises(WrongKey, match="was destroyed"):
            ask("kek/active/2026")


def test_the_number_of_a_destroyed_key_is_not_given_again() -> None:
    ring = small_ring()
    ring.destroy("log-sign")
    ring.ensure("kek/active/2027")
    assert ring.kek("kek/active/2027").id == 18


def test_saving_after_a_key_was_destroyed_leaves_no_older_file(path: Path) -> None:
    ring = saved(path)
    ring.save(path)
    assert len(list(path.parent.iterdir())) == 2
    ring.destroy("kek/active/2026")
    ring.save(path)
    assert list(path.parent.iterdir()) == [path]
    ring.save(path)
    assert len(list(path.parent.iterdir())) == 2


def test_a_new_root_opens_and_the_old_one_no_longer_does(path: Path) -> None:
    ring = saved(path)
    root = bytes(32)
    _, share_set = split(root)
    ring.rerooted(root, share_set).save(path)
    assert keys_of(KeyRing.open(path, root)) == keys_of(ring)
    assert read_header(path).share_set == share_set
    with pytest.raises(WrongKey):
        KeyRing.open(path, ROOT)
    assert list(path.parent.iterdir()) == [path]


# --- the disk


def test_the_last_three_files_are_kept_and_open(path: Path) -> None:
    ring = saved(path)
    for year in range(2027, 2032):
        ring.ensure(f"log-body/{year}")
        ring.save(path)
    kept = sorted(path.parent.iterdir())
    assert [file.name for file in kept] == [
        "keyring.cbor",
        "keyring.cbor.00000004",
        "keyring.cbor.00000005",
    ]
    assert [KeyRing.open(file, ROOT).header.serial for file in kept] == [6, 4, 5]


class PowerCut(OSError):
    """The machine stops here."""


def cut_at(monkeypatch: pytest.MonkeyPatch, call: int) -> list[str]:
    """Let the power fail at the ``call``-th step of the disk; return the steps that were begun."""
    steps: list[str] = []

    def failing(name: str, right: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            steps.append(name)
            if len(steps) == call:
                raise PowerCut
            return right(*arguments, **named)

        return step

    monkeypatch.setattr(os, "open", failing("open", os.open))
    monkeypatch.setattr(os, "fsync", failing("fsync", os.fsync))
    monkeypatch.setattr(Path, "replace", failing("replace", Path.replace))
    monkeypatch.setattr(Path, "hardlink_to", failing("link", Path.hardlink_to))
    monkeypatch.setattr(Path, "unlink", failing("unlink", Path.unlink))
    return steps


STEPS = ["open", "fsync", "unlink", "link", "replace", "open", "fsync", "open", "fsync"]


@pytest.mark.parametrize("call", range(1, len(STEPS) + 1), ids=lambda call: STEPS[call - 1])
def test_a_power_cut_at_any_step_leaves_the_old_ring_or_the_new_one(path: Path, call: int) -> None:
    ring = saved(path)
    before = keys_of(ring)
    ring.ensure("kek/active/2027")
    with pytest.MonkeyPatch.context() as patch:
        steps = cut_at(patch, call)
        with pytest.raises(PowerCut):
            ring.save(path)
    assert steps == STEPS[:call]
    left = KeyRing.open(path, ROOT)
    assert keys_of(left) in (before, keys_of(ring))
    left.ensure("kek/active/2028")
    left.save(path)
    assert keys_of(KeyRing.open(path, ROOT)) == keys_of(left)


def test_after_a_failed_save_the_ring_can_be_saved_again(path: Path) -> None:
    ring = saved(path)
    ring.ensure("kek/active/2027")
    with pytest.MonkeyPatch.context() as patch:
        cut_at(patch, STEPS.index("replace") + 1)
        with pytest.raises(PowerCut):
            ring.save(path)
    ring.save(path)
    assert keys_of(KeyRing.open(path, ROOT)) == keys_of(ring)


def test_a_half_written_file_never_takes_the_place_of_a_ring(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = saved(path)
    monkeypatch.setattr(keyring, "write_synced", lambda where, raw, _: where.write_bytes(raw[:-40]))
    with pytest.raises(Tampered):
        ring.save(path)
    assert keys_of(KeyRing.open(path, ROOT)) == keys_of(ring)


def test_a_disk_that_gives_back_another_ring_is_noticed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = saved(path)
    other = ringfile.encode_ring(ring.header, ROOT, [])
    monkeypatch.setattr(keyring, "write_synced", lambda where, _, __: where.write_bytes(other))
    with pytest.raises(Tampered, match="does not read back"):
        ring.save(path)
