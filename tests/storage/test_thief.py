"""A thief has the page key and no other.  Whatever he does to the file is found, and where."""

import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from storage.engine import Entry, PersonId, Unit
from storage.errors import LedgerBroken, StorageError, Tampered
from storage.merkle import leaf_hash
from tests.storage.stores import ADDRESS, ITO, NAME, SATO, Store, fields_of

SATO_1, SATO_2, SATO_3, SATO_4, ITO_1 = 4097, 4098, 4099, 4100, 8193
EVERY = range(1, 26)

Deed = Callable[[apsw.Connection], None]


def filled(folder: Path) -> Store:
    """Return a store with Sato in four versions and Ito in one, papers, parcels, 300 entries."""
    store = Store(folder).create()

    def first(unit: Unit) -> None:
        sato = store.admit(unit, fields_of(SATO)).person
        store.amend(unit, sato, fields_of(SATO, name="鈴木　花子"))
        unit.send("national", "update", store.amend(unit, sato, fields_of(SATO, address="宇城市")))
        unit.send("national", "update", store.admit(unit, fields_of(ITO)))
        unit.send("national", "removal", store.amend(unit, sato, fields_of(SATO)))
        for body in (b"one", b"two"):
            unit.put_document("papers", b"k", body)
        unit.put_document("papers", b"l", b"three")
        for number in range(300):
            subjects = (PersonId(1),) if number % 2 else (PersonId(1), PersonId(2))
            unit.enter(Entry(number % 5, 0, b"body", subjects))

    with store.opened() as vault:
        vault.write(first)
        vault.write(lambda unit: unit.acknowledge("national", 1))
    return store


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return filled(tmp_path_factory.mktemp("original") / "store")


@pytest.fixture
def store(original: Store, tmp_path: Path) -> Store:
    shutil.copytree(original.folder, tmp_path / "store")
    return Store(tmp_path / "store", original.ring)


def by(statement: str, *bindings: int) -> Deed:
    """Return the deed of running a statement, which must change something."""

    def deed(thief: apsw.Connection) -> None:
        thief.execute(statement, bindings)
        assert thief.changes() > 0

    return deed


def found(store: Store) -> set[str]:
    return {f"{each.place}: {each.what}" for each in store.check().findings}


def test_an_untouched_store_is_clean(store: Store) -> None:
    with store.thief():
        pass
    report = store.check()
    assert report.clean
    assert (report.persons, report.versions, report.cells) == (2, 5, 125)
    assert (report.documents, report.parcels, report.entries) == (3, 3, 300)
    # Two persons with two identifiers and three postings each; no old postings.
    assert report.tokens == 10


# What is read does not open any more, and the check says which version it is.


def row(thief: apsw.Connection, vid: int) -> tuple[bytes, ...]:
    statement = "SELECT hdr, wrap, rsc, seal, cells FROM ver WHERE vid = ?"
    return thief.execute(statement, (vid,)).fetchall()[0]


def put_row(thief: apsw.Connection, vid: int, parts: tuple[bytes, ...]) -> None:
    thief.execute("REPLACE INTO ver VALUES (?, ?, ?, ?, ?, ?)", (vid, *parts))


def cells(thief: apsw.Connection, vid: int) -> dict[int, bytes]:
    """Return the sealed cells of a version by field."""
    blob = row(thief, vid)[4]
    stop = 1 + 3 * blob[0]
    found = {}
    for at in range(1, 1 + 3 * blob[0], 3):
        size = int.from_bytes(blob[at + 1 : at + 3], "little")
        found[blob[at]] = blob[stop : stop + size]
        stop += size
    return found


def put_cells(thief: apsw.Connection, vid: int, sealed: dict[int, bytes]) -> None:
    directory = b"".join(bytes([n]) + len(c).to_bytes(2, "little") for n, c in sealed.items())
    blob = bytes([len(sealed)]) + directory + b"".join(sealed.values())
    thief.execute("UPDATE ver SET cells = ? WHERE vid = ?", (blob, vid))


