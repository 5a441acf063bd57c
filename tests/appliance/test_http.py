"""HTTP: what an envelope is made of, and how every refusal looks."""

import logging
import tempfile
from collections.abc import Iterator
from datetime import timedelta

import cbor2
import pytest

from appliance import errors
from appliance.edge.problems import ProblemDocument
from appliance.edge.refusals import CODES
from appliance.edge.server import PEER, REQUEST_ID, SILENCE
from appliance.errors import Problem, Refusal, Rejected, TooMany, Unavailable
from appliance.http import make_app
from storage.errors import OutcomeUnknown
from tests.edge import DoorDouble, Edge, HttpReply, open_edge, post

KEY = "notices-20261125-0001"
TOKEN = "abcdefghijklmnop1234"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with open_edge(tmp_path_factory.mktemp("http")) as edge:
        yield edge


@pytest.fixture
def edge(running: Edge) -> Edge:
    fresh = DoorDouble()
    vars(running.door).update(vars(fresh))
    running.offset = timedelta(0)
    return running


def check_problem(reply: HttpReply, status: int, code: str) -> None:
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    plain = reply.plain
    assert {name for name in ProblemDocument.__struct_fields__ if name != "count"} <= set(plain)
    assert (plain["status"], plain["code"]) == (status, code)
    assert plain["type"] == f"urn:juki:problem:{code}"
    assert plain["request_id"].startswith("request-")
    assert plain["title"]
    assert plain["detail"]


# --- what arrives ---


def test_an_envelope_holds_what_was_sent_and_who_sent_it(edge: Edge) -> None:
    body = '{"name": "髙﨑"}'.encode()
    reply = edge.ask(
        body,
        "/v1/update/notify",
        Idempotency_Key=KEY,
        X_Purpose="J-01",
        X_Reason="R.02",
        X_Case="2026/17",
        X_Approval="12",
        Authorization=f"Bearer {TOKEN}",
    )
    assert reply.status == 200
    [envelope] = edge.door.envelopes
    assert envelope.operation == "update/notify"
    assert envelope.body == body
    assert envelope.media_type == "application/json"
    assert envelope.peer.fingerprint == edge.papers.fingerprint()
    assert envelope.request_id == reply.plain["request_id"]
    assert (envelope.idempotency_key, envelope.bearer) == (KEY, TOKEN)
    assert (envelope.purpose, envelope.reason, envelope.case_number) == ("J-01", "R.02", "2026/17")
    assert envelope.approval == 12


def test_what_was_not_sent_is_none(edge: Edge) -> None:
    edge.ask()
    [envelope] = edge.door.envelopes
    assert envelope.bearer is None
    assert envelope.idempotency_key is None
    assert envelope.approval is None
    assert (envelope.purpose, envelope.reason, envelope.case_number) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Idempotency-Key", "too-short"),
        ("Idempotency-Key", "a" * 65),
        ("Idempotency-Key", "with space and more"),
        ("Idempotency-Key", "with/slash/and/more"),
        ("X-Purpose", ""),
        ("X-Purpose", "a b"),
        ("X-Purpose", "a" * 33),
        ("X-Reason", "a/b"),
        ("X-Case", "a" * 65),
        ("X-Case", "a;b"),
        ("X-Approval", "0"),
        ("X-Approval", "012"),
        ("X-Approval", "+12"),
        ("X-Approval", "1234567890"),
        ("Authorization", "Basic dXNlcjpwYXNz"),
        ("Authorization", "Bearer short"),
        ("Authorization", f"Bearer {TOKEN}, Bearer {TOKEN}"),
        ("Authorization", TOKEN),
    ],
)
def test_a_header_of_a_wrong_form_is_refused_by_name_not_by_value(
    edge: Edge, name: str, value: str
) -> None:
    reply = edge.ask(**{name.replace("-", "_"): value})
    check_problem(reply, 400, "malformed")
    assert name in reply.plain["detail"]
    assert len(value) < 4 or value not in reply.plain["detail"]
    assert edge.door.envelopes == []
    assert edge.door.early[0][0] == edge.papers.fingerprint()
    assert edge.door.early[0][1].startswith("malformed:")


