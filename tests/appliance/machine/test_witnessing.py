"""Our side of the witness: what is handed over, what is believed, and what becomes an alarm."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import pytest

from appliance.machine.config import Witness
from appliance.machine.cosigning import Views
from appliance.machine.witnessing import Witnessing
from appliance.witness.desk import Answer, Desk
from appliance.witness.server import Server
from appliance.witness.setup import Setup
from appliance.witness.shelf import Shelf
from storage.cosignature import Cosigner, cosigned_at
from storage.engine import Engine
from storage.errors import LedgerBroken
from storage.submission import SIZE_TYPE, Submission
from tests.appliance.founding import NOW
from tests.simulators.link import server_context
from tests.simulators.network import Network
from tests.storage.made import SIGNER, LedgerInMemory, small_ledger
from tests.waiting import until

WITNESS = Cosigner("witness.example", bytes(range(50, 82)))
MINUTE = timedelta(minutes=1)


IDLE_SECONDS = 1.5
"""In which the witness looks for connections that nobody uses."""


class Ledger:
    """A ledger that grows, as an engine shows it: what a witness is told, and no more."""

    def __init__(self, size: int) -> None:
        self.made = small_ledger(size)

    def grow(self, to: int, word: bytes = b"entry") -> None:
        for n in range(self.made.frontier.size, to):
            self.made.append(b"%s %d" % (word, n))

    @contextmanager
    def view(self) -> Iterator["Ledger"]:
        yield self

    def ledger_size(self) -> int:
        return self.made.frontier.size

    def tile_hashes(self, level: int, n: int, width: int) -> Any:
        return self.made.tile_hashes(level, n, width)

    def checkpoint(self) -> str:
        return self.made.checkpoint()

    @property
    def views(self) -> Views:
        return cast(Views, self.view)

    @property
    def engine(self) -> Engine:
        return cast(Engine, self)


class Scripted:
    """Answers what it was told to, in order; then as the witness would."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.answers: list[Answer] = []
        self.heard: list[Submission] = []

    def add_checkpoint(self, body: bytes) -> Answer:
        self.heard.append(Submission.parse(body.decode()))
        return self.answers.pop(0) if self.answers else self._desk.add_checkpoint(body)


class Bench:
    """A witness on a port, and an appliance's side that knows it."""

    def __init__(self, folder: Path, context: ssl.SSLContext, server: ssl.SSLContext) -> None:
        self.now = NOW
        self.folder = folder
        self.context = context
        self.shelf = Shelf(folder, WITNESS.key)
        self.shelf.make()
        desk = Desk(WITNESS, [SIGNER.verifier], self.shelf, lambda: int(self.now.timestamp()))
        self.script = Scripted(desk)
        setup = Setup("127.0.0.1", 0, (SIGNER.verifier,), WITNESS, server)
        self.server = Server(setup, cast(Desk, self.script))
        self.server.prepare()
        self.thread = threading.Thread(target=self.server.serve)
        self.thread.start()
        self.port = int(self.server.bind_addr[1])

    def close(self) -> None:
        self.server.stop()
        self.thread.join()

    def ours(self, port: int = 0) -> Witnessing:
        witness = Witness(
            url=f"https://127.0.0.1:{port or self.port}",
            vkey=WITNESS.key,
            certificate=Path(),
            key=Path(),
            ca=Path(),
            every=timedelta(milliseconds=50),
            alarm_after=10 * MINUTE,
        )
        path = self.folder / "witnessed.checkpoint"
        return Witnessing(witness, self.context, path, SIGNER.verifier, lambda: self.now)

    def size(self) -> int:
        return max((each.checkpoint.size for each in self.shelf.records()), default=0)


@pytest.fixture
def bench(tmp_path: Path, network: Network, context: ssl.SSLContext) -> Iterator[Bench]:
    made = Bench(tmp_path, context, server_context(network.server()))
    yield made
    made.close()


def test_a_ledger_that_grew_is_cosigned_from_where_the_witness_is(bench: Bench) -> None:
    ledger, ours = Ledger(5), bench.ours()
    for size in (5, 9, 300):
        ledger.grow(size)
        ours.agree(ledger.views)
        assert bench.size() == size
    assert [each.old for each in bench.script.heard] == [0, 5, 9]
    note = ours.note()
    assert note is not None
    assert cosigned_at(note, WITNESS.key) == int(NOW.timestamp())
    assert (ours.status()["state"], ours.status()["size"]) == ("cosigned", 300)


