"""R94: who is likely the same person, though the codes differ."""

from typing import Any

import pytest

from plugins.reconcile.pairing import LIKELY, paired

HANAKO = {
    "name": "熊本　花子",
    "kana": "くまもと　はなこ",
    "birth_date": "1990-04-05",
    "sex": "2",
    "address": "熊本県八代市松江城町１番２５号",
}


@pytest.mark.requirement("R94")
@pytest.mark.parametrize(
    ("changes", "likely"),
    [
        ({}, True),
        ({"address": "熊本県八代市本町３番"}, True),
        ({"name": "肥後　花子", "kana": "ひご　はなこ"}, True),
        ({"birth_date": "1990-04-06"}, True),
        ({"kana": None}, True),
        ({"name": "熊本花子"}, True),
        ({"kana": "クマモト　ハナコ"}, True),
        ({"name": "熊本　桃子", "kana": "くまもと　ももこ", "sex": "1"}, False),
        ({"name": "熊本　桃子", "kana": "くまもと　ももこ"}, False),
        ({"birth_date": "1955-12-24", "address": "東京都港区１番"}, False),
        ({"name": "別　太郎", "kana": "べつ　たろう", "address": "別"}, False),
    ],
    ids=[
        "R94-all the same",
        "R94-moved",
        "R94-married",
        "R94-a day mistyped",
        "R94-no reading",
        "R94-spelled without a space",
        "R94-katakana",
        "R94-a twin brother",
        "R94-a twin sister",
        "R94-a namesake",
        "R94-born on the same day",
    ],
)
def test_a_pair_is_told_if_it_is_likely(changes: dict[str, Any], likely: bool) -> None:
    found = paired({"theirs": {**HANAKO, **changes}}, {"ours": HANAKO})
    assert [(pair.theirs, pair.ours) for pair in found] == [("theirs", "ours")] * likely
    assert all(pair.score >= LIKELY for pair in found)


@pytest.mark.requirement("R94")
def test_nobody_is_in_two_pairs_and_the_likeliest_is_taken() -> None:
    moved = {**HANAKO, "address": "熊本県八代市本町３番"}
    found = paired({"1": HANAKO, "2": moved}, {"3": moved, "4": HANAKO})
    assert [(pair.theirs, pair.ours) for pair in found] == [("1", "4"), ("2", "3")]
    alone = paired({"1": HANAKO, "2": moved}, {"4": HANAKO})
    assert [(pair.theirs, pair.ours) for pair in alone] == [("1", "4")]


def test_who_shares_nothing_is_not_even_looked_at() -> None:
    assert paired({"1": HANAKO}, {"2": dict.fromkeys(HANAKO)}) == []
    assert paired({}, {"2": HANAKO}) == []