def test_two_sessions_at_once_are_refused(edge: Edge) -> None:
    reply = edge.ask(Authorization=f"Bearer {TOKEN}", Cookie="__Host-sid=abc")
    check_problem(reply, 400, "malformed")
    assert edge.door.envelopes == []


def test_the_word_bearer_may_be_small(edge: Edge) -> None:
    edge.ask(Authorization=f"bearer {TOKEN}")
    assert edge.door.envelopes[0].bearer == TOKEN


@pytest.mark.parametrize(
    "path", ["/v1/Search/find", "/v1/search/FIND", "/v1/1/find", "/v1/search/f.x", "/v1/a_b/c"]
)
def test_a_name_that_can_be_no_operation_is_not_passed_on(edge: Edge, path: str) -> None:
    check_problem(edge.ask(path=path), 404, "not-found")
    assert edge.door.envelopes == []


def test_an_unknown_operation_is_for_the_pipeline_to_refuse(edge: Edge) -> None:
    edge.door.fails_with = errors.UnknownOperation("there is no such operation")
    check_problem(edge.ask(path="/v1/search/everybody"), 404, "unknown-operation")
    assert edge.door.envelopes[0].operation == "search/everybody"


def test_a_large_body_never_touches_the_disk(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a temporary file was opened")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr("bottle.TemporaryFile", refuse, raising=False)
    body = b'{"a": "' + b"x" * 1_000_000 + b'"}'
    assert edge.ask(body, "/v1/update/notify").status == 200
    assert edge.door.envelopes[0].body == body


def test_without_a_certificate_there_is_nobody_to_answer(edge: Edge) -> None:
    app = make_app(edge.door)
    told: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/v1/search/find",
        "wsgi.input": None,
        PEER: None,
        REQUEST_ID: "request-0",
    }
    app(environ, lambda status, headers, exc_info=None: told.append(status))
    assert told == ["401 Unauthorized"]


# --- representations ---


def test_json_is_answered_with_json_and_cbor_with_cbor(edge: Edge) -> None:
    edge.door.data = {"count": 3}
    reply = edge.ask()
    assert reply.headers["content-type"] == "application/json"
    assert reply.plain["data"] == {"count": 3}
    assert reply.plain["receipt"] == {"index": 7}

    reply = edge.ask(cbor2.dumps({"name": "a"}), Content_Type="application/cbor")
    assert reply.headers["content-type"] == "application/cbor"
    assert cbor2.loads(reply.body)["data"] == {"count": 3}
    assert edge.door.envelopes[1].media_type == "application/cbor"


def test_accept_decides(edge: Edge) -> None:
    assert edge.ask(Accept="application/cbor").headers["content-type"] == "application/cbor"
    assert edge.ask(Accept="*/*").headers["content-type"] == "application/json"


def test_what_is_neither_is_refused_before_anything_is_done(edge: Edge) -> None:
    check_problem(edge.ask(Accept="text/html"), 406, "not-acceptable")
    reply = edge.ask(Content_Type="text/plain")
    check_problem(reply, 415, "unsupported-media-type")
    assert reply.headers["accept"] == "application/json, application/cbor"
    no_type = post().replace(b"Content-Type: application/json\r\n", b"")
    check_problem(edge.say(no_type), 415, "unsupported-media-type")
    assert edge.door.envelopes == []
    assert len(edge.door.early) == 3


def test_a_refusal_is_problem_json_even_to_who_speaks_cbor(edge: Edge) -> None:
    edge.door.fails_with = errors.NotFound("nobody, or nobody you may know of")
    check_problem(edge.ask(Accept="application/cbor"), 404, "not-found")


# --- refusals ---


def refusals() -> list[type[Refusal]]:
    return [kind for kind in vars(errors).values() if _is_refusal(kind)]


