"""What holds for every screen: who comes, what leaves, and what a refusal looks like."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nacl.public import PrivateKey

from appliance.errors import Protected, Refusal, StartupError
from appliance.loaded import put_together
from appliance.model import OperationName
from appliance.plugin_api import Desk, Form, Page, Paper, Progress, Redirect, Screen, hookimpl
from appliance.policy import Access
from appliance.testing import PIN, Bench, everything, identified, ours
from storage.errors import OutcomeUnknown
from tests.plugins.people import admit
from tests.screens import Seen, Visitor

FIND = "/screens/search/find"
PROBE = "/screens/probe/form"
GROUND = {"ground": "all/01", "case": "2026-1"}
PUBLIC_KEY = b64encode(bytes(PrivateKey.generate().public_key)).decode()
RECIPIENT = {"purpose": "all", "name": "試験", "public_key": PUBLIC_KEY}


def send(desk: Desk, form: Form) -> Page | Paper | Redirect:
    form.need(name="名称")
    match form.raw("name"):
        case "paper":
            return Paper(content=b"%PDF-1.7", media_type="application/pdf", name="form.pdf")
        case "saved":
            return Paper(content=b"a,b", media_type="text/csv", name="rows.csv", saved=True)
        case "done":
            return Redirect(PROBE, "登録しました。")
        case "closed" | "closed-person":
            about = {"ref": "r"} if form.raw("name") == "closed-person" else {}
            with suppress(Refusal):
                desk.ask("job/list", about)
            raise Protected("two persons open this one")
        case "second":
            desk.ask("provision/add-recipient", RECIPIENT)
        case _:
            desk.ask("job/list", {})
    upload = form.file("file")
    said = f"{form.text('note')} {form.all('items')} {upload.content if upload else b''!r}"
    return Page(template="probe.html", title="受付", data={"said": said})


def how_far(desk: Desk, form: Form) -> Progress:
    desk.ask("job/list", {})
    return Progress(done=3, total=7, text="7件中3件", finished=False)


def probe(**changed: Any) -> Screen:
    whole: dict[str, Any] = {
        "path": PROBE,
        "title": "試験画面",
        "group": "システム",
        "package": "tests.appliance.screens",
        "needs": OperationName("job/list"),
        "show": lambda desk: Page(template="probe.html"),
        "acts": {"send": send},
        "polls": {"how-far": how_far},
    }
    return Screen(**{**whole, **changed})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    policy = everything(put_together(ours(), identified()).operations)
    policy = replace(policy, access=Access(fresh=("search/find",)))
    with Bench.open(tmp_path, policy=policy) as bench:
        yield bench


@pytest.fixture
def clerk(bench: Bench) -> Visitor:
    broken = probe(path="/screens/probe/broken", show=lambda desk: Page(template="broken.html"))
    return Visitor.at(bench, screens=(probe(), broken)).logs_in(bench)


def finds(visitor: Visitor, **typed: str) -> Seen:
    return visitor.posts(f"{FIND}/list", **{**GROUND, "name": "熊本　花子", **typed})


# --- who comes ---


def test_the_token_is_a_cookie_that_no_script_reads_and_is_in_no_answer(bench: Bench) -> None:
    visitor = Visitor.at(bench)
    bench.appoint("OP-0001", "P-0001")
    body = f'{{"person":"P-0001","operator":"OP-0001","pin":"{PIN}"}}'.encode()
    seen = visitor.asks("POST", "/screens/session/open", body)
    cookie = seen.headers["Set-Cookie"]
    assert cookie.startswith("__Host-sid=")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert visitor.cookie.encode() not in seen.body
    assert b"P-0001" in seen.body


@pytest.mark.parametrize("path", ["/screens/menu", FIND, "/screens/r/abc", "/screens"])
def test_whoever_is_not_logged_in_comes_to_the_login(bench: Bench, path: str) -> None:
    seen = Visitor.at(bench).goes(path)
    assert seen.path == "/screens/login"
    assert "操作者認証" in seen.text


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "none, none"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_another_site_makes_a_browser_ask_is_refused_and_written_down(
    clerk: Visitor, method: str, site: str
) -> None:
    path = "/screens/menu" if method == "GET" else f"{PROBE}/send"
    seen = clerk.asks(method, path, sec_fetch_site=site)
    assert seen.status == 403
    assert "今日の確認事項" not in seen.markup
    assert clerk.door.early[-1].code == "not-permitted"


def test_a_post_must_come_from_a_page_of_ours(clerk: Visitor) -> None:
    assert clerk.asks("GET", "/screens/menu", sec_fetch_site="none").status == 200
    assert clerk.asks("POST", f"{PROBE}/send", sec_fetch_site="none").status == 403


def test_a_session_is_not_brought_twice(clerk: Visitor) -> None:
    seen = clerk.asks("GET", "/screens/menu", authorization=f"Bearer {clerk.cookie}")
    assert seen.status == 400


def test_a_stolen_cookie_is_worth_nothing_at_another_terminal(bench: Bench, clerk: Visitor) -> None:
    thief = Visitor.at(bench, "TERM-0666")
    thief.cookie = clerk.cookie
    seen = thief.asks("GET", "/screens/menu")
    assert (seen.status, seen.headers["Location"]) == (303, "/screens/login")
    assert thief.door.early[-1].code == "unidentified"


def test_the_api_takes_no_cookie(clerk: Visitor) -> None:
    clerk.asks("POST", "/v1/job/list", b"{}")
    assert clerk.door.asked[-1].bearer is None


# --- what leaves ---


def test_what_is_found_is_a_page_under_an_opaque_word_and_is_there_again(
    bench: Bench, clerk: Visitor
) -> None:
    admit(bench)
    seen = finds(clerk)
    assert seen.status == 303
    assert seen.body == b""
    where = seen.headers["Location"]
    assert re.fullmatch("/screens/r/[A-Za-z0-9_-]{32}", where)
    entries = len(bench.ledger())
    assert "該当する人 1人" in clerk.goes(where).text
    assert "該当する人 1人" in clerk.goes(where).text
    assert len(bench.ledger()) == entries


def test_a_page_is_nobody_elses(bench: Bench, clerk: Visitor) -> None:
    where = finds(clerk).headers["Location"]
    other = Visitor.at(bench, "TERM-0002").logs_in(bench, "OP-0002")
    other = replace(other, app=clerk.app)
    seen = other.goes(where)
    assert seen.status == 410
    assert "もう一度操作してください" in seen.text


@pytest.mark.parametrize("how", ["lock", "close"])
def test_nothing_is_left_after_a_lock(bench: Bench, clerk: Visitor, how: str) -> None:
    where, cookie = finds(clerk).headers["Location"], clerk.cookie
    seen = clerk.asks("POST", f"/screens/session/{how}", b"{}")
    assert seen.headers["Clear-Site-Data"] == '"cache"'
    assert "Max-Age=0" in seen.headers["Set-Cookie"]
    assert clerk.cookie == ""
    assert bench.ledger()[-1].operation == "session/close"
    clerk.cookie = cookie
    assert clerk.goes(where).path == "/screens/login"


def test_a_session_that_was_not_used_is_over_and_looking_is_use(
    bench: Bench, clerk: Visitor
) -> None:
    for _ in range(3):
        bench.now += timedelta(minutes=4)
        assert clerk.goes("/screens/menu").path == "/screens/menu"
    bench.now += timedelta(minutes=6)
    assert clerk.goes("/screens/menu").path == "/screens/login"


def test_what_a_page_asks_by_itself_keeps_no_session_alive(bench: Bench, clerk: Visitor) -> None:
    for _ in range(2):
        bench.now += timedelta(minutes=2)
        seen = clerk.posts(f"{PROBE}/how-far")
        told = {"done": 3, "total": 7, "text": "7件中3件", "finished": False}
        assert json.loads(seen.body) == told
    bench.now += timedelta(minutes=2)
    assert clerk.posts(f"{PROBE}/how-far").status == 303


@pytest.mark.parametrize("path", ["/screens/login", "/screens/menu", FIND, PROBE, "/screens/x/y"])
def test_every_page_has_its_policy_and_is_kept_by_nobody(clerk: Visitor, path: str) -> None:
    seen = clerk.goes(path)
    policy = seen.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert seen.headers["Cache-Control"] == "no-store"
    assert seen.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(r"<[^>]+ (style|on[a-z]+)=", seen.markup)
    assert seen.markup.count("<h1") == 1


def test_files_are_served_under_the_name_of_their_content_and_may_be_kept(clerk: Visitor) -> None:
    page = clerk.goes("/screens/menu").markup
    (style,) = re.findall(r'href="(/screens/static/style\.[0-9a-f]{16}\.css)"', page)
    seen = clerk.goes(style, sec_fetch_site="same-origin")
    assert "immutable" in seen.headers["Cache-Control"]
    assert clerk.goes("/screens/static/style.0000000000000000.css").status == 404


def test_a_paper_is_looked_at_inside_a_page_that_locks(clerk: Visitor) -> None:
    page = clerk.presses(f"{PROBE}/send", name="paper")
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    assert "data-idle=" in page.markup
    (inside,) = re.findall(r'<iframe class="paper" src="([^"]+)"', page.markup)
    seen = clerk.goes(inside)
    assert (seen.headers["Content-Type"], seen.body) == ("application/pdf", b"%PDF-1.7")
    assert seen.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'self'" in seen.headers["Content-Security-Policy"]
    assert seen.headers["Content-Disposition"] == 'inline; filename="form.pdf"'


def test_a_file_to_be_saved_comes_as_it_is(clerk: Visitor) -> None:
    seen = clerk.presses(f"{PROBE}/send", name="saved")
    assert seen.body == b"a,b"
    assert seen.headers["Content-Disposition"] == 'attachment; filename="rows.csv"'


def test_what_was_done_is_told_once_on_the_next_page(clerk: Visitor) -> None:
    assert "登録しました。" in clerk.presses(f"{PROBE}/send", name="done").text
    assert "登録しました。" not in clerk.goes(PROBE).text
    assert "試験画面" in clerk.goes("/screens/menu").text.partition("このログインでの操作")[2]


def test_a_file_and_several_values_arrive_whole(clerk: Visitor) -> None:
    content = b"\r\n--x\0\xff\r\n"
    parts = [
        (b'name="name"', b"x"),
        (b'name="note"', "覚え".encode()),
        (b'name="items"', b"name"),
        (b'name="items"', b"kana"),
        (b'name="file"; filename="a.bin"', content),
    ]
    body = b"".join(
        b"--xYz\r\nContent-Disposition: form-data; " + name + b"\r\n\r\n" + value + b"\r\n"
        for name, value in parts
    )
    kind = "multipart/form-data; boundary=xYz"
    seen = clerk.follows(clerk.asks("POST", f"{PROBE}/send", body + b"--xYz--\r\n", kind))
    assert f"覚え ('name', 'kana') {content!r}" in seen.text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"name=%ff", "application/x-www-form-urlencoded"),
        (b"name=a%00b", "application/x-www-form-urlencoded"),
        (b"name", "application/x-www-form-urlencoded"),
        (b'{"name": 1}', "application/json"),
        (b"--xYz\r\nnothing", "multipart/form-data; boundary=xYz"),
    ],
)
def test_what_is_no_form_is_refused(clerk: Visitor, body: bytes, kind: str) -> None:
    assert clerk.asks("POST", f"{PROBE}/send", body, kind).status == 400


# --- refusals ---


def test_what_was_typed_stays_and_the_summary_leads_to_the_field(clerk: Visitor) -> None:
    seen = clerk.presses(f"{PROBE}/send", name="", note="<b>覚え</b>")
    assert "名称を入力してください。" in seen.text
    assert '<a href="#f-name">' in seen.markup
    assert "&lt;b&gt;覚え&lt;/b&gt;</textarea>" in seen.markup
    assert "<title>エラー: " in seen.markup


def test_who_must_prove_himself_does_so_and_the_act_goes_on(bench: Bench, clerk: Visitor) -> None:
    admit(bench)
    bench.now += timedelta(minutes=3)
    seen = clerk.follows(finds(clerk))
    assert "もう一度認証してください" in seen.text
    assert "花子" not in seen.text.partition("もう一度認証してください")[2]
    wrong = clerk.presses(seen.action("/go-on/"), how="verify", pin="00000000")
    assert "正しくない" in wrong.text
    right = clerk.presses(wrong.action("/go-on/"), how="verify", pin=PIN)
    assert "該当する人 1人" in right.text


def test_what_takes_two_is_asked_for_and_carried_out_once_agreed(
    bench: Bench, clerk: Visitor
) -> None:
    seen = clerk.presses(f"{PROBE}/send", name="second")
    assert "別の職員の承認が必要です" in seen.text
    empty = clerk.presses(seen.action("/go-on/"), how="request", form="", why="")
    assert "申請書の番号を入力してください。" in empty.text
    asked = clerk.presses(empty.action("/go-on/"), how="request", form="2026-1", why="新しい提供先")
    assert "承認を求めました" in asked.text
    number = re.search("受付番号は([0-9]+)です", asked.text)
    assert number is not None
    officer = bench.clerk("OP-0009", terminal_id="TERM-0009")
    officer.ask("approval/give", {"number": int(number[1])})
    done = clerk.presses(asked.action("/go-on/"), how="again", approval=number[1])
    assert "受け取ったもの" in done.text


def test_an_unknown_outcome_gives_the_form_again_with_the_same_key(clerk: Visitor) -> None:
    clerk.door.fails_with = OutcomeUnknown("disk")
    key = "k" * 32
    seen = clerk.presses(f"{PROBE}/send", name="x", _key=key)
    assert "実行されたか確認できません" in seen.text
    assert seen.hidden("_key") == [key]


def test_pressing_twice_is_one_request(bench: Bench, clerk: Visitor) -> None:
    pressed = {"name": "second", "_key": "k" * 32}
    clerk.presses(f"{PROBE}/send", **pressed)
    clerk.presses(f"{PROBE}/send", **pressed)
    keys = [e.idempotency_key for e in clerk.door.asked if e.operation == "provision/add-recipient"]
    assert keys == ["k" * 32 + "-1"] * 2


def test_a_template_that_names_what_nobody_gave_is_a_fault_and_says_nothing(
    clerk: Visitor,
) -> None:
    seen = clerk.goes("/screens/probe/broken")
    assert seen.status == 500
    assert "nobody_gave_this" not in seen.markup
    assert "システム内部の異常です" in seen.text


# --- being let in ---


class Offering:
    def __init__(self, *screens: Screen) -> None:
        self._screens = screens

    @hookimpl
    def screens(self) -> list[Screen]:
        return list(self._screens)


def test_a_plugin_offers_screens() -> None:
    loaded = put_together({"probe": Offering(probe())}, identified())
    assert PROBE in [screen.path for screen in loaded.screens]


@pytest.mark.parametrize(
    ("screens", "why"),
    [
        ((probe(), probe()), "this path already"),
        ((probe(path="/screens/static/x"),), "not of the form"),
        ((probe(path="/elsewhere"),), "not of the form"),
        ((probe(needs=OperationName("no/such")),), "which nobody offers"),
        ((probe(polls={"send": how_far}),), "each once"),
    ],
)
def test_a_screen_that_cannot_be_reached_as_it_says_stops_the_start(
    screens: tuple[Screen, ...], why: str
) -> None:
    with pytest.raises(StartupError, match=why):
        put_together({"probe": Offering(*screens)}, identified())


def test_an_opening_is_asked_for_only_where_the_question_names_somebody(clerk: Visitor) -> None:
    named = clerk.presses(f"{PROBE}/send", name="closed-person").text
    assert "開くことを求める" in named
    assert "この画面からは求められません" not in named
    nobody = clerk.presses(f"{PROBE}/send", name="closed")
    assert "開くことを求める" not in nobody.text
    assert "この画面からは求められません" in nobody.text


def test_a_field_that_was_emptied_stays_empty_when_the_form_is_shown_again(clerk: Visitor) -> None:
    again = clerk.presses(f"{PROBE}/send", name="", note="", old="").body.decode()
    assert 'name="old" type="text" class="" value=""' in again
    assert 'name="old" type="text" class="" value="旧"' in clerk.goes(PROBE).body.decode()
