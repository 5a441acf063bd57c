import json
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.simulators.link import Answer, Credentials, Link, Lost
from tests.simulators.national import NationalServer, Switch, main
from tests.simulators.national_file import Contradiction, Message, NationalFile
from tests.simulators.network import Network
from tests.simulators.notices import Eight, digest, eight_of
from tests.simulators.population import Population
from tests.simulators.tls_server import serving

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = [eight_of(person) for person in Population(1, "432024", 400).notices()]
SUMMARY = "/v1/summary"


def message(number: int, person: Eight = PEOPLE[0], **other: object) -> dict[str, Any]:
    record = {name: getattr(person, name) for name in person.__struct_fields__}
    return {"number": number, **record, **other}


def feed(first: int, last: int) -> list[dict[str, Any]]:
    return [message(number, PEOPLE[number]) for number in range(first, last + 1)]


@dataclass
class Prefecture:
    """A client with a prefecture's certificate."""

    link: Link

    def notify(self, *messages: dict[str, Any]) -> Answer:
        return self.link.ask("/v1/notify", json.dumps({"messages": messages}).encode())

    def acknowledged(self, *messages: dict[str, Any]) -> int:
        answer = self.notify(*messages)
        assert answer.status == 200
        return int(answer.body["acknowledged"])

    def inquire(self, **by: Any) -> Answer:
        asked = {
            "request_id": "request-1",
            "basis": "住民基本台帳法第30条の11",
            "purpose": "prefectural-tax",
            "reason": "01",
            "by": by,
            "items": ["name", "address"],
        }
        return self.link.ask("/v1/inquire", json.dumps(asked).encode())

    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = self.link.ask(SUMMARY).body
        return found


@contextmanager
def prefecture(port: int, credentials: Credentials) -> Iterator[Prefecture]:
    with Link(f"https://127.0.0.1:{port}", credentials, timeout=5, sleep=lambda _: None) as link:
        yield Prefecture(link)


@dataclass
class National:
    """A running national server, its switch, and who it lets in."""

    port: int
    switch: Path
    network: Network

    def faults(self, text: str) -> None:
        self.switch.write_text(text)

    def prefecture(self, name: str = "pref-43") -> Any:
        return prefecture(self.port, self.network.client(name))


@pytest.fixture
def national(tmp_path: Path, network: Network) -> Iterator[National]:
    switch = tmp_path / "faults"
    with NationalFile(tmp_path / "national.db") as file:
        file.keep_elsewhere(PEOPLE[300:])
        server = NationalServer(
            ("127.0.0.1", 0), network.server(), file, Switch(file=switch), delay=0.3
        )
        with serving(server) as port:
            yield National(port, switch, network)


def test_messages_are_kept_and_acknowledged(national: National) -> None:
    with national.prefecture() as kumamoto:
        assert kumamoto.acknowledged(*feed(1, 50)) == 50
        assert kumamoto.acknowledged(*feed(51, 60)) == 60

        summary = kumamoto.summary()
    assert summary["residents"] == 60
    assert summary["prefectures"]["pref-43"] == {
        "last_number": 60,
        "acknowledged": 60,
        "missing": [],
        "repeats": 0,
    }


def test_the_digest_is_that_of_the_same_people_kept_elsewhere(national: National) -> None:
    with national.prefecture() as kumamoto:
        kumamoto.acknowledged(*feed(1, 60))

        ours = sorted(PEOPLE[1:61], key=lambda person: person.resident_code)
        assert kumamoto.summary()["digest"] == digest(ours)


def test_a_newer_message_replaces_the_person(national: National) -> None:
    newer = message(2, PEOPLE[0], address="熊本県八代市本町１丁目１番１号", reason="31")
    with national.prefecture() as kumamoto:
        kumamoto.acknowledged(message(1), newer)

        summary = kumamoto.summary()
        assert summary["residents"] == 1
        del newer["number"]
        assert summary["digest"] == digest([Eight(**newer)])