def _is_refusal(kind: object) -> bool:
    never_answered = (Refusal, errors.AtTheEdge)
    return isinstance(kind, type) and issubclass(kind, Refusal) and kind not in never_answered


@pytest.mark.parametrize("kind", refusals(), ids=lambda kind: kind.code)
def test_every_refusal_has_a_number(edge: Edge, kind: type[Refusal]) -> None:
    edge.door.fails_with = kind("why not")
    status = CODES[kind.code]
    reply = edge.ask()
    check_problem(reply, status, kind.code)
    assert reply.plain["detail"] == "why not"
    assert edge.door.early == []


def test_a_vendors_own_refusal_is_a_422(edge: Edge) -> None:
    class Closed(Refusal):
        code = "office-closed"

    edge.door.fails_with = Closed("come back on Monday")
    check_problem(edge.ask(), 422, "office-closed")


def test_broken_rules_are_listed(edge: Edge) -> None:
    rule = Problem("L-10", "name", "転居 may change only the address")
    edge.door.fails_with = Rejected("against a rule", problems=[rule])
    assert edge.ask().plain["problems"] == [
        {"rule": "L-10", "item": "name", "text": "転居 may change only the address"}
    ]


def test_a_count_is_told_where_there_are_too_many_and_only_there(edge: Edge) -> None:
    edge.door.fails_with = TooMany("too many", count=51)
    reply = edge.ask()
    check_problem(reply, 422, "too-many")
    assert reply.plain["count"] == 51
    edge.door.fails_with = errors.AddConditions("add the year of birth")
    assert "count" not in edge.ask().plain


def test_headers_that_a_status_calls_for(edge: Edge) -> None:
    edge.door.fails_with = errors.Unidentified("no session")
    assert edge.ask().headers["www-authenticate"] == "Bearer"
    edge.door.fails_with = Unavailable("sealed")
    assert edge.ask().headers["retry-after"] == "5"


def test_an_unknown_outcome_is_said_to_be_unknown(edge: Edge) -> None:
    edge.door.fails_with = OutcomeUnknown("disk I/O error")
    reply = edge.ask()
    check_problem(reply, 503, "outcome-unknown")
    assert "Idempotency-Key" in reply.plain["detail"]


