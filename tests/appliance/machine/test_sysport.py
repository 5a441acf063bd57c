"""The management port: sealing, unsealing and figures, from this machine only."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from appliance.edge.metrics import Metrics
from appliance.errors import Malformed, NotPermitted, Rejected
from appliance.machine.sysport import LIMITS, make_sysport
from tests.edge import Edge, HttpReply, open_edge, post, read_reply

SHARE = "academic acid acrobat romp change sprinkle"
TOKEN = "0123456789abcdef"


@dataclass
class KeeperDouble:
    """Stands for the composition root."""

    shares: list[str] = field(default_factory=list)
    sealed_by: list[str] = field(default_factory=list)
    fails_with: Exception | None = None

    def unseal(self, share: str) -> dict[str, Any]:
        self.shares.append(share)
        if self.fails_with is not None:
            raise self.fails_with
        return self.seal_status()

    def seal(self, token: str) -> None:
        if token != TOKEN:
            raise NotPermitted("the seal token is not the one in the file")
        self.sealed_by.append(token)

    def health(self) -> tuple[int, dict[str, Any]]:
        return 503, {"sealed": True, "degraded": ["disk"]}

    def seal_status(self) -> dict[str, Any]:
        return {"sealed": True, "t": 3, "n": 5, "progress": len(self.shares)}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Edge, KeeperDouble]]:
    keeper, metrics = KeeperDouble(), Metrics()
    metrics.answered("search/find", "ok", 0.1)
    folder = tmp_path_factory.mktemp("sysport")
    app = make_sysport(keeper, metrics)
    with open_edge(folder, app=app, secured=False, limits=LIMITS) as edge:
        yield edge, keeper


@pytest.fixture
def keeper(both: tuple[Edge, KeeperDouble]) -> KeeperDouble:
    keeper = both[1]
    vars(keeper).update(vars(KeeperDouble()))
    return keeper


@pytest.fixture
def port(both: tuple[Edge, KeeperDouble], keeper: KeeperDouble) -> Edge:
    return both[0]


def unseal(port: Edge, body: bytes, **headers: str) -> HttpReply:
    return port.ask(body, "/v1/sys/unseal", **headers)


def test_a_share_brings_unsealing_forward(port: Edge, keeper: KeeperDouble) -> None:
    reply = unseal(port, b'{"share": "%s"}' % SHARE.encode())
    assert reply.status == 200
    assert reply.plain["progress"] == 1
    assert keeper.shares == [SHARE]
    assert reply.headers["cache-control"] == "no-store"


def test_a_share_that_is_refused_is_not_repeated(port: Edge, keeper: KeeperDouble) -> None:
    for refusal, status in ((Malformed("word 3 is mistyped"), 400), (Rejected("another set"), 422)):
        keeper.fails_with = refusal
        reply = unseal(port, b'{"share": "%s"}' % SHARE.encode())
        assert reply.status == status
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.plain["detail"] == refusal.text
        assert "academic" not in reply.body.decode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"share": 1}',
        b'{"share": "a", "more": 1}',
        b'{"share": "a", "share": "b"}',
        b"share=a",
    ],
)
def test_anything_but_one_share_is_refused(port: Edge, keeper: KeeperDouble, body: bytes) -> None:
    assert unseal(port, body).status == 400
    assert keeper.shares == []


def test_a_share_comes_in_the_types_of_the_main_port(port: Edge, keeper: KeeperDouble) -> None:
    assert unseal(port, b"{}", Content_Type="text/plain").status == 415


def test_a_fault_does_not_show_the_share(
    port: Edge, keeper: KeeperDouble, caplog: pytest.LogCaptureFixture
) -> None:
    keeper.fails_with = KeyError(SHARE)
    reply = unseal(port, b'{"share": "%s"}' % SHARE.encode())
    assert reply.status == 500
    assert "academic" not in reply.body.decode() + caplog.text


def test_sealing_needs_the_token_of_the_file(port: Edge, keeper: KeeperDouble) -> None:
    seal = "/v1/sys/seal"
    assert port.ask(b"{}", seal).status == 403
    assert port.ask(b"{}", seal, X_Seal_Token="guess").status == 403
    assert keeper.sealed_by == []
    reply = port.ask(b"{}", seal, X_Seal_Token=TOKEN)
    assert (reply.status, reply.plain) == (202, {"sealing": True})
    assert keeper.sealed_by == [TOKEN]


def test_health_shows_the_details(port: Edge) -> None:
    reply = port.get("/v1/sys/health")
    assert (reply.status, reply.plain["degraded"]) == (503, ["disk"])
    assert port.get("/v1/sys/seal-status").plain["n"] == 5


def test_figures_are_in_prometheus_text(port: Edge) -> None:
    reply = port.get("/v1/sys/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b'juki_ops_total{operation="search/find",result="ok"} 1.0' in reply.body


@pytest.mark.parametrize("path", ["/", "/v1/sys", "/v1/sys/", "/v1/search/find", "/v1/sys/a/b"])
def test_there_is_nothing_else(port: Edge, path: str) -> None:
    assert port.ask(path=path).status in (400, 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v1/sys/health", "GET"),
        ("GET", "/v1/sys/unseal", "POST"),
        ("GET", "/v1/sys/seal", "POST"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(
    port: Edge, method: str, path: str, allowed: str
) -> None:
    request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    reply = port.say(request.encode())
    assert reply.status == 405
    assert reply.headers["allow"] == allowed


def test_looking_needs_no_body(port: Edge) -> None:
    request = b"GET /v1/sys/health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
    assert port.say(request).status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example"},
        {"Host": "127.0.0.1.evil.example:8200"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_web_page_cannot_lead_a_browser_here(
    port: Edge, keeper: KeeperDouble, headers: dict[str, str]
) -> None:
    reply = unseal(port, b'{"share": "a"}', **headers)
    assert reply.status == 400
    assert keeper.shares == []


def test_the_strict_reader_is_in_front_here_too(port: Edge, keeper: KeeperDouble) -> None:
    assert port.get("/v1/sys/../sys/health").status == 400
    assert unseal(port, b'{"share": "%s"}' % (b"a" * 20_000)).status == 413
    assert unseal(port, b"{}", Transfer_Encoding="chunked").status == 400
    with port.tcp() as sock:
        for _ in range(3):
            sock.sendall(post("/v1/sys/unseal", b'{"share": "a"}'))
            assert read_reply(sock).status == 200