def test_the_same_message_again_changes_nothing(national: National) -> None:
    with national.prefecture() as kumamoto:
        kumamoto.acknowledged(*feed(1, 5))
        before = kumamoto.summary()["digest"]

        assert kumamoto.acknowledged(*feed(3, 5)) == 5
        assert kumamoto.summary()["digest"] == before
        assert kumamoto.summary()["prefectures"]["pref-43"]["repeats"] == 3


def test_a_number_cannot_say_something_else_later(national: National) -> None:
    with national.prefecture() as kumamoto:
        kumamoto.acknowledged(*feed(1, 2))

        refused = kumamoto.notify(message(3, PEOPLE[3]), message(2, PEOPLE[7]))
        assert refused.status == 409
        assert kumamoto.summary()["prefectures"]["pref-43"]["last_number"] == 2


def test_a_gap_is_reported_until_it_is_filled(national: National) -> None:
    with national.prefecture() as kumamoto:
        answer = kumamoto.notify(*feed(1, 2), *feed(5, 6), *feed(8, 8))
        assert (answer.body["acknowledged"], answer.body["missing"]) == (2, [3, 4, 7])

        answer = kumamoto.notify(*feed(3, 4))
        assert (answer.body["acknowledged"], answer.body["missing"]) == (6, [7])
        assert kumamoto.acknowledged(*feed(7, 7)) == 8


def test_a_wide_gap_is_reported_in_part(national: National) -> None:
    with national.prefecture() as kumamoto:
        missing = kumamoto.notify(message(10**9)).body["missing"]

    assert missing == list(range(1, 101))


def test_a_message_that_was_overtaken_does_not_undo_the_newer_one(national: National) -> None:
    with national.prefecture() as kumamoto:
        kumamoto.notify(message(2, PEOPLE[0], reason="22"))
        kumamoto.notify(message(1, PEOPLE[0], reason="31"))

        dead = message(2, PEOPLE[0], reason="22")
        del dead["number"]
        assert kumamoto.summary()["digest"] == digest([Eight(**dead)])


def test_every_prefecture_has_a_feed_of_its_own(national: National) -> None:
    with national.prefecture("pref-43") as kumamoto, national.prefecture("pref-40") as fukuoka:
        kumamoto.acknowledged(*feed(1, 3))
        moved = message(1, PEOPLE[1], address="福岡県福岡市博多区１番地")

        assert fukuoka.acknowledged(moved) == 1
        assert kumamoto.summary()["residents"] == 3
        assert set(kumamoto.summary()["prefectures"]) == {"pref-40", "pref-43"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"kana": "やまだ"},
        {"number": 0},
        {"number": "1"},
        {"sex": 1},
        {"kind": "inquiry"},
        {"municipality_code": "432024"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_anything_but_the_eight_items_is_refused_whole(
    national: National, wrong: dict[str, Any]
) -> None:
    with national.prefecture() as kumamoto:
        refused = kumamoto.notify(message(1), {**message(2, PEOPLE[2]), **wrong})

        assert refused.status == 400
        assert kumamoto.summary()["residents"] == 0


@pytest.mark.parametrize("item", Eight.__struct_fields__)
def test_a_missing_item_is_refused_and_no_value_is_repeated(national: National, item: str) -> None:
    cut = message(1)
    del cut[item]
    with national.prefecture() as kumamoto:
        refused = kumamoto.notify(cut)

    assert refused.status == 400
    assert item in refused.body["title"]
    assert PEOPLE[0].name not in str(refused.body)


def test_a_kind_may_stand_in_the_message(national: National) -> None:
    with national.prefecture() as kumamoto:
        assert kumamoto.acknowledged(message(1, kind="update")) == 1


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Length": "99999999"}, b"", 413),
        ({"Content-Length": "many"}, b"", 411),
        ({}, b"{", 400),
        ({}, b'{"messages": []}', 400),
    ],
)
def test_what_is_no_notification_is_refused(
    national: National, headers: dict[str, str], body: bytes, status: int
) -> None:
    with national.prefecture() as kumamoto:
        kumamoto.link.send("/v1/notify", body, headers)

        assert kumamoto.link.receive().status == status