def test_the_text_of_an_exception_never_leaves(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    edge.door.fails_with = KeyError("山田太郎")
    with caplog.at_level(logging.DEBUG):
        reply = edge.ask()
    check_problem(reply, 500, "internal")
    assert "山田" not in reply.body.decode() + caplog.text
    assert "KeyError at" in caplog.text


def test_an_answer_that_cannot_be_written_is_a_plain_500(edge: Edge) -> None:
    edge.door.data = {"count": object()}
    check_problem(edge.ask(), 500, "internal")


def test_a_journal_that_fails_does_not_change_the_refusal(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(early: object) -> None:
        raise OSError

    monkeypatch.setattr(edge.door, "refused_early", broken)
    check_problem(edge.ask(Accept="text/html"), 406, "not-acceptable")


# --- paths and methods ---


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/search", "/v1/a/b/c", "/v2/search/find"])
def test_where_nothing_is_there_is_nothing(edge: Edge, path: str) -> None:
    check_problem(edge.get(path), 404, "not-found")
    check_problem(edge.ask(path=path), 404, "not-found")
    assert edge.door.early[0][1].startswith("not-found:")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/search/find", "POST"),
        ("DELETE", "/v1/search/find", "POST"),
        ("PROPFIND", "/v1/search/find", "POST"),
        ("POST", "/v1/sys/health", "GET, HEAD"),
        ("POST", "/v1/sys/seal-status", "GET, HEAD"),
        ("DELETE", "/v1/sys/checkpoint", "GET, HEAD"),
        ("OPTIONS", "/v1/openapi.json", "GET, HEAD"),
        ("PATCH", "/v1/openapi.json", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(
    edge: Edge, method: str, path: str, allowed: str
) -> None:
    request = f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    reply = edge.say(request.encode())
    check_problem(reply, 405, "method-not-allowed")
    assert reply.headers["allow"] == allowed
    assert edge.door.envelopes == []


def test_a_fault_inside_bottle_looks_like_any_other(edge: Edge) -> None:
    app = make_app(edge.door)
    told: list[object] = []

    def fails() -> None:
        raise KeyError("山田太郎")

    app.__self__.route("/fails", "GET", fails)  # type: ignore[attr-defined]
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/fails", PEER: None, REQUEST_ID: "request-0"}
    environ["wsgi.errors"] = SILENCE
    body = b"".join(app(environ, lambda status, headers, exc_info=None: told.append(status)))
    assert told == ["500 Internal Server Error"]
    assert b'"code":"internal"' in body
    assert "山田".encode() not in body


@pytest.mark.parametrize("name", ["unseal", "seal", "metrics", "anything"])
def test_sealing_is_not_to_be_had_at_this_port(edge: Edge, name: str) -> None:
    check_problem(edge.ask(path=f"/v1/sys/{name}"), 404, "not-found")
    check_problem(edge.get(f"/v1/sys/{name}"), 404, "not-found")
    assert edge.door.envelopes == []


@pytest.mark.parametrize("status", [200, 501, 503])
def test_health_says_what_the_appliance_says(edge: Edge, status: int) -> None:
    edge.door.status = status
    reply = edge.get("/v1/sys/health")
    assert reply.status == status
    assert reply.plain == {"sealed": status != 200}
    assert reply.headers["cache-control"] == "no-store"


def test_head_is_get_without_a_body(edge: Edge) -> None:
    reply = edge.get("/v1/sys/health")
    with edge.connect() as sock:
        sock.sendall(b"HEAD /v1/sys/health HTTP/1.1\r\nHost: a\r\n\r\n")
        data = sock.recv(4096)
        sock.sendall(post())
        assert sock.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
    assert data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert data.endswith(b"\r\n\r\n")
    assert f"Content-Length: {len(reply.body)}".encode() in data


@pytest.mark.parametrize("path", ["/v1/sys/health", "/v1/openapi.json"])
def test_looking_needs_no_body(edge: Edge, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{{}}"
    check_problem(edge.say(request.encode()), 400, "malformed")


def test_seal_status_and_checkpoint_are_for_all_terminals(edge: Edge) -> None:
    assert edge.get("/v1/sys/seal-status").plain["t"] == 3
    reply = edge.get("/v1/sys/checkpoint")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.body.decode() == edge.door.note
    edge.door.note = None
    check_problem(edge.get("/v1/sys/checkpoint"), 404, "not-found")


def test_what_the_witness_has_cosigned_is_for_all_terminals(edge: Edge) -> None:
    reply = edge.get("/v1/sys/witnessed")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.body.decode().endswith("— witness.test sig\n")
    edge.door.note = None
    check_problem(edge.get("/v1/sys/witnessed"), 404, "not-found")


def test_the_interface_describes_itself(edge: Edge) -> None:
    plain = edge.get("/v1/openapi.json").plain
    assert plain["openapi"] == "3.1.0"
    assert "/v1/search/find" in plain["paths"]


# --- counting ---


def test_answers_are_counted_by_operation_and_result(edge: Edge) -> None:
    def counted(line: str) -> float:
        found = [
            text for text in edge.metrics.text().decode().splitlines() if text.startswith(line)
        ]
        return float(found[0].rpartition(" ")[2]) if found else 0.0

    fine = 'juki_ops_total{operation="search/find",result="ok"}'
    refused = 'juki_ops_total{operation="unknown",result="not-found"}'
    before = counted(fine), counted(refused)
    edge.ask()
    edge.door.fails_with = errors.NotFound("no")
    edge.ask(path="/v1/yamada/taro")
    assert counted(fine) == before[0] + 1
    assert counted(refused) == before[1] + 1
    assert "yamada" not in edge.metrics.text().decode()