def cell_to_another_row(thief: apsw.Connection) -> None:
    put_cells(thief, SATO_4, cells(thief, SATO_4) | {NAME: cells(thief, ITO_1)[NAME]})


def cell_to_another_column(thief: apsw.Connection) -> None:
    sealed = cells(thief, SATO_4)
    put_cells(thief, SATO_4, sealed | {NAME: sealed[ADDRESS], ADDRESS: sealed[NAME]})


def cell_of_an_older_version(thief: apsw.Connection) -> None:
    put_cells(thief, SATO_4, cells(thief, SATO_4) | {NAME: cells(thief, SATO_2)[NAME]})


def all_cells_of_somebody_else(thief: apsw.Connection) -> None:
    put_cells(thief, SATO_4, cells(thief, ITO_1))


def row_of_somebody_else(thief: apsw.Connection) -> None:
    put_row(thief, SATO_4, row(thief, ITO_1))


def old_row_in_place_of_the_new(thief: apsw.Connection) -> None:
    put_row(thief, SATO_4, row(thief, SATO_2))


def one_bit(part: int) -> Deed:
    def deed(thief: apsw.Connection) -> None:
        parts = list(row(thief, SATO_4))
        parts[part] = parts[part][:-1] + bytes([parts[part][-1] ^ 1])
        put_row(thief, SATO_4, tuple(parts))

    return deed


def cell_taken_out(thief: apsw.Connection) -> None:
    sealed = cells(thief, SATO_4)
    del sealed[NAME]
    put_cells(thief, SATO_4, sealed)


@pytest.mark.parametrize(
    "deed",
    [
        cell_to_another_row,
        cell_to_another_column,
        cell_of_an_older_version,
        all_cells_of_somebody_else,
        row_of_somebody_else,
        old_row_in_place_of_the_new,
        cell_taken_out,
        *(pytest.param(one_bit(n), id=f"bit of part {n}") for n in (0, 1, 2, 4)),
        pytest.param(by("UPDATE ver SET cells = X''"), id="cells emptied"),
        pytest.param(by("UPDATE ver SET hdr = X'00'"), id="header cut"),
    ],
)
def test_a_version_that_was_touched_is_not_read_and_is_named(store: Store, deed: Deed) -> None:
    with store.thief() as thief:
        deed(thief)
    with store.opened() as vault, vault.view() as view, pytest.raises(Tampered, match="person 1"):
        view.read(PersonId(1), EVERY)
    assert "person 1 version 4" in {each.place for each in store.check().findings}


def test_the_row_of_another_installation_does_not_open_here(store: Store, tmp_path: Path) -> None:
    other = filled(tmp_path / "other")
    with other.thief() as thief:
        stolen = row(thief, ITO_1)
    with store.thief() as thief:
        put_row(thief, ITO_1, stolen)
    with store.opened() as vault, vault.view() as view, pytest.raises(Tampered):
        view.read(PersonId(2), [NAME])
    assert "person 2 version 1" in {each.place for each in store.check().findings}


# What still opens, because it is genuine and only old or out of place, is found by the check.


@pytest.mark.parametrize(
    ("deed", "place", "what"),
    [
        (one_bit(3), "person 1 version 4", "does not follow"),
        (by("DELETE FROM ver WHERE vid = ?", SATO_4), "digest", "what was written into it"),
        (by("DELETE FROM ver WHERE vid = ?", SATO_2), "person 1 version 2", "is missing"),
        (by("DELETE FROM ver WHERE vid = ?", SATO_2), "person 1 version 3", "does not follow"),
        (by("DELETE FROM ver WHERE vid = ?", ITO_1), "person 2", "stray posting of index 3"),
        (by("UPDATE ver SET vid = 12289 WHERE vid = ?", ITO_1), "person 3 version 1", "not open"),
        (by("UPDATE ver SET vid = 1 WHERE vid = ?", ITO_1), "person 0", "where no person can"),
        (by("UPDATE ver SET vid = -1 WHERE vid = ?", ITO_1), "person -1", "where no person can"),
    ],
)
def test_a_version_that_is_not_where_it_was_is_found(
    store: Store, deed: Deed, place: str, what: str
) -> None:
    with store.thief() as thief:
        deed(thief)
    assert any(each.startswith(f"{place}: ") and what in each for each in found(store))


