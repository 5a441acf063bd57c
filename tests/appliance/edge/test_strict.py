"""The strict reader of heads: one way to read it, or a refusal with the status that fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.edge.limits import body_bytes
from appliance.edge.problems import TurnedAway
from appliance.edge.strict import MOST_FIELDS, MOST_LINE, Head, find_end, read_head

MOST = 16 * 1024
GOOD = (
    b"POST /v1/search/find HTTP/1.1\r\n"
    b"Host: juki.example:8443\r\n"
    b"Content-Type: application/json\r\n"
    b"Content-Length: 2\r\n"
    b"\r\n"
)


def read(data: bytes) -> Head:
    return read_head(data, body_bytes)


def refused(data: bytes) -> TurnedAway:
    with pytest.raises(TurnedAway) as away:
        read(data)
    return away.value


def with_line(line: bytes) -> bytes:
    return GOOD.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n")


def with_target(target: bytes) -> bytes:
    return GOOD.replace(b"/v1/search/find", target)


def test_a_good_head_is_understood() -> None:
    head = read(with_line(b"X-Purpose:   J-01\t "))
    assert (head.method, head.path, head.length) == ("POST", "/v1/search/find", 2)
    assert head.headers["x-purpose"] == "J-01"
    assert head.keep_alive
    assert not head.expects_continue


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"Host: other.example", id="Host twice"),
        pytest.param(b"CONTENT-LENGTH: 2", id="Content-Length twice, in other letters"),
        pytest.param(b"Content-Length: 7", id="Content-Length twice, another"),
        pytest.param(b"Accept: a/b\r\nAccept: c/d", id="a list header twice"),
        pytest.param(b"Authorization: Bearer a\r\nAuthorization: Bearer b", id="two sessions"),
        pytest.param(b"X_Client_Dn: CN=admin", id="an underscore"),
        pytest.param(b"Transfer-Encoding: chunked", id="chunked beside Content-Length"),
        pytest.param(b"Transfer-Encoding: identity", id="any transfer encoding"),
        pytest.param(b"X-Purpose: a\r\n b", id="a folded line"),
        pytest.param(b"X-Purpose: a\r\n\tb", id="a line folded by tab"),
        pytest.param(b"X-Purpose : a", id="a space before the colon"),
        pytest.param(b"X-Purpose\t: a", id="a tab before the colon"),
        pytest.param(b": a", id="no name"),
        pytest.param(b"no colon", id="no colon"),
        pytest.param(b"X-Pur(pose: a", id="a name that is no token"),
        pytest.param("X-名: a".encode(), id="a name that is not ASCII"),
        pytest.param("X-Purpose: 名".encode(), id="a value that is not ASCII"),
        pytest.param(b"X-Purpose: a\0b", id="NUL in a value"),
        pytest.param(b"X-Purpose: a\rb", id="CR in a value"),
        pytest.param(b"X-Purpose: a\tb", id="a tab in a value"),
        pytest.param(b"X-Purpose: a\x7fb", id="DEL in a value"),
        pytest.param(b"Connection: close, X-Purpose", id="Connection names a header"),
        pytest.param(b"Connection: upgrade", id="an upgrade"),
        pytest.param(b"Connection:", id="Connection says nothing"),
    ],
)
def test_a_header_line_that_could_be_read_in_two_ways_is_refused(line: bytes) -> None:
    assert refused(with_line(line)).status == 400


@pytest.mark.parametrize(
    "length", ["+2", "-2", "2.0", "0x2", "", "2,2", "2 2", "02", "²", "9" * 11]
)
def test_content_length_is_a_plain_number(length: str) -> None:
    bad = GOOD.replace(b"Content-Length: 2", b"Content-Length: " + length.encode())
    assert refused(bad).status == 400


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/../secret",
        b"/v1/./x",
        b"/v1/..",
        b"/../etc/passwd",
        b"/v1/%2e%2e/x",
        b"/v1/%2E./x",
        b"/v1%2fsearch/find",
        b"/v1/search%00/find",
        b"/v1//find",
        b"//evil.example/v1/search/find",
        b"/v1/search/find/",
        b"/v1/search./find",
        b"/v1/.hidden/find",
        b"/v1/a..b/find",
        b"/v1/search/%c0%ae%c0%ae/x",
        b"/v1/search/%u002e/x",
        b"/v1/search;x=1/find",
        b"/v1/search/find?name=x",
        b"/v1/search/find?",
        b"/v1/search/find#x",
        b"/v1\\search\\find",
        b"/v1/sea~rch/find",
        "/v1/検索/find".encode(),
        b"http://localhost/v1/search/find",
        b"localhost:443",
        b"*",
        b"v1/search/find",
        b"",
    ],
)
def test_a_path_is_plain_segments(target: bytes) -> None:
    assert refused(with_target(target)).status == 400


@pytest.mark.parametrize(
    "path", [b"/", b"/v1/sys/seal-status", b"/v1/openapi.json", b"/static/a-1.min.js", b"/r/A_b-9"]
)
def test_the_paths_we_have_are_plain(path: bytes) -> None:
    assert read(with_target(path)).path == path.decode()


@pytest.mark.parametrize(
    ("version", "status"),
    [
        (b"HTTP/1.0", 505),
        (b"HTTP/0.9", 505),
        (b"HTTP/2.0", 505),
        (b"HTTP/1.2", 505),
        (b"HTTP/1.10", 400),
        (b"HTTP/1", 400),
        (b"http/1.1", 400),
        (b"ICAP/1.1", 400),
        (b"", 400),
    ],
)
def test_only_http_1_1_is_spoken(version: bytes, status: int) -> None:
    assert refused(GOOD.replace(b"HTTP/1.1", version)).status == status


@pytest.mark.parametrize("method", [b"post", b"Post", b"PO ST", b"P" * 17, b"PO_ST", b""])
def test_a_method_is_a_short_word_in_capitals(method: bytes) -> None:
    assert refused(GOOD.replace(b"POST", method, 1)).status == 400


@pytest.mark.parametrize(
    "host", [b"", b" ", b"a b", b"a/b", b"a@b", b"a:port", b"a:123456", b"[::1", b"a,b"]
)
def test_host_must_be_a_host(host: bytes) -> None:
    assert refused(GOOD.replace(b"juki.example:8443", host)).status == 400


@pytest.mark.parametrize("host", [b"localhost", b"10.0.0.1:443", b"[::1]:8443", b"juki.example."])
def test_these_are_hosts(host: bytes) -> None:
    assert read(GOOD.replace(b"juki.example:8443", host)).headers["host"] == host.decode()


def test_a_head_without_host_is_refused() -> None:
    assert refused(GOOD.replace(b"Host: juki.example:8443\r\n", b"")).status == 400


def test_a_post_must_say_how_long_it_is() -> None:
    assert refused(GOOD.replace(b"Content-Length: 2\r\n", b"")).status == 411


def test_a_get_need_not_say_how_long_it_is() -> None:
    assert read(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").length == 0
    assert read(GOOD.replace(b"POST", b"GET")).length == 2


def test_how_large_a_body_may_be_depends_on_the_path() -> None:
    large = GOOD.replace(b"Content-Length: 2", b"Content-Length: 1000000")
    assert refused(large).status == 413
    batch = large.replace(b"/v1/search/find", b"/v1/update/notify")
    assert read(batch).length == 1_000_000
    assert refused(batch.replace(b"1000000", b"9000000")).status == 413


@pytest.mark.parametrize("encoding", [b"gzip", b"identity", b"br"])
def test_encoded_bodies_are_not_taken(encoding: bytes) -> None:
    away = refused(with_line(b"Content-Encoding: " + encoding))
    assert away.status == 415
    assert ("Accept-Encoding", "identity") in away.headers


def test_connection_may_say_close_or_keep_alive() -> None:
    assert not read(with_line(b"Connection: close")).keep_alive
    assert not read(with_line(b"Connection: Keep-Alive, Close")).keep_alive
    assert read(with_line(b"Connection: keep-alive")).keep_alive


def test_expect_may_ask_to_go_on_and_nothing_else() -> None:
    assert read(with_line(b"Expect: 100-Continue")).expects_continue
    assert refused(with_line(b"Expect: magic")).status == 417


def test_too_many_lines_and_too_long_a_request_line_have_their_own_status() -> None:
    many = b"\r\n".join(b"X-%d: a" % number for number in range(MOST_FIELDS))
    assert refused(with_line(many)).status == 431
    assert refused(with_target(b"/" + b"a" * MOST_LINE)).status == 414


def test_nothing_of_a_request_is_repeated_in_a_refusal() -> None:
    for line in (b"X-Purpose: Yamada\0", b"Yamada", b"Expect: Yamada", b"Connection: Yamada"):
        assert "Yamada" not in refused(with_line(line)).text


def test_the_end_is_found_wherever_the_pieces_are_cut() -> None:
    body = b"{}"
    for step in (1, 2, 3, 5, len(GOOD)):
        data, seen, end = bytearray(), 0, 0
        for start in range(0, len(GOOD + body), step):
            data += (GOOD + body)[start : start + step]
            end = find_end(data, seen, MOST)
            seen = len(data)
            if end:
                break
        assert end == len(GOOD), step


def test_a_lone_line_feed_is_refused_at_once_wherever_the_pieces_are_cut() -> None:
    bad = b"GET / HTTP/1.1\nHost: a\n\n"
    line_feed = bad.index(b"\n")
    for cut in range(line_feed + 1):
        assert find_end(bytearray(bad[:cut]), 0, MOST) == 0
        with pytest.raises(TurnedAway) as away:
            find_end(bytearray(bad[: line_feed + 1]), cut, MOST)
        assert away.value.status == 400, cut


def test_a_line_feed_in_the_body_is_nobodys_business() -> None:
    assert find_end(bytearray(GOOD + b"{\n}"), 0, MOST) == len(GOOD)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"G" * 2000, 414),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 2000, 431),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 2000 + b"\r\n\r\n", 431),
    ],
)
def test_a_head_that_grows_too_large_is_refused_before_it_ends(data: bytes, status: int) -> None:
    with pytest.raises(TurnedAway) as away:
        find_end(bytearray(data), 0, 1500)
    assert away.value.status == status


LINES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"Host: a", b"Content-Length: 1", b"Connection: close", b"X-A: b"]),
)


@given(
    st.one_of(st.binary(max_size=60), st.just(b"POST /v1/a/b HTTP/1.1")),
    st.lists(LINES, max_size=6),
)
def test_whatever_comes_is_understood_or_refused(first: bytes, lines: list[bytes]) -> None:
    data = b"\r\n".join([first, *lines, b"", b""])
    try:
        end = find_end(bytearray(data), 0, MOST)
        head = read(data[:end])
    except TurnedAway:
        return
    assert head.path.startswith("/")
    assert ".." not in head.path
    assert "host" in head.headers
    assert all("_" not in name and name == name.lower() for name in head.headers)
