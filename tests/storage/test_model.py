"""A store beside a few dictionaries: whatever is done to both, they agree, killed or not."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from storage.engine import Entry, PersonId, Unit, VersionId
from tests.storage.stores import NAME, Store, fields_of

NAMES = st.sampled_from(["佐藤", "鈴木", "髙橋", "田中", "伊藤"])
KEYS = st.sampled_from([b"a", b"b", b"ba", b"c"])
MEMORY = Path("/dev/shm")
ENDS = st.sampled_from(["kept", "undone", "undone in a savepoint"])


class Agreement(RuleBasedStateMachine):
    """Persons, documents, the outbox and the ledger, done twice."""

    @initialize()
    def begin(self) -> None:
        # In memory where there is such a folder: nothing here is about the disk.
        self.base = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.store = Store(self.base / "0").create()
        self.vault = self.store.open()
        self.names: dict[int, list[str]] = {}
        self.papers: dict[bytes, list[bytes]] = {}
        self.parcels: list[VersionId] = []
        self.acknowledged = 0
        self.entries: list[tuple[bytes, frozenset[int]]] = []
        self.folders = 0

    def do(self, work: Callable[[Unit], Any], ends: str, subjects: tuple[int, ...] = ()) -> bool:
        """Do the work in a unit that ends in a certain way; return whether it was kept."""
        entry = Entry(1, 0, b"entry %d" % len(self.entries), tuple(map(PersonId, subjects)))

        def unit_of_work(unit: Unit) -> None:
            if ends == "undone in a savepoint":
                try:
                    with unit.savepoint():
                        work(unit)
                        raise LookupError
                except LookupError:
                    pass
            else:
                work(unit)
            unit.enter(entry)
            if ends == "undone":
                raise LookupError

        try:
            self.vault.write(unit_of_work)
        except LookupError:
            return False
        self.entries.append((entry.body, frozenset(subjects)))
        return ends == "kept"

    def fields(self, person: int, name: str) -> dict[int, bytes | None]:
        codes = {1: f"{person:011d}", 4: "カナ", 5: "19840712", 9: f"{person:012d}", NAME: name}
        return fields_of(codes)

    @rule(name=NAMES, ends=ENDS)
    def admit(self, name: str, ends: str) -> None:
        person = len(self.names) + 1
        fields = self.fields(person, name)
        if self.do(lambda unit: self.store.admit(unit, fields), ends, (person,)):
            self.names[person] = [name]

    @precondition(lambda self: self.names)
    @rule(data=st.data(), name=NAMES, ends=ENDS)
    def amend(self, data: st.DataObject, name: str, ends: str) -> None:
        person = data.draw(st.sampled_from(sorted(self.names)))
        fields = self.fields(person, name)
        if self.do(lambda unit: self.store.amend(unit, PersonId(person), fields), ends, (person,)):
            self.names[person].append(name)

    @rule(key=KEYS, body=st.binary(max_size=40), ends=ENDS)
    def put(self, key: bytes, body: bytes, ends: str) -> None:
        if self.do(lambda unit: unit.put_document("papers", key, body), ends):
            self.papers.setdefault(key, []).append(body)

    @rule(key=KEYS, ends=ENDS)
    def drop(self, key: bytes, ends: str) -> None:
        if self.do(lambda unit: unit.drop_document("papers", key), ends):
            self.papers.pop(key, None)

    @precondition(lambda self: self.names)
    @rule(data=st.data(), ends=ENDS)
    def send(self, data: st.DataObject, ends: str) -> None:
        person = data.draw(st.sampled_from(sorted(self.names)))
        version = VersionId(PersonId(person), len(self.names[person]))
        if self.do(lambda unit: unit.send("national", "update", version), ends):
            self.parcels.append(version)

    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        through = data.draw(st.integers(0, len(self.parcels)))
        self.vault.write(lambda unit: unit.acknowledge("national", through))
        self.acknowledged = max(self.acknowledged, through)

    @rule()
    def close_and_open(self) -> None:
        self.vault.close()
        self.vault = self.store.open()

    @rule()
    def kill_and_open(self) -> None:
        """Go on with a copy of the files as a kill would leave them."""
        self.folders += 1
        ignored = shutil.ignore_patterns("*-shm", "lock")
        shutil.copytree(self.store.folder, self.base / str(self.folders), ignore=ignored)
        self.vault.close()
        self.store = Store(self.base / str(self.folders), self.store.ring, self.store.now_ms)
        self.vault = self.store.open()

    def teardown(self) -> None:
        if not hasattr(self, "vault"):
            return
        with self.vault.view() as view:
            for person, names in self.names.items():
                read = [view.read(PersonId(person), [NAME], n + 1) for n in range(len(names))]
                assert [each.fields[NAME] for each in read] == [name.encode() for name in names]
                for token in self.store.finder(self.fields(person, names[-1])):
                    if isinstance(token.value, bytes):
                        assert view.identified(token) == person
                    else:
                        assert person in view.candidates([token], 100)
            kept = {each.key: each.body for each in view.documents("papers")}
            assert kept == {key: bodies[-1] for key, bodies in sorted(self.papers.items())}
            for key, bodies in self.papers.items():
                assert [each.body for each in view.revisions("papers", key)] == bodies
            assert [each.version for each in view.parcels("national", 0, 999)] == self.parcels
            assert view.acknowledged("national") == self.acknowledged
            entries = [(each.body, frozenset(each.subjects)) for each in view.entries(0, 9999)]
            assert entries == self.entries
            for person in self.names:
                about = [n for n, (_, subjects) in enumerate(self.entries) if person in subjects]
                assert view.entries_about(PersonId(person)) == about
        self.vault.close()
        assert self.store.check().findings == ()
        shutil.rmtree(self.base)


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(max_examples=60, stateful_step_count=25)
