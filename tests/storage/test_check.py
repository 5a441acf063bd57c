import os
import signal
from pathlib import Path

import pytest

from storage.engine import Entry, Fields, Mark, PersonId
from storage.errors import StorageError, WrongKey
from storage.findings import MOST_FINDINGS, Findings
from storage.keyring import KeyRing
from tests.storage.made import INSTALLATION, ROOT
from tests.storage.stores import CODE, NUMBER, SATO, Store, entered, fields_of


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store").create()


def test_an_empty_store_is_clean(store: Store) -> None:
    report = store.check()
    assert report.clean
    assert (report.persons, report.versions, report.entries) == (0, 0, 0)


def test_a_store_is_checked_while_it_runs(store: Store) -> None:
    with store.opened() as vault:
        sato = store.new_person(vault, fields_of(SATO))
        entered(vault, lambda unit: store.amend(unit, sato, fields_of(SATO, address="宇城市")))
        report = store.check()
        assert report.clean
        assert (report.persons, report.versions, report.cells) == (1, 2, 50)


def test_a_check_tells_how_far_it_is(store: Store) -> None:
    with store.opened() as vault:
        sato = store.new_person(vault, fields_of(SATO))

        def more(unit) -> None:
            unit.put_document("papers", b"k", b"")
            unit.send("national", "update", unit.read(sato, []).version)
            unit.enter(Entry(1, 0, b""))

        vault.write(more)
    told: list[tuple[str, int, int]] = []
    assert store.check(progress=lambda *each: told.append(each)).clean
    assert told == [
        ("versions", 1, 1),
        ("documents", 1, 1),
        ("outbox", 1, 1),
        ("entries", 1, 2),
        ("entries", 2, 2),
    ]


def test_the_ring_of_another_store_checks_nothing(store: Store) -> None:
    ring = KeyRing.create(ROOT, INSTALLATION, 20, 2026)
    with pytest.raises(WrongKey):
        store.check(ring=ring)


@pytest.mark.parametrize("lost", ["log-body/2026", "log-subj/2026"])
def test_entries_whose_yearly_key_is_gone_are_named(store: Store, lost: str) -> None:
    with store.opened() as vault:
        vault.write(lambda unit: unit.enter(Entry(1, 0, b"", (PersonId(1),))))
    for name in ("log-body/2027", "log-subj/2027"):
        store.ring.ensure(name)
    store.ring.destroy(lost)
    assert "entry 0" in {each.place for each in store.check().findings}


def test_findings_are_cut_off_at_a_thousand() -> None:
    findings = Findings()
    for number in range(MOST_FINDINGS + 5):
        findings.add(f"person {number}", "is missing")
    findings.tell("versions", 1, 1)
    assert len(findings.all) == MOST_FINDINGS


# --- marks


def marked(store: Store, place: bytes = bytes(16), digest: bytes = b"d" * 16) -> PersonId:
    with store.opened() as vault:
        sato = store.new_person(vault, fields_of(SATO))
        entered(vault, lambda unit: unit.mark(Mark("g", place, digest, sato)))
    return sato


def of_everybody(person: PersonId, fields: Fields) -> Mark:
    return Mark("g", bytes(16), b"d" * 16, person)


def test_marks_are_those_of_the_records(store: Store) -> None:
    marked(store)
    report = store.check(mark_of=of_everybody)
    assert (report.clean, report.marks) == (True, 1)


@pytest.mark.parametrize(
    ("place", "digest"),
    [(b"p" * 16, b"d" * 16), (bytes(16), b"x" * 16)],
    ids=["elsewhere", "of another record"],
)
def test_a_mark_that_is_not_the_record_s_is_named(
    store: Store, place: bytes, digest: bytes
) -> None:
    sato = marked(store, place, digest)
    places = {finding.place for finding in store.check(mark_of=of_everybody).findings}
    assert places == {f"person {sato}", "marks"}


def test_a_mark_of_nobody_is_named(store: Store) -> None:
    marked(store)
    (finding,) = store.check().findings
    assert (finding.place, finding.what) == ("marks", "there are 1; the records give 0")


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("piece", [1, 2, 3, 100])
def test_persons_are_checked_in_pieces_by_several_processes(
    store: Store, workers: int, piece: int
) -> None:
    with store.opened() as vault:
        for number in range(7):
            one = {CODE: f"{number:011}", NUMBER: f"{number:012}"}
            store.new_person(vault, fields_of({**SATO, **one}))
    with store.thief() as thief:
        thief.execute("DELETE FROM ident WHERE person = 5")
        thief.execute(
            "UPDATE ver SET seal = zeroblob(length(seal)) WHERE vid = (SELECT max(vid) FROM ver)"
        )
    told: list[tuple[str, int, int]] = []

    def progress(part: str, done: int, total: int) -> None:
        if part == "versions":
            told.append((part, done, total))

    report = store.check(
        workers=workers,
        piece=piece,
        progress=progress,
        counts_of=lambda person, versions: [("persons", 1), ("numbers", person)],
    )
    assert (report.persons, report.versions) == (7, 7)
    assert report.counted == {"persons": 7, "numbers": 28}
    places = [each.place for each in report.findings]
    assert "person 5" in places
    assert "person 7 version 1" in places
    assert not {"person 1", "person 6"} & set(places)
    assert told[-1] == ("versions", 7, 7)


def test_a_check_whose_helper_is_killed_says_so(store: Store) -> None:
    with store.opened() as vault:
        store.new_person(vault, fields_of(SATO))

    def dies(person: PersonId, fields: Fields) -> Mark | None:
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    with pytest.raises(StorageError, match="was killed"):
        store.check(mark_of=dies, workers=2)