def test_a_person_put_back_to_an_earlier_day_is_found(store: Store) -> None:
    with store.opened() as vault, vault.view() as view:
        new = set(store.finder(view.read(PersonId(2), EVERY).fields))
    with store.thief() as thief:
        versions = thief.execute("SELECT * FROM ver WHERE vid >= 8192").fetchall()
        postings = thief.execute("SELECT * FROM tok WHERE person = 2").fetchall()
    with store.opened() as vault:

        def moved(unit: Unit) -> None:
            store.amend(unit, PersonId(2), fields_of(ITO, name="加藤　太郎"))
            unit.enter(Entry(1, 0, b""))

        vault.write(moved)
    with store.thief() as thief:
        thief.execute("DELETE FROM ver WHERE vid >= 8192")
        thief.execute("DELETE FROM tok WHERE person = 2")
        thief.executemany("INSERT INTO ver VALUES (?, ?, ?, ?, ?, ?)", versions)
        thief.executemany("INSERT INTO tok VALUES (?, ?)", postings)
    with store.opened() as vault, vault.view() as view:
        # Everything opens and follows; only the digest over the file can tell.
        assert set(store.finder(view.read(PersonId(2), EVERY).fields)) == new
    assert {each.split(":")[0] for each in found(store)} == {"digest"}


# Tokens


@pytest.mark.parametrize(
    ("deed", "expected"),
    [
        (
            by("DELETE FROM tok WHERE person = 1 AND token >> 48 = 3"),
            {"person 1: a posting of index 3 is missing"},
        ),
        (
            by("INSERT INTO tok VALUES (?, 2)", 4 << 48 | 77),
            {"person 2: a stray posting of index 4"},
        ),
        (
            by("UPDATE tok SET person = 2 WHERE person = 1 AND token >> 48 = 4"),
            {
                "person 1: a posting of index 4 is missing",
                "person 2: a stray posting of index 4",
            },
        ),
        (
            by("INSERT INTO tok VALUES (?, 99)", 4 << 48 | 77),
            {"person 99: a stray posting of index 4"},
        ),
        (
            by("DELETE FROM ident WHERE idx = 1 AND person = 1"),
            {"person 1: an identifier of index 1 is missing"},
        ),
        (
            by("INSERT INTO ident VALUES (2, X'000102030405060708090A0B', 2)"),
            {"person 2: a stray identifier of index 2"},
        ),
        (
            by("UPDATE ident SET person = 1 WHERE idx = 2 AND person = 2"),
            {
                "person 2: an identifier of index 2 is missing",
                "person 1: a stray identifier of index 2",
            },
        ),
    ],
)
def test_a_token_that_the_fields_do_not_give_is_found(
    store: Store, deed: Deed, expected: set[str]
) -> None:
    with store.thief() as thief:
        deed(thief)
    assert found(store) == expected


def test_tokens_of_a_person_who_does_not_open_are_not_judged(store: Store) -> None:
    with store.thief() as thief:
        cell_to_another_row(thief)
    assert not any("stray" in each or "missing" in each for each in found(store))


# Documents


@pytest.mark.parametrize(
    ("deed", "reads"),
    [
        (by("DELETE FROM doc WHERE id = 2"), True),
        (by("UPDATE doc SET body = (SELECT body FROM doc WHERE id = 1) WHERE id = 2"), False),
        (by("UPDATE doc SET key = X'6D' WHERE id = 2"), True),
        (by("UPDATE doc SET collection = 'other' WHERE id = 2"), True),
        (by("UPDATE doc SET revision = 9 WHERE id = 2"), False),
        (by("UPDATE doc SET revision = -9 WHERE id = 2"), True),
        (by("UPDATE doc SET body = X'00' WHERE id = 2"), False),
        (by("INSERT INTO doc SELECT 9, collection, key, 3, body FROM doc WHERE id = 2"), False),
        (by("DELETE FROM doc"), True),
    ],
)
def test_a_document_that_was_touched_is_found(store: Store, deed: Deed, reads: bool) -> None:
    with store.thief() as thief:
        deed(thief)
    with store.opened() as vault, vault.view() as view:
        if reads:
            view.document("papers", b"k")
        else:
            with pytest.raises(Tampered, match="document of papers"):
                view.document("papers", b"k")
    told = found(store)
    assert any("what the file holds" in each for each in told)
    if not reads:
        assert any(each.startswith("document row ") for each in told)


