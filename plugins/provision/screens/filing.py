"""一括提供 is applied for: a sealed file is handed in, or refused with every line that is wrong.

A file is checked whole before anything of it is kept. What is wrong with it is a page of its own,
by line and rule; nothing of the file's content is on it.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from appliance.plugin_api import Desk, Form, Page, Problem, Rejected
from plugins.provision.screens.words import Based, based, chosen_items, label_of

SUBMIT, RECIPIENTS = "provision/bulk-submit", "provision/recipients"
MEDIA_KEY = "provision/media-key"
OF_THE_FILE = re.compile("M-[0-9]+|B-(0[0-9]|1[0-9]|99)")
"""Rules of the file itself; the others are about what was typed beside it."""
ROW = re.compile("row ([0-9]+)")
PLACES = {
    "file": "ファイル",
    "header": "見出し(1行目)",
    "purpose": "見出し(1行目)",
    "request_no": "見出し(1行目)",
    "trailer": "最終行",
    "count": "最終行",
    "sha256": "最終行",
}
RULES = {
    "M-01": "文字コード",
    "M-02": "見出しの形式",
    "M-03": "行の形式と連番",
    "M-04": "最終行の形式",
    "M-05": "件数",
    "M-06": "ハッシュ値",
    "B-01": "見出しの項目",
    "B-02": "事務コード",
    "B-03": "依頼番号",
    "B-04": "件数の範囲",
    "B-05": "項目数",
    "B-06": "照会元番号",
    "B-07": "項目の書き方",
    "B-08": "検索キー",
    "B-09": "検査数字",
    "B-10": "生年月日",
    "B-11": "住所",
}
MORE, MANY = "B-99", 500
"""What tells how many more there are, and after how many it does."""


class Wrong(NamedTuple):
    """Something that is wrong with a file, and where."""

    place: str
    line: int | None
    rule: str
    text: str


def asking(desk: Desk, form: Form) -> Page:
    """Ask for a file, and what is to become of it."""
    known = based(desk, form, SUBMIT)
    every = desk.ask(RECIPIENTS, {})["recipients"]
    theirs = [
        (str(each["number"]), f"{each['number']} {each['name']}")
        for each in every
        if each["purpose"] == known.ground.purpose and not each["retired"]
    ]
    return Page(
        template="bulk_file.html",
        title="一括提供の申請",
        data={
            **known.told,
            "recipients": theirs,
            "choices": [(item, label_of(item)) for item in known.items],
        },
    )


def media_key(desk: Desk, form: Form) -> Page:
    """Show the key by which offices seal their files."""
    known = based(desk, form, SUBMIT)
    key = desk.ask(MEDIA_KEY, {})["public_key"]
    return Page(
        template="bulk_key.html",
        title="提供先に伝える公開鍵",
        data={**known.told, "key": key, "purpose": known.ground.purpose},
    )


def handed_in(desk: Desk, form: Form) -> int | Page:
    """Return the job that will answer a file, or what is wrong with the file."""
    known = based(desk, form, SUBMIT)
    form.need(file="照会ファイル", media_id="媒体管理番号", recipient="提供先")
    file = form.file("file")
    body = {
        "file": file.content if file else b"",
        "media_id": form.text("media_id"),
        "recipient": form.number("recipient"),
        "items": chosen_items(form, known.items),
    }
    try:
        return int(desk.ask(SUBMIT, body, **known.stated)["job"])
    except Rejected as refused:
        if not refused.problems or not all(
            OF_THE_FILE.fullmatch(each.rule) for each in refused.problems
        ):
            raise
        return _refused(known, form, refused.problems)


def _refused(known: Based, form: Form, problems: Sequence[Problem]) -> Page:
    wrong = [_wrong(each) for each in problems]
    return Page(
        template="bulk_refused.html",
        title="照会ファイルの検査結果",
        data={
            **known.told,
            "wrong_lines": wrong,
            "rows": len({each.line for each in wrong if each.line}),
            "rules": _by_rule(wrong),
            "again": _typed(known, form),
            "many": len(wrong) > MANY,
        },
    )


def _wrong(problem: Problem) -> Wrong:
    row = ROW.fullmatch(problem.item)
    # The header is the first line.
    line = int(row[1]) + 1 if row else None
    place = f"{row[1]}件目" if row else PLACES.get(problem.item, problem.item)
    return Wrong(place, line, problem.rule, re.sub("^[0-9]+件目:? ?", "", problem.text))


def _by_rule(wrong: Sequence[Wrong]) -> list[tuple[str, str, int]]:
    counts = Counter(each.rule for each in wrong)
    return [(rule, RULES.get(rule, ""), counts[rule]) for rule in sorted(counts) if rule != MORE]


def _typed(known: Based, form: Form) -> Mapping[str, Any]:
    return {
        **known.told["carried"],
        "media_id": form.raw("media_id"),
        "recipient": form.raw("recipient"),
        "items": form.all("items"),
    }
