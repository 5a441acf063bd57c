import ctypes
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from appliance import wire
from appliance.certificates import CertificateAuthority, peer_from_pem
from appliance.edge import tls
from appliance.edge.metrics import Metrics
from appliance.edge.problems import Early
from appliance.errors import (
    Conflict,
    Damaged,
    Malformed,
    NotPermitted,
    StartupError,
    Unavailable,
    Unidentified,
)
from appliance.ledger_reader import LedgerReader
from appliance.machine import boot, firmware, host
from appliance.machine.boot import in_mode, serve
from appliance.machine.gate import Appliance, Ending
from appliance.machine.init import Founded, write_shares
from appliance.machine.keeper import Keeper, Shares
from appliance.machine.opening import system_entry
from appliance.machine.running import Exporter
from appliance.machine.store import Layout
from appliance.model import Envelope, OperationName, Peer, RequestId
from appliance.parts import utc_now
from appliance.pipeline import Pipeline
from storage.errors import OutcomeUnknown, StoreInUse
from storage.journal import Journal, digests, read_journal
from storage.keyring import read_header
from storage.tilecheck import verify_folder
from storage.vault import Vault
from tests.appliance.founding import NOW, Site, make_site


class Machine:
    """An appliance without sockets, and whoever stands before it."""

    def __init__(self, site: Site, founded: Founded) -> None:
        self.site = site
        self.founded = founded
        self.layout = Layout(site.data)
        header = read_header(self.layout.ring)
        assert header.share_set is not None
        shares = Shares(header.share_set)
        self.journal = Journal(self.layout.journal, lambda: 1_775_000_000_000)
        self.metrics = Metrics()
        self.appliance = Appliance(site.settings, shares, self.journal, self.metrics, lambda: NOW)
        self.keeper = Keeper(self.appliance, shares, self.layout.seal_token, self.journal)

    def unseal(self) -> None:
        for share in self.founded.shares[:3]:
            self.keeper.unseal(share)

    def ask(self, operation: str, body: dict[str, Any], fingerprint: str = "") -> Any:
        peer = peer_from_pem((self.site.tls / "terminal.pem").read_bytes())
        if fingerprint:
            peer = Peer(fingerprint, peer.not_before, peer.not_after)
        envelope = Envelope(
            request_id=RequestId("r-1"),
            peer=peer,
            operation=OperationName(operation),
            media_type=wire.JSON,
            body=wire.encode(wire.JSON, body),
        )
        return self.appliance.answer(envelope)

    def events(self) -> list[str]:
        return [line["event"] for line in read_journal(self.layout.journal)]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    site = make_site(tmp_path)
    made = Machine(site, site.found())
    yield made
    made.appliance.close(Ending.STOP)
    made.journal.close()


# --- sealed ---


def test_sealed_it_answers_nothing_but_how_it_is(machine: Machine) -> None:
    appliance = machine.appliance
    assert appliance.health() == (503, {"status": "sealed", "sealed": True, "degraded": []})
    status = appliance.seal_status()
    assert (status["sealed"], status["t"], status["n"], status["progress"]) == (True, 3, 5, 0)
    assert appliance.operations() == ()
    assert appliance.checkpoint() is None
    assert machine.keeper.health() == appliance.health()
    with pytest.raises(Unavailable):
        machine.ask("session/open", {"person": "P-0001", "pin": "1"})


def test_a_bad_share_is_refused_with_the_reason_and_the_others_stay(machine: Machine) -> None:
    first, second, *_ = machine.founded.shares
    assert machine.keeper.unseal(first)["progress"] == 1
    words = second.split()
    for bad, reason in (
        (first, "already given"),
        (" ".join(words[:-1]), "has 33 words"),
        (" ".join(["wrong", *words[1:]]), "not in the word list"),
        (" ".join([words[1], words[0], *words[2:]]), "mistyped"),
    ):
        with pytest.raises(Malformed, match=reason):
            machine.keeper.unseal(bad)
    assert machine.keeper.unseal(second)["progress"] == 2
    assert machine.events() == ["share-taken", *["refused"] * 4, "share-taken"]