def test_a_connection_that_the_witness_ended_while_idle_is_opened_anew(bench: Bench) -> None:
    ledger, ours = Ledger(5), bench.ours()
    bench.server.timeout = 0.1
    ours.agree(ledger.views)
    time.sleep(IDLE_SECONDS)
    ledger.grow(9)
    ours.agree(ledger.views)
    assert (ours.status()["state"], ours.status()["size"]) == ("cosigned", 9)


def test_what_was_cosigned_is_known_after_a_restart(bench: Bench) -> None:
    bench.ours().agree(Ledger(5).views)
    again = bench.ours()
    assert again.status()["size"] == 5
    again.agree(Ledger(8).views)
    assert bench.script.heard[-1].old == 5


def test_a_lost_answer_is_made_good_from_the_size_the_witness_names(bench: Bench) -> None:
    bench.ours().agree(Ledger(5).views)
    (bench.folder / "witnessed.checkpoint").unlink()
    ours = bench.ours()
    ours.agree(Ledger(8).views)
    assert [each.old for each in bench.script.heard] == [0, 0, 5]
    assert ours.status()["state"] == "cosigned"


@pytest.mark.requirement("R135")
def test_a_ledger_that_is_shorter_than_what_was_cosigned_does_not_open(bench: Bench) -> None:
    bench.ours().agree(Ledger(15).views)
    (bench.folder / "witnessed.checkpoint").unlink()
    ours = bench.ours()
    with pytest.raises(
        LedgerBroken, match=r"ends at 12 entries, the witness .* cosigned 15.*12 to"
    ):
        ours.agree(Ledger(12).views)
    assert ours.status()["state"] == "rollback"
    assert [each["name"] for each in ours.alarms()] == ["witness-rollback"]
    assert ours.is_refused()


@pytest.mark.requirement("R135")
@pytest.mark.parametrize("size", [15, 40])
def test_a_ledger_that_is_another_one_does_not_open(bench: Bench, size: int) -> None:
    bench.ours().agree(Ledger(10).views)
    older = (bench.folder / "witnessed.checkpoint").read_text()
    bench.ours().agree(Ledger(15).views)
    (bench.folder / "witnessed.checkpoint").write_text(older)
    forked, ours = Ledger(12), bench.ours()
    forked.grow(size, b"other")
    with pytest.raises(LedgerBroken, match=r"cosigned 15 .* forked.* lies from 10 to 14"):
        ours.agree(forked.views)
    assert [each["name"] for each in ours.alarms()] == ["witness-fork"]


def test_a_witness_that_is_not_there_is_an_alarm_and_no_reason_not_to_open(bench: Bench) -> None:
    bench.close()
    ours = bench.ours()
    ours.agree(Ledger(5).views)
    assert ours.status()["state"] == "failing"
    (alarm,) = ours.alarms()
    assert alarm["name"] == "witness-not-compared"
    assert "not compared with witness.example since it was unsealed" in alarm["text"]
    assert ours.note() is None
    assert ours.status()["age_seconds"] is None
    bench.now += MINUTE
    assert ours.age() == 60.0


def test_a_cosignature_that_is_old_is_an_alarm(bench: Bench) -> None:
    ours = bench.ours()
    ours.agree(Ledger(5).views)
    bench.now += 9 * MINUTE
    assert ours.alarms() == []
    bench.now += 2 * MINUTE
    (alarm,) = ours.alarms()
    assert (alarm["name"], alarm["age_seconds"]) == ("witness-old", 660)
    assert ours.age() == 660


@pytest.mark.parametrize(
    ("at", "alarm"),
    [(int(NOW.timestamp()) + 3600, "witness-old"), (1 << 63, "witness-not-compared")],
)
def test_a_witness_whose_clock_is_ahead_is_an_alarm_and_no_reason_not_to_open(
    bench: Bench, at: int, alarm: str
) -> None:
    text, _, _ = small_ledger(5).checkpoint().rpartition("\n\n")
    bench.script.answers = [Answer(HTTPStatus.OK, "text/plain", WITNESS.cosign(f"{text}\n", at))]
    ours = bench.ours()
    ours.agree(Ledger(5).views)
    assert (ours.status()["state"], ours.note()) == ("failing", None)
    bench.now += 11 * MINUTE
    assert [each["name"] for each in ours.alarms()] == [alarm]