# The outbox


@pytest.mark.parametrize(
    ("deed", "expected"),
    [
        (by("DELETE FROM parcel WHERE number = 2"), "parcel 2 for national: is missing"),
        (by("DELETE FROM parcel WHERE number = 1"), "parcel 1 for national: is missing"),
        (by("DELETE FROM parcel WHERE number = 3"), "digest: what the file holds is not what"),
        (by("UPDATE parcel SET kind = 'update'"), "parcel 3 for national: parcel 3 for national"),
        (by("UPDATE parcel SET vid = 4097"), "parcel 2 for national: parcel 2 for national does"),
        (by("UPDATE parcel SET vid = -1"), "parcel 2 for national: parcel 2 for national does"),
        (by("UPDATE parcel SET note = X''"), "parcel 1 for national: parcel 1 for national does"),
        (by("UPDATE parcel SET destination = 'x'"), "parcel 2 for x: parcel 2 for x does not open"),
        (by("UPDATE ack SET through = 3"), "acknowledgement of national: the acknowledgement of"),
        (by("UPDATE ack SET proof = X''"), "acknowledgement of national: the acknowledgement of"),
        (by("UPDATE ack SET destination = 'x'"), "acknowledgement of x: the acknowledgement of x"),
        (by("DELETE FROM parcel"), "acknowledgement of national: is of more than was sent"),
    ],
)
def test_a_parcel_that_was_touched_is_found(store: Store, deed: Deed, expected: str) -> None:
    with store.thief() as thief:
        deed(thief)
    assert any(each.startswith(expected) for each in found(store)), found(store)


def test_a_parcel_that_is_missing_stops_the_reading(store: Store) -> None:
    with store.thief() as thief:
        by("DELETE FROM parcel WHERE number = 2")(thief)
    with store.opened() as vault, vault.view() as view:
        for after, limit in ((0, 9), (1, 1)):
            with pytest.raises(Tampered, match="parcel 2 for national"):
                view.parcels("national", after, limit)
        assert len(view.parcels("national", 2, 9)) == 1


def test_an_acknowledgement_that_was_made_up_is_not_believed(store: Store) -> None:
    with store.thief() as thief:
        by("UPDATE ack SET through = 3")(thief)
    with store.opened() as vault, vault.view() as view, pytest.raises(Tampered):
        view.acknowledged("national")


# The ledger


def entry_changed(thief: apsw.Connection) -> None:
    """Change an entry and hash it anew, as whoever knows the format would."""
    ((entry,),) = thief.execute("SELECT entry FROM leaf WHERE idx = 7").fetchall()
    entry = entry[:-1] + bytes([entry[-1] ^ 1])
    thief.execute("UPDATE leaf SET entry = ?, hash = ? WHERE idx = 7", (entry, leaf_hash(entry)))


def entries_swapped(thief: apsw.Connection) -> None:
    rows = thief.execute("SELECT entry, hash FROM leaf WHERE idx IN (7, 9) ORDER BY idx").fetchall()
    thief.execute("UPDATE leaf SET entry = ?, hash = ? WHERE idx = 9", rows[0])
    thief.execute("UPDATE leaf SET entry = ?, hash = ? WHERE idx = 7", rows[1])


