import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
import pytest

from tests.simulators.cs import MunicipalServer, main
from tests.simulators.cs_file import MunicipalFile
from tests.simulators.link import Link, Lost, Refused
from tests.simulators.make import Plan, make
from tests.simulators.network import Network
from tests.simulators.notices import (
    Expectation,
    Expected,
    Notice,
    digest,
    eight_of,
    read_lines,
)
from tests.simulators.population import DEFAULT_DAY
from tests.simulators.prefecture import Prefecture
from tests.simulators.tls_server import JsonExchange, TlsServer, serving

ROOT = Path(__file__).resolve().parents[2]
YATSUSHIRO = "432024"
NOTIFY = "/v1/update/notify"


class Appliance(TlsServer):
    """Stands in for the appliance: the real wire, the smallest prefecture behind it."""

    def __init__(self, network: Network) -> None:
        super().__init__(("127.0.0.1", 0), network.server(), Desk)
        self.prefecture = Prefecture(YATSUSHIRO, DEFAULT_DAY)
        self.answers: dict[str, Any] = {}
        self.requests: list[str] = []
        self.connections = 0
        self.lose: set[int] = set()  # requests that are carried out and never answered
        self.busy: set[int] = set()  # requests that are told to come back
        self.forged: dict[str, Any] | None = None
        self.turn = Lock()  # a lost answer may be asked for again while the first is being made

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}"

    def finish_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().finish_request(request, client_address)

    def notify(self, key: str, body: bytes) -> Any:
        with self.turn:
            return self._notified(key, body)

    def _notified(self, key: str, body: bytes) -> Any:
        if key not in self.answers:
            notices = msgspec.json.decode(body, type=dict[str, list[Notice]])["notifications"]
            verdicts = [(notice, self.prefecture.take(notice)) for notice in notices]
            results = [
                {
                    "sequence": notice.sequence,
                    "outcome": verdict.outcome,
                    "problems": [{"rule": r, "item": "", "text": ""} for r in verdict.rules],
                }
                for notice, verdict in verdicts
            ]
            self.answers[key] = {"results": results, "missing": self.prefecture.missing()}
        return self.answers[key]

    def held(self) -> Any:
        held = [{"sequence": n, "since": "", "problems": []} for n in self.prefecture.held]
        return {"held": held, "missing": [], "last_sequence": 0}


class Desk(JsonExchange):
    server: Appliance

    def post(self, body: bytes) -> None:
        number = len(self.server.requests)
        key = self.headers.get("Idempotency-Key", "")
        self.server.requests.append(key)
        if number in self.server.busy:
            self.refuse(503, "sealed")
            return
        data = self.server.notify(key, body) if self.path == NOTIFY else self.server.held()
        if number in self.server.lose:
            self.hang_up()
            return
        self.answer(200, self.server.forged or {"request_id": "r", "data": data})


@dataclass
class City:
    """A municipality: its files, its server's credentials, what it keeps."""

    folder: Path
    network: Network
    appliance: Appliance
    waits: list[float] = field(default_factory=list)

    def notices(self, name: str) -> Iterator[Notice]:
        return read_lines(self.folder / name, Notice)

    def expected(self) -> dict[int, Expectation]:
        records = read_lines(self.folder / "expected.jsonl", Expected)
        return {record.line: record.expected for record in records}

    def link(self) -> Link:
        credentials = self.network.client("cs-432024")
        return Link(self.appliance.url, credentials, timeout=5, sleep=self.waits.append)

    def file(self) -> MunicipalFile:
        return MunicipalFile(self.folder / "cs.db")

    def arguments(self, name: str, *more: str) -> list[str]:
        papers = self.network.client("cs-432024")._asdict().items()
        credentials = [f"--{kind}={path}" for kind, path in papers]
        files = [f"--store={self.folder / 'cs.db'}", f"--in={self.folder / name}"]
        return [f"--url={self.appliance.url}", *credentials, *files, *more]


@pytest.fixture
def city(tmp_path: Path, network: Network) -> Iterator[City]:
    make(Plan(tmp_path, YATSUSHIRO, 700, 300), seed=9, day=DEFAULT_DAY)
    appliance = Appliance(network)
    with serving(appliance):
        yield City(tmp_path, network, appliance)


def test_a_population_goes_out_in_batches_over_one_connection(city: City) -> None:
    with city.link() as link, city.file() as file:
        report = MunicipalServer(link, file, batch=100).send(city.notices("residents.jsonl"), {})

    assert (report.sent, dict(report.outcomes)) == (700, {"applied": 700})
    assert (report.residents, report.unexpected, report.missing) == (700, [], [])
    assert len(city.appliance.requests) == 7 + 1
    assert city.appliance.connections == 1


def test_every_planted_fault_is_answered_as_expected_and_the_files_agree(city: City) -> None:
    with city.link() as link, city.file() as file:
        server = MunicipalServer(link, file, batch=37)
        server.send(city.notices("residents.jsonl"), {})
        report = server.send(city.notices("movements.jsonl"), city.expected())

    people = city.appliance.prefecture.people
    theirs = digest(eight_of(people[code]) for code in sorted(people))
    assert report.unexpected == []
    assert (report.held, report.missing) == ([], [])
    assert (report.residents, report.digest) == (len(people), theirs)
    assert set(report.outcomes) == {"applied", "held", "rejected", "duplicate"}