def refusal(status: int, body: str = "no\n", kind: str = "text/plain") -> Answer:
    return Answer(HTTPStatus(status), kind, body)


STRANGE = Cosigner("witness.example", bytes(32))


@pytest.mark.parametrize(
    "answers",
    [
        [refusal(403)],
        [refusal(404)],
        [refusal(503)],
        [refusal(422)],
        [refusal(200, "")],
        [refusal(200, STRANGE.cosign(small_ledger(20).checkpoint(), 1))],
        [refusal(200, "x" * 100_000)],
        [refusal(409, "many\n", SIZE_TYPE)],
        [refusal(409, "1" * 30 + "\n", SIZE_TYPE)],
        [refusal(409, f"{size}\n", SIZE_TYPE) for size in (3, 4, 5)],
    ],
)
def test_what_is_no_answer_of_the_witness_says_nothing_about_the_ledger(
    bench: Bench, answers: list[Answer]
) -> None:
    bench.script.answers = answers
    ours = bench.ours()
    ours.agree(Ledger(20).views)
    assert ours.status()["state"] == "failing"
    assert ours.note() is None
    ours.agree(Ledger(20).views)
    assert ours.status()["state"] == "cosigned"


def test_a_witness_cannot_take_back_what_it_cosigned(bench: Bench) -> None:
    ours = bench.ours()
    ours.agree(Ledger(5).views)
    bench.script.answers = [refusal(422)]
    ours.agree(Ledger(9).views)
    assert (
        ours.status()["last_error"] == "the witness refuses the 5 entries that it cosigned itself"
    )


def test_a_cosignature_that_cannot_be_kept_is_asked_for_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    ours = bench.ours()
    with monkeypatch.context() as patched:
        patched.setattr("appliance.machine.witnessing.replace_file", full)
        ours.agree(Ledger(5).views)
    assert (ours.note(), ours.status()["state"]) == (None, "failing")
    assert "not kept" in ours.status()["last_error"]
    ours.agree(Ledger(5).views)
    assert ours.status()["state"] == "cosigned"


def test_the_thread_hands_over_whatever_is_newer(bench: Bench) -> None:
    ledger, ours = Ledger(5), bench.ours()
    ours.agree(ledger.views)
    ours.start(ledger.engine)
    try:
        ledger.grow(300)
        until(lambda: ours.status()["size"] == 300, 10.0)
        heard = len(bench.script.heard)
        # A ledger that rests is handed over once a minute, so that the age says who is there.
        bench.now += 2 * MINUTE
        until(lambda: len(bench.script.heard) > heard, 10.0)
        until(lambda: ours.age() == 0.0, 10.0)
    finally:
        ours.stop()


def test_what_may_have_arrived_is_sent_again_as_it_was(bench: Bench) -> None:
    ledger, ours = Ledger(5), bench.ours()
    ours.agree(ledger.views)
    bench.script.answers = [refusal(503), refusal(503)]
    ledger.grow(8)
    ours.start(ledger.engine)
    try:
        until(lambda: len(bench.script.heard) > 1, 10.0)
        ledger.grow(12)
        until(lambda: ours.status()["size"] == 12, 10.0)
    finally:
        ours.stop()
    sizes = [each.checkpoint.splitlines()[1] for each in bench.script.heard]
    assert sizes[1:4] == ["8", "8", "8"]
    assert sizes[-1] == "12"
    assert list(bench.shelf.evidence()) == []


def test_a_contradiction_while_it_serves_is_an_alarm_that_stays(bench: Bench) -> None:
    ledger, ours = Ledger(20), bench.ours()
    ours.agree(ledger.views)
    ledger.made = LedgerInMemory(b"other %d" % n for n in range(30))
    ours.start(ledger.engine)
    try:
        until(ours.is_refused, 10.0)
        assert ours.status()["state"] == "fork"
        (alarm,) = ours.alarms()
        assert alarm["name"] == "witness-fork"
        assert datetime.fromisoformat(alarm["since"]) == NOW
    finally:
        ours.stop()
    assert bench.size() == 20


def test_what_another_witness_cosigned_is_not_taken_for_this_ones(bench: Bench) -> None:
    other = Cosigner("other.example", bytes(32))
    note = small_ledger(3).checkpoint()
    line = other.cosign(note.partition("\n\n")[0] + "\n", 1)
    (bench.folder / "witnessed.checkpoint").write_text(note + line)
    assert bench.ours().note() is None