def test_no_word_of_a_share_reaches_the_journal(machine: Machine) -> None:
    machine.unseal()
    text = machine.layout.journal.read_text("utf-8")
    shares = (share.split() for share in machine.founded.shares)
    assert not any(f"{a} {b}" in text for words in shares for a, b in pairwise(words))


# --- unsealed ---


def test_the_third_share_opens_everything(machine: Machine) -> None:
    machine.unseal()
    appliance = machine.appliance
    assert appliance.health()[0] == 200
    assert {op.name for op in appliance.operations()} >= {"session/open", "session/enrol"}
    assert appliance.checkpoint() is not None
    details = machine.keeper.health()[1]
    assert details["warnings"] == []
    assert details["policy_serial"] == 1
    assert b"juki_unsealed 1.0" in machine.metrics.text()
    assert machine.events()[-1] == "unsealed"
    with pytest.raises(Conflict):
        machine.keeper.unseal(machine.founded.shares[3])


def test_a_first_day_through_the_front_door(machine: Machine) -> None:
    machine.unseal()
    code = machine.founded.enrolment_code
    machine.ask("session/enrol", {"code": code, "pin": "31415926"})
    opened = machine.ask("session/open", {"person": "P-0001", "pin": "31415926"})
    assert list(opened.data["roles"]) == ["system-administrator"]


def test_strangers_are_noted_in_the_journal(machine: Machine) -> None:
    machine.unseal()
    with pytest.raises(Unidentified):
        machine.ask("session/open", {"person": "P-0001", "pin": "1"}, fingerprint="ab" * 32)
    line = read_journal(machine.layout.journal)[-1]
    assert (line["event"], line["fingerprint"]) == ("refused", "ab" * 32)