def checkpoint_of(size: int) -> Deed:
    """Return the deed of writing another size into the checkpoint."""

    def deed(thief: apsw.Connection) -> None:
        ((note,),) = thief.execute("SELECT value FROM state WHERE name = 'checkpoint'").fetchall()
        changed = note.replace(b"\n300\n", b"\n%d\n" % size)
        thief.execute("UPDATE state SET value = ? WHERE name = 'checkpoint'", (changed,))

    return deed


@pytest.mark.parametrize(
    ("deed", "opens", "expected"),
    [
        (entry_changed, True, "entry 7: entry 7 does not open"),
        (entry_changed, True, "checkpoint: is not of these entries"),
        (entry_changed, True, "tile 0 of level 0: does not match"),
        (entries_swapped, True, "entry 7: was written as entry 9"),
        (by("UPDATE leaf SET entry = X'00' WHERE idx = 7"), True, "entry 7: an entry is not in"),
        (by("UPDATE leaf SET hash = X'00' WHERE idx = 7"), True, "entry 7: does not hash to"),
        (by("DELETE FROM leaf WHERE idx = 7"), True, "entries 7 to 7: are missing"),
        (by("DELETE FROM leaf WHERE idx < 7"), True, "entries 0 to 6: are missing"),
        (by("DELETE FROM leaf WHERE idx = 299"), False, "checkpoint: is of 300 entries, there"),
        (by("DELETE FROM leaf"), False, "checkpoint: is of 300 entries, there are 0"),
        (by("DELETE FROM tile_root"), False, "tile 0 of level 0: does not match"),
        (by("UPDATE tile_root SET hash = X'00'"), False, "tile 0 of level 0: does not match"),
        (by("INSERT INTO tile_root VALUES (1, 1, X'00')"), True, "tiles: there are 2, not 1"),
        (by("DELETE FROM subj WHERE idx = 8"), True, "entry 8: is not found by one it is about"),
        (by("INSERT INTO subj VALUES (X'00', 8)"), True, "entry 8: is found by one it is not"),
        (by("INSERT INTO subj VALUES (X'00', 900)"), True, "entry 900: is found by one it is"),
        (by("INSERT INTO subj VALUES (X'00', -1)"), True, "entry -1: is found by one it is"),
        (checkpoint_of(299), False, "checkpoint: the signature of audit.juki.test/g1 does not"),
        (by("DELETE FROM state WHERE name = 'checkpoint'"), False, "checkpoint: the checkpoint is"),
        (by("DELETE FROM state WHERE name = 'digest'"), False, "digest: the digest is missing"),
        (by("UPDATE state SET value = X'00' WHERE name = 'digest'"), False, "digest: the digest's"),
        (
            by("UPDATE state SET value = zeroblob(2048) WHERE name = 'digest'"),
            False,
            "digest: what the file holds is not what was written into it",
        ),
    ],
)
def test_a_ledger_that_was_touched_is_found(
    store: Store, deed: Deed, opens: bool, expected: str
) -> None:
    with store.thief() as thief:
        deed(thief)
    assert any(each.startswith(expected) for each in found(store)), found(store)
    if opens:
        store.open().close()
    else:
        with pytest.raises(LedgerBroken):
            store.open()


def test_entries_that_were_touched_are_not_read(store: Store) -> None:
    with store.thief() as thief:
        entries_swapped(thief)
        by("DELETE FROM leaf WHERE idx = 20")(thief)
        by("UPDATE leaf SET entry = X'00' WHERE idx = 30")(thief)
    with store.opened() as vault, vault.view() as view:
        assert len(list(view.entries(0, 7))) == 7
        for start, named in ((7, "entry 7"), (9, "entry 9"), (12, "entry 20"), (20, "entry 20")):
            with pytest.raises(LedgerBroken, match=named):
                list(view.entries(start, 25))
        with pytest.raises(LedgerBroken, match="form"):
            list(view.entries(30, 31))


def test_a_last_entry_that_says_nothing_of_the_file_is_not_believed(store: Store) -> None:
    with store.thief() as thief:
        by("UPDATE leaf SET entry = X'00' WHERE idx = 299")(thief)
    with pytest.raises(LedgerBroken):
        store.open()


