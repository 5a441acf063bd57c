"""Order, gaps, holds and duplicates against a model of ten lines, in any order of events."""

from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import plugins.update as update
from appliance.testing import Bench
from tests.plugins.update.making import YATSUSHIRO, code, number, recorded, wire

PERSONS = st.integers(1, 3)
VERSIONS = st.integers(1, 6)
SKIPPED = st.integers(0, 3)


class Model:
    """What a municipality may expect."""

    def __init__(self) -> None:
        self.current = defaultdict(int)
        self.held = defaultdict(dict)
        self.contents = {}

    @property
    def last(self):
        return max(self.contents, default=0)

    @property
    def missing(self):
        return [n for n in range(1, self.last) if n not in self.contents]

    def hear(self, sequence, person, version):
        if sequence in self.contents:
            return "duplicate" if self.contents[sequence] == (person, version) else "rejected"
        self.contents[sequence] = (person, version)
        if version <= self.current[person] or version in self.held[person]:
            return "rejected"
        if version > self.current[person] + 1:
            self.held[person][version] = sequence
            return "held"
        self.current[person] += 1
        while self.held[person].pop(self.current[person] + 1, None):
            self.current[person] += 1
        return "applied"


def _notice(sequence, person, version):
    changes = {"reason": "31", "address": f"熊本県八代市{version}番"} if version > 1 else {}
    return wire(
        sequence=sequence,
        resident_code=code(person),
        my_number=number(person),
        update_number=version,
        **changes,
    )


class Municipality(RuleBasedStateMachine):
    """Sends whatever comes to its mind."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.folder = TemporaryDirectory()
        self.opening = Bench.open(Path(self.folder.name) / "appliance", {"update": update})
        self.bench = self.opening.__enter__()
        self.cs = self.bench.municipality(YATSUSHIRO)

    def teardown(self):
        self.opening.__exit__(None, None, None)
        self.folder.cleanup()

    def send(self, *told):
        expected = [self.model.hear(*one) for one in told]
        batch = {"notifications": [_notice(*one) for one in told]}
        answer = self.cs.ask("update/notify", batch).data
        assert [result["outcome"] for result in answer["results"]] == expected
        assert answer["missing"] == self.model.missing[:100]

    @rule(batch=st.lists(st.tuples(SKIPPED, PERSONS, VERSIONS), min_size=1, max_size=5))
    def sends(self, batch):
        sequence, told = self.model.last, []
        for skipped, person, version in batch:
            sequence += 1 + skipped
            told.append((sequence, person, version))
        self.send(*told)

    @precondition(lambda self: self.model.missing)
    @rule(data=st.data(), person=PERSONS, version=VERSIONS)
    def finds_a_lost_one(self, data, person, version):
        self.send((data.draw(st.sampled_from(self.model.missing)), person, version))

    @precondition(lambda self: self.model.contents)
    @rule(data=st.data())
    def sends_again(self, data):
        sequence = data.draw(st.sampled_from(sorted(self.model.contents)))
        self.send((sequence, *self.model.contents[sequence]))

    @precondition(lambda self: self.model.contents)
    @rule(data=st.data(), person=PERSONS, version=VERSIONS)
    def uses_a_number_again(self, data, person, version):
        self.send((data.draw(st.sampled_from(sorted(self.model.contents))), person, version))

    @invariant()
    def the_file_has_what_was_applied(self):
        for person in range(1, 4):
            versions = [values["update_number"] for values in recorded(self.bench, code(person))]
            assert versions == list(range(1, self.model.current[person] + 1))

    @invariant()
    def what_waits_is_told(self):
        answer = self.cs.ask("update/held", {}).data
        waiting = sorted(s for held in self.model.held.values() for s in held.values())
        assert [held["sequence"] for held in answer["held"]] == waiting
        assert answer["last_sequence"] == self.model.last


TestMunicipality = Municipality.TestCase
TestMunicipality.settings = settings(max_examples=30, stateful_step_count=12)