def test_a_full_disk_under_the_journal_does_not_stop_refusals(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **details: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(machine.journal, "refused", full)
    machine.appliance.refused_early(Early(code="tls", text="no certificate"))


def test_a_changed_policy_keeps_it_sealed_and_names_the_file(machine: Machine) -> None:
    roles = machine.site.firmware / "policy" / "roles.toml"
    good = roles.read_bytes()
    roles.write_bytes(good + b"# more rights\n")
    with pytest.raises(Unavailable, match=r"policy/roles\.toml: was changed"):
        machine.unseal()
    assert machine.appliance.seal_status()["progress"] == 0
    assert machine.appliance.health()[1]["status"] == "sealed"
    assert machine.events()[-1] == "unseal-failed"
    roles.write_bytes(good)
    machine.unseal()
    assert machine.appliance.is_open


def test_a_damaged_store_keeps_it_sealed(machine: Machine) -> None:
    ring = machine.layout.ring
    raw = bytearray(ring.read_bytes())
    raw[-1] ^= 1
    ring.write_bytes(raw)
    with pytest.raises(Damaged):
        machine.unseal()
    assert not machine.appliance.is_open


def test_shares_that_do_not_fit_the_ring_are_no_fault_of_who_types(machine: Machine) -> None:
    shares = Shares(machine.keeper._shares.share_set)
    wrong = replace(shares.share_set, root_check=bytes(32))
    keeper = Keeper(machine.appliance, Shares(wrong), machine.layout.seal_token, machine.journal)
    first, second, third, *_ = machine.founded.shares
    keeper.unseal(first)
    keeper.unseal(second)
    with pytest.raises(Damaged):
        keeper.unseal(third)
    assert machine.events()[-1] == "unseal-failed"


def test_a_store_in_other_hands_keeps_it_sealed(machine: Machine) -> None:
    from storage.lock import FolderLock

    lock = FolderLock.take(machine.layout.store)
    try:
        with pytest.raises(Unavailable, match="in use"):
            machine.unseal()
    finally:
        lock.release()
    machine.unseal()


def test_only_the_token_of_the_file_seals(machine: Machine) -> None:
    machine.unseal()
    with pytest.raises(NotPermitted):
        machine.keeper.seal("0" * 64)
    with pytest.raises(NotPermitted):
        machine.keeper.seal("é")
    assert machine.appliance.told.empty()
    token = machine.layout.seal_token
    assert token.stat().st_mode & 0o777 == 0o600
    machine.keeper.seal(token.read_text())
    assert machine.appliance.told.get_nowait() is Ending.SEAL
    assert machine.events()[-3:] == ["refused", "refused", "seal-asked"]


def test_a_full_disk_keeps_nobody_from_sealing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.unseal()
    monkeypatch.setattr(machine.journal, "note", _full)
    machine.keeper.seal(machine.layout.seal_token.read_text())
    assert machine.appliance.told.get_nowait() is Ending.SEAL


def test_the_ledger_says_where_the_boot_journal_stood(machine: Machine) -> None:
    """Which needs no key: from then on nobody changes a line before it unseen."""
    first, *rest = machine.founded.shares[:3]
    machine.keeper.unseal(first)
    for share in rest:
        machine.keeper.unseal(share)
    running = machine.appliance._running
    assert running is not None
    with running.vault.view() as view:
        notes = [
            entry.note
            for entry in LedgerReader(view).newest_first()
            if entry.operation == "system/unseal"
        ]
    head = digests(machine.layout.journal)[2]
    assert notes == [f"policy 1; boot journal 3 {head}"]


def test_an_unknown_outcome_stops_everything(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.unseal()

    def unknown(self: Pipeline, envelope: Envelope) -> None:
        raise OutcomeUnknown("a commit failed")

    monkeypatch.setattr(Pipeline, "answer", unknown)
    with pytest.raises(OutcomeUnknown):
        machine.ask("session/close", {})
    monkeypatch.undo()
    assert machine.appliance.told.get_nowait() is Ending.UNKNOWN
    assert machine.appliance.health() == (
        503,
        {"status": "degraded", "sealed": False, "degraded": ["storage"]},
    )
    with pytest.raises(Unavailable):
        machine.ask("session/close", {})


def test_a_store_that_ails_is_unwell_for_everybody(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.unseal()
    monkeypatch.setattr(Vault, "condition", "ailing")
    assert machine.appliance.health()[1]["degraded"] == ["storage"]


def test_an_end_in_order_is_in_the_ledger_and_in_the_tiles(machine: Machine) -> None:
    machine.unseal()
    machine.appliance.close(Ending.SEAL)
    machine.appliance.close(Ending.SEAL)
    report = verify_folder(machine.layout.tiles, machine.founded.identity.ledger_key)
    assert report.sound
    assert report.checkpoint is not None
    assert report.checkpoint.size == 3  # init, unseal, seal


def test_an_end_after_a_failed_commit_writes_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.unseal()

    def unknown(self: Vault, work: object, *, seconds: float = 0) -> None:
        raise OutcomeUnknown("a commit failed")

    monkeypatch.setattr(Vault, "write", unknown)
    machine.appliance.close(Ending.UNKNOWN)
    assert not machine.appliance.is_open


def test_an_end_with_a_full_disk_is_an_end(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storage.errors import DiskFull

    machine.unseal()

    def full(self: Vault, work: object, *, seconds: float = 0) -> None:
        raise DiskFull("no room")

    monkeypatch.setattr(Vault, "write", full)
    machine.appliance.close(Ending.SEAL)
    assert not machine.appliance.is_open


def test_tiles_follow_the_ledger_and_a_failure_is_a_warning(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.unseal()
    running = machine.appliance._running
    assert running is not None
    folder = machine.site.folder / "copy"
    exporter = Exporter(running.vault, folder)
    exporter.export()
    assert (folder / "checkpoint").is_file()
    assert exporter.well
    assert _eventually(lambda: (machine.site.data / "tiles/checkpoint").is_file())
    running.jobs.stop()
    running.vault.write(
        lambda unit: unit.enter(system_entry("system/test", running.opened.firmware))
    )

    def full(self: Vault, folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Vault, "export_tiles", full)
    running.exporter.export()
    assert running.warnings() == ["tiles"]
    monkeypatch.undo()
    running.exporter.export()
    assert running.warnings() == []


def test_what_a_human_should_see_to_is_a_warning(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.unseal()
    running = machine.appliance._running
    assert running is not None

    class Late:
        def start(self) -> None: ...
        def stop(self) -> None: ...
        def status(self) -> dict[str, object]:
            return {"last_error": "connection refused"}

    running.courier = Late()
    monkeypatch.setattr(type(running), "disk_free", lambda self: 0.05)
    assert running.warnings() == ["disk", "national"]
    assert machine.keeper.health()[1]["national"] == {"last_error": "connection refused"}
    assert machine.appliance.health()[0] == 200


@pytest.mark.parametrize(
    ("status", "warnings"),
    [
        pytest.param({"oldest_age": 901}, ["outbox"], id="R26-waits for more than 15 minutes"),
        pytest.param({"oldest_age": 900}, [], id="R26-15 minutes"),
        pytest.param({"oldest_age": None}, [], id="nothing waits"),
        pytest.param(
            {"paused_until": "2026-04-01T03:00:00Z"}, ["national-maintenance"], id="paused"
        ),
    ],
)
def test_how_delivery_goes_is_a_warning_and_a_figure(
    machine: Machine, status: dict[str, object], warnings: list[str]
) -> None:
    assert b"juki_outbox_depth 0.0" in machine.appliance._metrics.text()
    machine.unseal()
    running = machine.appliance._running
    assert running is not None

    class Late:
        def start(self) -> None: ...
        def stop(self) -> None: ...
        def status(self) -> dict[str, object]:
            return {"last_error": None, "depth": 7, "oldest_age": None, **status}

    running.courier = Late()
    assert [each for each in running.warnings() if each != "disk"] == warnings
    assert b"juki_outbox_depth 7.0" in machine.appliance._metrics.text()


def test_a_national_server_gets_a_courier(machine: Machine) -> None:
    config = machine.site.config
    table = """[national]
url = "https://127.0.0.1:1"
certificate = "tls/terminal.pem"
key = "tls/terminal.key"
ca = "tls/ca.pem"
"""
    config.write_text(config.read_text() + table)
    machine.appliance._settings = machine.site.settings
    assert machine.keeper.health()[0] == 503
    machine.unseal()
    national = machine.keeper.health()[1]["national"]
    assert (national["state"], national["last_error"]) == ("idle", None)
    running = machine.appliance._running
    assert running is not None
    assert running.pipeline._parts.national is not None


# --- the process ---


@pytest.fixture
def orderly(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the test's process as it is: no hardening, its own signal handlers."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    monkeypatch.setattr(host, "harden", lambda: None)
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


class Visitor:
    """Stands before a serving process; what goes wrong here fails the test."""

    def __init__(self, site: Site, work: Callable[["Visitor", Keeper], None]) -> None:
        self.site = site
        self.work = work
        self.failed: list[BaseException] = []
        self.left = threading.Event()

    def __call__(self, keeper: Keeper) -> None:
        try:
            self.work(self, keeper)
        except BaseException as problem:
            self.failed.append(problem)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            self.left.set()

    def get(self, path: str) -> tuple[int, Any, dict[str, str]]:
        settings, files = self.site.settings, self.site.client()
        context = tls.client_context(
            Path(files["certificate"]), Path(files["key"]), Path(files["ca"])
        )
        connection = http.client.HTTPSConnection(
            "127.0.0.1", settings.listen.port, context=context, timeout=5
        )
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), dict(answer.headers)
        finally:
            connection.close()

    def run(self, again: tuple[str, ...] = ("serve",)) -> int:
        try:
            code = serve(self.site.settings, again, ready=self)
        finally:
            # Its signal must not reach the tests that follow.
            assert self.left.wait(10)
        if self.failed:
            raise self.failed[0]
        return code


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = make_site(tmp_path, now=utc_now())
    write_shares(made.custodians, made.found())
    return made


def unseal(site: Site, keeper: Keeper) -> None:
    for number in (1, 3, 5):
        keeper.unseal((site.custodians / f"share-{number}.txt").read_text())


@pytest.mark.usefixtures("orderly")
def test_a_process_serves_sealed_then_unsealed_then_ends(site: Site) -> None:
    def work(visitor: Visitor, keeper: Keeper) -> None:
        assert visitor.get("/v1/sys/health")[0] == 503
        unseal(site, keeper)
        status, health, headers = visitor.get("/v1/sys/health")
        assert (status, health["status"]) == (200, "ok")
        assert "X-Juki-Mode" not in headers
        document = visitor.get("/v1/openapi.json")[1]
        assert "/v1/session/open" in document["paths"]
        with pytest.raises(StoreInUse):
            serve(site.settings, ())

    assert Visitor(site, work).run() == 0
    assert Visitor(site, lambda visitor, keeper: None).run() == 0
    lines = read_journal(Layout(site.data).journal)
    assert [line["event"] for line in lines] == [
        "start",
        "share-taken",
        "share-taken",
        "share-taken",
        "ledger",
        "unsealed",
        "stop-asked",
        "ledger",
        "stop",
        "start",
        "stop-asked",
        "stop",
    ]
    shares = [line for line in lines if line["event"] == "share-taken"]
    assert [(line["given"], line["needed"], line["complete"]) for line in shares] == [
        (1, 3, False),
        (2, 3, False),
        (3, 3, True),
    ]
    assert [line["unclean"] for line in lines if line["event"] == "start"] == [False, False]


@pytest.mark.usefixtures("orderly")
def test_sealing_replaces_the_process(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    class Replaced(Exception):
        pass

    def start_again(arguments: tuple[str, ...]) -> None:
        raise Replaced(*arguments)

    monkeypatch.setattr(host, "start_again", start_again)

    def work(visitor: Visitor, keeper: Keeper) -> None:
        unseal(site, keeper)
        keeper.seal(Layout(site.data).seal_token.read_text())

    with pytest.raises(Replaced) as caught:
        Visitor(site, work).run(("serve", "--config", "x"))
    assert caught.value.args == ("serve", "--config", "x")
    assert read_journal(Layout(site.data).journal)[-1]["event"] == "seal"


@pytest.mark.usefixtures("orderly")
def test_an_unknown_outcome_ends_the_process_with_70(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(visitor: Visitor, keeper: Keeper) -> None:
        unseal(site, keeper)
        monkeypatch.setattr(boot.Journal, "note", _full)
        keeper._appliance._stop_failed()  # type: ignore[attr-defined]
        assert _eventually(lambda: not keeper._appliance.is_open)

    assert Visitor(site, work).run() == 70


def _full(*args: object, **details: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.usefixtures("orderly")
def test_sighup_reads_the_certificates_again_all_or_nothing(site: Site) -> None:
    def served(visitor: Visitor) -> bytes:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(site.tls / "terminal.pem", site.tls / "terminal.key")
        address = ("127.0.0.1", site.settings.listen.port)
        with socket.create_connection(address, 5) as raw, context.wrap_socket(raw) as sock:
            der = sock.getpeercert(binary_form=True)
            assert der is not None
            return der

    def work(visitor: Visitor, keeper: Keeper) -> None:
        first = served(visitor)
        authority = CertificateAuthority.load(site.tls)
        authority.issue_server(["127.0.0.1"], now=utc_now()).write(site.tls, "server")
        os.kill(os.getpid(), signal.SIGHUP)
        assert _eventually(lambda: served(visitor) != first)
        second = served(visitor)
        (site.tls / "server.pem").write_text("not a certificate")
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(0.2)
        assert served(visitor) == second

    assert Visitor(site, work).run() == 0
    events = [line["event"] for line in read_journal(Layout(site.data).journal)]
    assert events == ["start", "reload", "reload-refused", "stop-asked", "stop"]


@pytest.mark.usefixtures("orderly")
def test_a_port_that_is_taken_is_named(site: Site) -> None:
    port = site.settings.management_port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(StartupError, match=f"port {port}"):
            serve(site.settings, ())
    serve_free = Visitor(site, lambda visitor, keeper: None)
    assert serve_free.run() == 0


@pytest.mark.usefixtures("orderly")
def test_a_changed_policy_does_not_start(site: Site) -> None:
    with (site.firmware / "plugins.toml").open("a") as file:
        file.write("\n")
    with pytest.raises(StartupError, match=r"plugins\.toml: was changed"):
        serve(site.settings, ())


@pytest.mark.requirement("R127")
@pytest.mark.usefixtures("orderly")
def test_a_policy_that_one_person_signed_does_not_start(site: Site) -> None:
    with (site.firmware / "plugins.toml").open("a") as file:
        file.write("\n")
    firmware.sign(site.firmware, firmware.signer_of((site.custodians / "policy-1.key").read_text()))
    with pytest.raises(StartupError, match="the signature of juki-policy-2 is missing"):
        serve(site.settings, ())


@pytest.mark.usefixtures("orderly")
def test_without_a_store_it_does_not_start(tmp_path: Path) -> None:
    empty = make_site(tmp_path / "empty")
    with pytest.raises(StartupError, match="juki init"):
        serve(empty.settings, ())


@pytest.mark.usefixtures("orderly")
def test_systemd_is_told(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        assert Visitor(site, lambda visitor, keeper: unseal(site, keeper)).run() == 0
        heard = [systemd.recv(100).decode() for _ in range(3)]
    assert heard == ["READY=1\nSTATUS=sealed", "STATUS=unsealed", "STOPPING=1"]


@pytest.mark.usefixtures("orderly")
def test_in_development_every_answer_says_so(site: Site) -> None:
    site.config.write_text('mode = "development"\n' + site.config.read_text())

    def work(visitor: Visitor, keeper: Keeper) -> None:
        for path in ("/v1/sys/health", "/nowhere"):
            assert visitor.get(path)[2]["X-Juki-Mode"] == "development"

    assert Visitor(site, work).run() == 0


def test_in_earnest_the_application_is_left_alone(site: Site) -> None:
    def app(environ: object, start_response: object) -> list[bytes]:
        return []

    assert in_mode(site.settings, app) is app


@pytest.mark.parametrize(
    ("ending", "end"), [(Ending.SEAL, ("serve",)), (Ending.STOP, 1), (Ending.UNKNOWN, 70)]
)
def test_an_end_that_takes_too_long_is_made(
    monkeypatch: pytest.MonkeyPatch, ending: Ending, end: object
) -> None:
    ended: list[object] = []

    class Gone(BaseException):
        pass

    def start_again(arguments: object) -> None:
        ended.append(arguments)
        raise Gone

    def leave(code: int) -> None:
        ended.append(code)
        raise Gone

    monkeypatch.setattr(host, "start_again", start_again)
    monkeypatch.setattr(os, "_exit", leave)
    with pytest.raises(Gone):
        boot._end_at_once(ending, ("serve",))
    assert ended == [end]


def test_the_process_keeps_its_memory_and_its_files_to_itself() -> None:
    script = """
import ctypes, os, resource
from appliance.machine import host
host.harden()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), os.umask(0))
"""
    ran = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split("\n")[0] == f"(0, 0) 0 {0o077}"


def test_a_kernel_that_refuses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def __init__(self, *args: object, **kwargs: object) -> None: ...

        def mallopt(self, *args: int) -> int:
            return 1

        def prctl(self, *args: int) -> int:
            ctypes.set_errno(1)
            return -1

    monkeypatch.setattr(host.os, "umask", lambda mask: None)
    monkeypatch.setattr(host.resource, "setrlimit", lambda *args: None)
    monkeypatch.setattr(host.ctypes, "CDLL", Refusing)
    with pytest.raises(OSError, match="prctl"):
        host.harden()


def test_a_new_process_runs_this_package(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[object] = []
    monkeypatch.setattr(os, "execv", lambda path, arguments: ran.append((path, arguments)))
    host.start_again(("serve", "--config", "x"))
    assert ran == [
        (
            sys.executable,
            [sys.executable, "-I", "-m", "appliance", "serve", "--config", "x"],
        )
    ]


def _eventually(true: Callable[[], bool], seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False