def test_an_answer_that_was_not_expected_is_listed(city: City) -> None:
    with city.link() as link, city.file() as file:
        server = MunicipalServer(link, file)
        server.send(city.notices("residents.jsonl"), {})
        report = server.send(city.notices("movements.jsonl"), {})

    wanted = {"outcome": "applied", "rule": None}
    assert report.unexpected
    assert all(entry["expected"] == wanted for entry in report.unexpected)
    assert {entry["line"] for entry in report.unexpected} < set(city.expected())


def test_a_lost_answer_is_asked_for_again_with_the_same_key(city: City) -> None:
    city.appliance.lose = {1, 2}
    with city.link() as link, city.file() as file:
        report = MunicipalServer(link, file, batch=350).send(city.notices("residents.jsonl"), {})

    first, *again, _ = city.appliance.requests
    assert dict(report.outcomes) == {"applied": 700}
    assert first not in again
    assert len(again) == 3
    assert len(set(again)) == 1


def test_an_answer_that_is_dropped_on_purpose_comes_again(city: City) -> None:
    with city.link() as link, city.file() as file:
        server = MunicipalServer(link, file, batch=100, drop_every=2)
        report = server.send(city.notices("residents.jsonl"), {})

    assert dict(report.outcomes) == {"applied": 700}
    assert len(city.appliance.prefecture.people) == 700
    assert len(set(city.appliance.requests)) == 7 + 1


def test_a_prefecture_that_is_busy_is_asked_again_later(city: City) -> None:
    city.appliance.busy = {0, 1}
    with city.link() as link, city.file() as file:
        report = MunicipalServer(link, file).send(city.notices("residents.jsonl"), {})

    assert dict(report.outcomes) == {"applied": 700}
    assert city.waits == [0.2, 0.4]


def test_a_prefecture_that_stays_busy_is_given_up(city: City) -> None:
    city.appliance.busy = set(range(100))
    with city.link() as link, city.file() as file, pytest.raises(Refused) as refused:
        MunicipalServer(link, file).send(city.notices("residents.jsonl"), {})

    assert refused.value.status == 503
    assert len(city.appliance.requests) == 8


def test_a_prefecture_that_never_answers_is_given_up(city: City) -> None:
    city.appliance.lose = set(range(100))
    with city.link() as link, city.file() as file, pytest.raises(Lost):
        MunicipalServer(link, file).send(city.notices("residents.jsonl"), {})


def test_an_answer_to_something_else_is_not_believed(city: City) -> None:
    forged = [{"sequence": 5, "outcome": "applied", "problems": []}]
    city.appliance.forged = {"data": {"results": forged, "missing": []}}
    with city.link() as link, city.file() as file:
        with pytest.raises(Refused, match="something else"):
            MunicipalServer(link, file).send(city.notices("residents.jsonl"), {})

        assert file.count() == 0


def test_running_the_whole_command_again_changes_nothing(city: City) -> None:
    for _ in range(2):
        with city.link() as link, city.file() as file:
            report = MunicipalServer(link, file).send(city.notices("residents.jsonl"), {})
        assert dict(report.outcomes) == {"applied": 700}

    first, *_ = city.appliance.requests
    assert city.appliance.requests.count(first) == 2


def test_a_batch_that_repeats_another_is_another_batch(city: City) -> None:
    notice = next(city.notices("residents.jsonl"))
    with city.link() as link, city.file() as file:
        report = MunicipalServer(link, file, batch=1).send([notice, notice], {})

    assert dict(report.outcomes) == {"applied": 1, "duplicate": 1}


def test_a_held_notice_enters_the_file_when_it_is_released(city: City) -> None:
    first = next(city.notices("residents.jsonl"))
    second = msgspec.structs.replace(
        first, sequence=3, update_number=3, reason="32", address=first.address + "　第三荘"
    )
    missed = msgspec.structs.replace(second, sequence=2, update_number=2, address="熊本県１番地")
    with city.link() as link, city.file() as file:
        server = MunicipalServer(link, file)
        before = server.send([first, second], {2: Expectation(outcome="held", rule="G-06")})
        assert (before.held, before.missing, before.unexpected) == ([3], [2], [])
        assert [notice.address for notice in file.residents()] == [first.address]

        after = server.send([missed], {})
        assert (after.held, after.missing) == ([], [])
        assert [notice.address for notice in file.residents()] == [second.address]


def test_the_command_prints_its_report(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(city.arguments("residents.jsonl", "--progress")) == 0

    report = json.loads(capsys.readouterr().out)
    assert report["outcomes"] == {"applied": 700}
    assert report["per_second"] > 0


def test_the_command_runs_as_a_process_and_fails_on_the_unexpected(city: City) -> None:
    module = [sys.executable, "-W", "error", "-m", "tests.simulators.cs"]
    for name, more, status in (
        ("residents.jsonl", (), 0),
        ("movements.jsonl", (f"--expected={city.folder / 'expected.jsonl'}",), 0),
        ("movements.jsonl", ("--batch=33",), 1),
    ):
        command = [*module, *city.arguments(name, *more)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (status, "")
        assert json.loads(done.stdout)["unexpected"] == [] or status == 1


def test_the_command_says_why_nothing_was_taken(
    city: City, network: Network, strangers: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = city.arguments("residents.jsonl")
    foreign = strangers.client("cs-432024")
    city.appliance.forged = {"data": {"results": [], "missing": []}}

    assert main(arguments) == 1
    assert "something else" in capsys.readouterr().err
    with pytest.raises(Lost):
        Link(city.appliance.url, foreign._replace(ca=network.ca)).ask("/v1/sys/health")
