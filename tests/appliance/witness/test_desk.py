"""What a witness cosigns and refuses, and what it makes of a ledger that contradicts itself."""

import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.witness.desk import Answer, Desk
from appliance.witness.shelf import Kind, Shelf
from storage.cosignature import Cosigner, cosigned_at, with_cosignature
from storage.errors import LedgerBroken
from storage.merkle import Tree
from storage.note import Signer, sign_checkpoint
from storage.submission import SIZE_TYPE, Submission, submit
from tests.storage.made import ORIGIN, SIGNER, LedgerInMemory, small_ledger

WITNESS = Cosigner("witness.example", bytes(range(50, 82)))
AT = 1_790_000_000
OK, BAD, FORBIDDEN, UNKNOWN = 200, 400, 403, 404
CONFLICT, UNPROVEN = 409, 422


class Bench:
    """A witness that knows one ledger, and what it has cosigned so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shelf = Shelf(folder, WITNESS.key)
        self.shelf.make()
        self.desk = Desk(WITNESS, [SIGNER.verifier], self.shelf, lambda: AT)

    def asks(self, ledger: LedgerInMemory, old: int) -> Answer:
        """Submit a ledger with a proof from ``old`` entries."""
        size = ledger.frontier.size
        return self.says(submit(Tree(size, ledger), old, ledger.checkpoint()).text())

    def says(self, body: str) -> Answer:
        return self.desk.add_checkpoint(body.encode())

    def size(self) -> int:
        """Return how many entries were cosigned, as anybody reads it from the folder."""
        records = list(self.shelf.records())
        return records[0].checkpoint.size if records else 0

    def evidence(self) -> list[Kind]:
        return [each.kind for each in self.shelf.evidence()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def forked(size: int, since: int) -> LedgerInMemory:
    """Return a ledger under the same key that is another one from entry ``since`` on."""
    word = [b"entry", b"other"]
    return LedgerInMemory(b"%s %d" % (word[n >= since], n) for n in range(size))


# --- what follows is cosigned


@pytest.mark.parametrize("sizes", [[0, 1], [1, 2, 3], [255, 256, 257], [7, 700], [300, 300]])
def test_a_ledger_that_only_grew_is_cosigned(bench: Bench, sizes: list[int]) -> None:
    old = 0
    for size in sizes:
        ledger = small_ledger(size)
        answer = bench.asks(ledger, old)
        assert answer.status == OK
        note = with_cosignature(ledger.checkpoint(), answer.body, WITNESS.key)
        assert cosigned_at(note, WITNESS.key) == AT
        assert bench.size() == size
        old = size
    assert bench.evidence() == []


def test_what_was_cosigned_is_known_after_a_restart(bench: Bench) -> None:
    bench.asks(small_ledger(20), 0)
    again = Bench(bench.folder)
    assert again.asks(small_ledger(30), 20).status == OK


def test_it_is_on_disk_before_it_is_answered(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    bench.asks(small_ledger(3), 0)
    monkeypatch.setattr("appliance.witness.shelf.write_synced", full)
    with pytest.raises(OSError, match="No space"):
        bench.asks(small_ledger(9), 3)
    assert bench.size() == 3


def test_a_record_that_was_damaged_is_not_taken_for_none(bench: Bench) -> None:
    bench.asks(small_ledger(3), 0)
    (path,) = (bench.folder / "cosigned").iterdir()
    path.write_text(path.read_text().replace("\n3\n", "\n2\n"))
    with pytest.raises(LedgerBroken, match="does not verify"):
        bench.asks(forked(9, since=0), 0)


# --- what is not understood, or not of the ledger


@pytest.mark.parametrize("size", [0, 5, 20, 25, 40])
def test_another_size_is_told_and_can_be_proven_from(bench: Bench, size: int) -> None:
    bench.asks(small_ledger(20), 0)
    ledger = small_ledger(40)
    answer = bench.asks(ledger, size)
    if size == 20:
        assert answer.status == OK
        return
    assert answer == (HTTPStatus.CONFLICT, SIZE_TYPE, "20\n")
    assert bench.asks(ledger, 20).status == OK
    assert bench.evidence() == []


def of_nobody(_: Bench) -> str:
    other = Signer("audit.elsewhere.example/g1", bytes(32))
    return Submission(0, (), sign_checkpoint(other, 3, bytes(32))).text()


def of_another_key(_: Bench) -> str:
    return Submission(0, (), sign_checkpoint(Signer(ORIGIN, bytes(32)), 3, bytes(32))).text()


def changed(_: Bench) -> str:
    return Submission(0, (), small_ledger(3).checkpoint().replace("\n3\n", "\n4\n")).text()


def old_is_larger(_: Bench) -> str:
    return Submission(4, (), small_ledger(3).checkpoint()).text()


def with_a_needless_proof(_: Bench) -> str:
    return Submission(0, (bytes(32),), small_ledger(3).checkpoint()).text()


REFUSED: list[tuple[Callable[[Bench], str], int]] = [
    (of_nobody, UNKNOWN),
    (of_another_key, FORBIDDEN),
    (changed, FORBIDDEN),
    (old_is_larger, BAD),
    (with_a_needless_proof, UNPROVEN),
    (lambda _: "", BAD),
    (lambda _: "old 0\n\n", BAD),
    (lambda _: f"old 00\n\n{small_ledger(3).checkpoint()}", BAD),
    (lambda _: f"old 0\n\n{small_ledger(3).checkpoint().rstrip()}", BAD),
    (lambda _: f"old 0\n{small_ledger(3).checkpoint()}", BAD),
]


@pytest.mark.parametrize(("body", "status"), REFUSED)
def test_what_cannot_be_cosigned_is_refused(
    bench: Bench, body: Callable[[Bench], str], status: int
) -> None:
    assert bench.says(body(bench)).status == status
    assert bench.size() == 0


def test_bytes_that_are_no_text_are_refused(bench: Bench) -> None:
    assert bench.desk.add_checkpoint(b"old 0\n\n\xff").status == BAD


def test_signatures_of_strangers_do_no_harm(bench: Bench) -> None:
    ledger = small_ledger(3)
    stranger = Signer("stranger", bytes(32)).sign(ledger.checkpoint().partition("\n\n")[0] + "\n")
    note = ledger.checkpoint() + stranger.rpartition("\n\n")[2]
    assert bench.says(Submission(0, (), note).text()).status == OK


# --- a ledger that contradicts itself


@pytest.mark.requirement("R135")
@pytest.mark.parametrize("old", [0, 5, 12])
def test_a_rollback_is_refused_and_said(bench: Bench, old: int) -> None:
    bench.asks(small_ledger(15), 0)
    assert bench.asks(small_ledger(12), old) == (HTTPStatus.CONFLICT, SIZE_TYPE, "15\n")
    assert (bench.size(), bench.evidence()) == (15, [Kind.ROLLBACK])


@pytest.mark.requirement("R135")
def test_another_ledger_of_the_same_size_is_a_fork(bench: Bench) -> None:
    bench.asks(small_ledger(15), 0)
    assert bench.asks(forked(15, since=12), 15).status == CONFLICT
    assert (bench.size(), bench.evidence()) == (15, [Kind.FORK])


@pytest.mark.requirement("R135")
def test_a_ledger_that_grew_from_another_past_is_a_fork(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.asks(small_ledger(15), 0)
    assert bench.asks(forked(40, since=12), 15).status == UNPROVEN
    assert bench.evidence() == [Kind.FORK]
    assert f"fork of {ORIGIN}: 15 entries were cosigned" in caplog.text
    # The true ledger goes on.
    assert bench.asks(small_ledger(40), 15).status == OK


TRUNK = 6
"""Entries that two histories of a ledger have in common."""
SIZES = st.integers(0, 12)


@given(st.lists(st.tuples(st.booleans(), SIZES, st.none() | SIZES), max_size=25))
def test_whatever_is_submitted_no_two_histories_are_both_cosigned(
    tmp_path_factory: pytest.TempPathFactory, submitted: list[tuple[bool, int, int | None]]
) -> None:
    bench = Bench(tmp_path_factory.mktemp("witness"))
    last, branches = 0, set()
    for is_forked, size, guessed in submitted:
        old = last if guessed is None else guessed
        ledger = forked(size, since=TRUNK) if is_forked else small_ledger(size)
        if old <= size and bench.asks(ledger, old).status == OK:
            assert last == old
            last = size
            branches |= {is_forked} if size > TRUNK else set()
        assert bench.size() == last
    assert len(branches) < 2


def test_of_many_who_submit_at_once_each_sees_the_ledger_grow(bench: Bench) -> None:
    ledgers = [small_ledger(size) for size in range(1, 40)]
    cosigned: list[int] = []

    def insist(ledger: LedgerInMemory) -> None:
        size, old = ledger.frontier.size, 0
        while old <= size:
            answer = bench.asks(ledger, old)
            if answer.status == OK:
                # What is on disk by now is at least this.
                assert bench.size() >= size
                cosigned.append(size)
                return
            old = int(answer.body)

    threads = [threading.Thread(target=insist, args=(each,)) for each in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bench.size() == max(cosigned) == 39


def test_evidence_is_the_two_checkpoints_that_the_ledger_signed(bench: Bench) -> None:
    bench.asks(small_ledger(15), 0)
    bench.asks(forked(40, since=12), 15)
    (kept,) = bench.shelf.evidence()
    text = kept.path.read_text()
    assert small_ledger(15).checkpoint() in text
    assert forked(40, since=12).checkpoint() in text
    assert kept.origin == ORIGIN


def test_the_same_evidence_is_kept_once(bench: Bench) -> None:
    bench.asks(small_ledger(15), 0)
    for _ in range(3):
        bench.asks(small_ledger(12), 0)
    bench.asks(small_ledger(11), 0)
    assert bench.evidence() == [Kind.ROLLBACK] * 2


def test_a_ledger_that_goes_on_contradicting_itself_does_not_fill_the_disk(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.witness.shelf.MOST_EVIDENCE", 3)
    bench.asks(small_ledger(15), 0)
    for size in range(10):
        assert bench.asks(small_ledger(size), 0).status == CONFLICT
    assert len(bench.evidence()) == 3
    assert bench.asks(forked(15, since=12), 0).status == CONFLICT
    assert bench.evidence().count(Kind.FORK) == 1


def test_nobody_can_make_evidence_without_the_key_of_the_ledger(bench: Bench) -> None:
    bench.asks(small_ledger(15), 0)
    for body in (of_another_key, changed):
        bench.says(body(bench))
    assert bench.evidence() == []
