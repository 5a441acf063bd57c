"""検知 as an auditor and a セキュリティ責任者 see it: what stood out, why, and what came of it."""

import re

import pytest

from plugins.watching import screens_flags
from plugins.watching.detectors import MAKERS
from tests.plugins.watching.office import Watched
from tests.screens import Seen, Visitor

pytestmark = pytest.mark.requirement("R137", "R138")
PATH = "/screens/watching/flags"
BORN = {"birth_date": "1990-04-05"}
OTHERS = "福祉事務所"
WHY = "本人に確認した。訓練の連絡漏れ。"


@pytest.fixture
def flagged(watched: Watched) -> Watched:
    """A clerk of each of two offices opened somebody who does not exist."""
    officer = watched.officer()
    code = watched.resident(7, "架空　住民", "かくう　じゅうみん")
    officer.ask("watching/add-canary", {"resident_code": code})
    watched.look(watched.clerk(), "R8-1", name="架空　住民", **BORN)
    watched.look(watched.clerk(2, OTHERS), "R8-2", name="架空　住民", **BORN)
    watched.bench.work()
    assert [each["detector"] for each in watched.flags()] == ["canary", "canary"]
    return watched


@pytest.fixture
def auditor(flagged: Watched) -> Visitor:
    return sits(flagged, "auditor")


def sits(watched: Watched, role: str, office: str = "監査室") -> Visitor:
    visitor = Visitor.at(watched.bench, "TERM-0100")
    named = {"roles": (role,), "purposes": (), "office": office}
    return visitor.logs_in(watched.bench, f"OP-{role.upper()}", **named)


def numbers(page: Seen) -> list[int]:
    found = re.findall(r'<th scope="row" class="number">([0-9]+)</th>', page.markup)
    return [int(each) for each in found]


def test_flags_are_listed_with_what_they_are_called_as_the_operation_answers(
    flagged: Watched, auditor: Visitor
) -> None:
    page = auditor.goes(PATH)
    assert page.status == 200
    told = flagged.auditor().ask("watching/flags", {}).data["flags"]
    assert numbers(page) == [each["number"] for each in told]
    for words in ("架空の住民の閲覧", "P-OP-0001", OTHERS, "未判定", "令和8年4月6日"):
        assert words in page.text
    assert "架空　住民" not in page.text
    assert "未判定2件(最も古いものは0日前)" in page.text


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({"state": "open"}, 2),
        ({"state": "all", "detector": "canary"}, 2),
        ({"state": "decided"}, 0),
        ({"state": "open", "detector": "volume"}, 0),
        ({"state": "nonsense"}, 2),
    ],
)
def test_flags_are_chosen_by_state_and_kind(
    auditor: Visitor, chosen: dict[str, str], found: int
) -> None:
    page = auditor.presses(f"{PATH}/list", **chosen)
    assert len(numbers(page)) == found
    assert ("該当する記録はありません。" in page.text) is (not found)


def test_a_long_list_goes_on_where_it_ended(
    auditor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens_flags, "PAGE", 1)
    page = auditor.goes(PATH)
    (after,) = page.hidden("after")
    more = auditor.presses(f"{PATH}/list", state="open", after=after)
    assert (numbers(page), numbers(more)) == ([1], [2])


def test_a_flag_says_why_and_leads_to_its_entries(flagged: Watched, auditor: Visitor) -> None:
    page = auditor.presses(f"{PATH}/flag", number="1")
    told = flagged.auditor().ask("watching/flag", {"number": 1}).data
    assert "実在しない住民の情報が開かれました。" in page.text
    assert "同時に開かれた人1人" in page.text
    assert "不正な利用とは判断できません" in page.text
    assert re.findall('name="index" value="([0-9]+)"', page.markup) == [
        str(each) for each in told["evidence"]
    ]
    opened = auditor.presses(page.action("/ledger/"), index=str(told["evidence"][0]))
    assert f"操作履歴 番号{told['evidence'][0]}" in opened.text


def test_an_officer_sees_the_numbers_of_the_entries_alone(flagged: Watched) -> None:
    officer = sits(flagged, "security-officer", OTHERS)
    assert numbers(officer.goes(PATH)) == [2]
    page = officer.presses(f"{PATH}/flag", number="2")
    assert "記録の内容は、監査責任者に確認してください。" in page.text
    assert 'name="index"' not in page.markup
    refused = officer.presses(f"{PATH}/flag", number="1")
    assert 'class="banner wrong summary"' in refused.markup
    assert "P-OP-0001" not in refused.text


def test_a_decision_takes_a_reason_and_all_are_kept(flagged: Watched, auditor: Visitor) -> None:
    empty = auditor.presses(f"{PATH}/decide", number="1", reason=" ")
    assert "理由を入力してください。" in empty.text
    assert "判定を選んでください。" in empty.text
    assert '<a href="#f-decision">' in empty.markup
    taken = auditor.presses(f"{PATH}/decide", number="1", decision="unclear", reason="調査中")
    assert "判定「判断できない(調査を続ける)」を記録しました。" in taken.text
    assert "判定を改める" in taken.text
    done = auditor.presses(f"{PATH}/decide", number="1", decision="justified", reason=WHY)
    assert done.text.index("調査中") < done.text.index(WHY)
    told = flagged.auditor().ask("watching/flag", {"number": 1}).data
    assert [(each["decision"], each["reason"]) for each in told["decisions"]] == [
        ("unclear", "調査中"),
        ("justified", WHY),
    ]
    assert numbers(auditor.goes(PATH)) == [2]


def test_a_flag_that_waits_too_long_says_so(flagged: Watched) -> None:
    assert "期限超過" not in sits(flagged, "auditor").presses(f"{PATH}/flag", number="1").text
    flagged.days_later(7)
    assert "期限超過" not in sits(flagged, "auditor").presses(f"{PATH}/flag", number="1").text
    flagged.days_later(1)
    assert "期限超過" in sits(flagged, "auditor").presses(f"{PATH}/flag", number="1").text


@pytest.mark.parametrize("number", ["", "99", "x"])
def test_a_flag_that_is_not_there_is_said_to_be_missing(auditor: Visitor, number: str) -> None:
    page = auditor.presses(f"{PATH}/flag", number=number)
    assert page.status == 200
    assert 'class="banner wrong summary"' in page.markup


def test_the_menu_tells_how_many_wait(auditor: Visitor) -> None:
    assert "2件 未判定の検知" in auditor.goes("/screens/menu").text


def test_whoever_does_not_decide_has_no_such_screen(watched: Watched) -> None:
    clerk = sits(watched, "clerk")
    assert "検知" not in clerk.goes("/screens/menu").text
    assert clerk.goes(PATH).status == 403


def test_every_detector_has_a_name_and_says_why() -> None:
    assert set(screens_flags.DETECTORS) == set(MAKERS)


def test_nothing_on_the_pages_is_styled_or_scripted_inline(auditor: Visitor) -> None:
    for page in (auditor.goes(PATH), auditor.presses(f"{PATH}/flag", number="1")):
        assert not re.search(r"<style|<script(?! src)| style=| on[a-z]+=", page.markup)
        ids = re.findall(r' id="([^"]+)"', page.markup)
        assert len(ids) == len(set(ids))