def test_there_is_nothing_else(national: National) -> None:
    with national.prefecture() as kumamoto:
        assert kumamoto.link.ask("/v1/residents").status == 404
        assert kumamoto.link.ask("/v1/residents", b"{}").status == 404


def test_a_certificate_of_another_network_is_not_let_in(
    national: National, strangers: Network, network: Network
) -> None:
    foreign = strangers.client("pref-43")._replace(ca=network.ca)
    with prefecture(national.port, foreign) as stranger, pytest.raises(Lost):
        stranger.summary()


def test_a_client_without_a_certificate_is_not_let_in(national: National) -> None:
    context = ssl.create_default_context(cafile=str(national.network.ca))
    connection = HTTPSConnection("127.0.0.1", national.port, timeout=5, context=context)
    with closing(connection), pytest.raises((OSError, HTTPException)):
        _get_summary(connection)


def _get_summary(connection: HTTPSConnection) -> None:
    connection.request("GET", SUMMARY)
    connection.getresponse()


def test_silent_clients_hold_up_nobody(national: National) -> None:
    silent = [socket.create_connection(("127.0.0.1", national.port)) for _ in range(30)]
    try:
        with national.prefecture() as kumamoto:
            assert kumamoto.acknowledged(message(1)) == 1
    finally:
        for connection in silent:
            connection.close()


def test_down_answers_nobody_and_keeps_nothing(national: National) -> None:
    with national.prefecture() as kumamoto:
        kumamoto.acknowledged(message(1))
        national.faults("down")
        for _ in range(2):  # on the open connection, then on a new one
            with pytest.raises(Lost):
                kumamoto.notify(message(2, PEOPLE[2]))

        national.faults("")
        assert kumamoto.summary()["residents"] == 1


def test_slow_answers_late(national: National) -> None:
    with national.prefecture() as kumamoto:
        national.faults("slow")
        begun = monotonic()

        assert kumamoto.acknowledged(message(1)) == 1
        assert monotonic() - begun >= 0.3


def test_wrong_acknowledges_what_nobody_sent_and_keeps_nothing(national: National) -> None:
    with national.prefecture() as kumamoto:
        national.faults("wrong")
        assert kumamoto.acknowledged(message(1)) == 1001

        national.faults("")
        assert kumamoto.summary()["residents"] == 0


def test_duplicate_loses_the_first_answer_and_gives_the_second(national: National) -> None:
    with national.prefecture() as kumamoto:
        national.faults("duplicate")
        with pytest.raises(Lost):
            kumamoto.notify(message(1))

        assert kumamoto.acknowledged(message(1)) == 1
        assert kumamoto.summary()["prefectures"]["pref-43"]["repeats"] == 1


def outcomes(answer: Answer) -> list[tuple[int, str, str | None]]:
    return [(one["number"], one["outcome"], one.get("rule")) for one in answer.body["results"]]


def test_every_message_gets_its_outcome_and_the_answer_the_hash_of_what_was_asked(
    national: National,
) -> None:
    body = json.dumps({"messages": feed(1, 2)}).encode()
    with national.prefecture() as kumamoto:
        answer = kumamoto.link.ask("/v1/notify", body)
        assert outcomes(answer) == [(1, "taken", None), (2, "taken", None)]
        assert answer.body["request_hash"] == sha256(body).hexdigest()
        assert outcomes(kumamoto.notify(*feed(2, 3))) == [(2, "known", None), (3, "taken", None)]


def test_refuse_refuses_the_first_new_message_for_ever(national: National) -> None:
    with national.prefecture() as kumamoto:
        national.faults("refuse")
        assert outcomes(kumamoto.notify(*feed(1, 2))) == [
            (1, "refused", "N-12"),
            (2, "taken", None),
        ]
        national.faults("")
        answer = kumamoto.notify(*feed(1, 2))
        assert outcomes(answer) == [(1, "refused", "N-12"), (2, "known", None)]
        assert answer.body["acknowledged"] == 2
        assert kumamoto.summary()["residents"] == 1
        national.faults("refuse-all")
        assert {outcome for _, outcome, _ in outcomes(kumamoto.notify(*feed(3, 9)))} == {"refused"}
        assert kumamoto.summary()["residents"] == 1