def cut_to(store: Store, earlier: Path) -> None:
    """Put only the ledger back to how it was earlier, checkpoint and all."""
    old = Store(earlier, store.ring)
    with old.thief() as thief:
        ((size,),) = thief.execute("SELECT count(*) FROM leaf").fetchall()
        ((note,),) = thief.execute("SELECT value FROM state WHERE name = 'checkpoint'").fetchall()
    with store.thief() as thief:
        thief.execute("DELETE FROM leaf WHERE idx >= ?", (size,))
        thief.execute("DELETE FROM subj WHERE idx >= ?", (size,))
        thief.execute("UPDATE state SET value = ? WHERE name = 'checkpoint'", (note,))


def test_a_change_whose_entry_was_cut_off_is_found_at_opening(
    store: Store, original: Store
) -> None:
    with store.opened() as vault:

        def moved(unit: Unit) -> None:
            store.amend(unit, PersonId(2), fields_of(ITO, name="加藤　太郎"))
            unit.enter(Entry(1, 0, b""))

        vault.write(moved)
    cut_to(store, original.folder)
    with pytest.raises(LedgerBroken, match="does not stand where its last entry says"):
        store.open()
    assert "digest: what the file holds is not what the last entry says" in found(store)


def test_readings_cut_off_the_end_are_found_by_who_kept_a_checkpoint(
    store: Store, original: Store
) -> None:
    with store.opened() as vault:
        before = vault.checkpoint()
        vault.write(lambda unit: unit.enter(Entry(1, 0, b"a reading", (PersonId(2),))))
        kept = vault.checkpoint()
    assert store.check(anchors=[before, kept]).clean
    cut_to(store, original.folder)
    assert store.check(anchors=[before]).clean
    (finding,) = store.check(anchors=[before, kept]).findings
    assert finding.place == "ledger"
    assert "301 entries" in finding.what


def test_a_ledger_written_anew_is_found_by_who_kept_a_checkpoint(
    store: Store, original: Store
) -> None:
    with store.opened() as vault:
        vault.write(lambda unit: unit.enter(Entry(1, 0, b"a reading", (PersonId(2),))))
        kept = vault.checkpoint()
    cut_to(store, original.folder)
    with store.opened() as vault:
        vault.write(lambda unit: unit.enter(Entry(1, 0, b"another reading")))
    assert [each.place for each in store.check(anchors=[kept]).findings] == ["ledger"]


def test_an_anchor_has_to_be_of_this_ledger(store: Store, tmp_path: Path) -> None:
    with Store(tmp_path / "other").create().opened() as other:
        foreign, empty = other.checkpoint(), "nothing"
    report = store.check(anchors=[foreign, empty])
    assert [each.place for each in report.findings] == ["anchor 1", "anchor 2"]


def test_an_anchor_of_the_empty_ledger_says_nothing(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other", store.ring).create()
    with other.opened() as vault:
        assert store.check(anchors=[vault.checkpoint()]).clean


# Pages and tables


def test_a_table_that_is_made_otherwise_is_found(store: Store) -> None:
    with store.thief() as thief:
        thief.execute("CREATE TABLE more (x)")
        thief.execute("PRAGMA writable_schema = ON")
        by("UPDATE sqlite_schema SET sql = sql || ' ' WHERE name = 'ver'")(thief)
        by(
            "UPDATE sqlite_schema SET sql = 'CREATE INDEX doc_place ON doc (collection, key,"
            " revision)' WHERE name = 'doc_place'"
        )(thief)
    told = found(store)
    assert "schema more: is not as this release makes it" in told
    assert "schema doc_place: is not as this release makes it" in told
    assert any(each.startswith("pages: ") and "doc_place" in each for each in told), told


def test_a_page_that_was_changed_is_found(store: Store) -> None:
    raw = bytearray(store.file.read_bytes())
    for page in range(12, len(raw) // 8192):
        raw[page * 8192 + 100] ^= 1
    store.file.write_bytes(raw)
    report = store.check()
    assert any("page" in each.what for each in report.findings)
    with pytest.raises(StorageError):
        store.open()