def test_out_of_order_answers_in_the_wrong_order(national: National) -> None:
    with national.prefecture() as kumamoto:
        national.faults("out-of-order")
        assert [number for number, *_ in outcomes(kumamoto.notify(*feed(1, 3)))] == [3, 2, 1]


def test_whoever_fits_exactly_is_answered_wherever_he_lives(national: National) -> None:
    here, elsewhere = PEOPLE[1], PEOPLE[301]
    with national.prefecture() as kumamoto:
        kumamoto.acknowledged(message(1, here))
        for person in (here, elsewhere):
            answer = kumamoto.inquire(resident_code=person.resident_code).body
            assert answer["result"] == "one"
            assert answer["resident"] == {"name": person.name, "address": person.address}
        assert kumamoto.inquire(my_number="999999999999").body["result"] == "none"
        several = kumamoto.inquire(sex="1").body
        assert several["result"] == "several"
        assert "resident" not in several
        assert kumamoto.inquire().status == 400


@pytest.mark.parametrize(
    ("fault", "holds"),
    [
        ("wrong", lambda answer: len(answer.body["resident"]) == 8),
        ("out-of-order", lambda answer: answer.body == {}),
        ("refuse", lambda answer: answer.status == 403),
        ("slow", lambda answer: answer.body["result"] == "one"),
    ],
)
def test_an_inquiry_meets_the_fault_that_is_on(national: National, fault: str, holds: Any) -> None:
    with national.prefecture() as kumamoto:
        national.faults(fault)
        assert holds(kumamoto.inquire(resident_code=PEOPLE[301].resident_code))


def test_duplicate_loses_the_first_answer_to_an_inquiry_too(national: National) -> None:
    with national.prefecture() as kumamoto:
        national.faults("duplicate")
        with pytest.raises(Lost):
            kumamoto.inquire(resident_code=PEOPLE[301].resident_code)
        again = kumamoto.inquire(resident_code=PEOPLE[301].resident_code)
        assert again.body["result"] == "one"


def test_the_file_keeps_all_messages_of_a_request_or_none(tmp_path: Path) -> None:
    with NationalFile(tmp_path / "national.db") as file:
        first = Message(**message(1))
        with pytest.raises(Contradiction):
            file.receive("pref-43", [first, Message(**message(1, PEOPLE[1]))])

        assert file.summary()["residents"] == 0


@contextmanager
def process(tmp_path: Path, credentials: Credentials, *more: str) -> Iterator[tuple[int, Any]]:
    module = [sys.executable, "-W", "error", "-m", "tests.simulators.national"]
    files = [f"--{name}={path}" for name, path in credentials._asdict().items()]
    command = [*module, *files, f"--store={tmp_path / 'national.db'}", *more]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        listening = json.loads(child.stdout.readline())["listening"]
        try:
            yield int(listening.rpartition(":")[2]), child
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(10)


def test_the_process_keeps_its_file_over_a_restart(tmp_path: Path, network: Network) -> None:
    client = network.client("pref-43")
    with process(tmp_path, network.server()) as (port, child), prefecture(port, client) as kumamoto:
        assert kumamoto.acknowledged(*feed(1, 20)) == 20
        before = kumamoto.summary()
    assert child.returncode == 0

    with process(tmp_path, network.server()) as (port, _), prefecture(port, client) as kumamoto:
        assert kumamoto.summary() == before


def test_the_process_takes_its_faults_from_the_command_line(
    tmp_path: Path, network: Network
) -> None:
    client = network.client("pref-43")
    with (
        process(tmp_path, network.server(), "--faults", "wrong,slow", "--delay", "0.1") as (
            port,
            _,
        ),
        prefecture(port, client) as kumamoto,
    ):
        assert kumamoto.acknowledged(message(1)) == 1001


def test_an_unknown_fault_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--faults", "sleepy"])
    assert (
        "down, duplicate, out-of-order, refuse, refuse-all, slow, wrong" in capsys.readouterr().err
    )
