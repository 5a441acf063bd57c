"""Who looked at one person: the list, and the paper for him."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Conflict, NotFound
from appliance.plugin_api import (
    Answer,
    AnyOperation,
    Arguments,
    Case,
    ItemName,
    Operation,
    OperationName,
    hookimpl,
)
from appliance.testing import Bench, Seat
from plugins import ledger
from tests.plugins.people import admit, code
from tests.plugins.provision.desks import Desks, by_number, inquiry

FOR_TAX = {"purpose": "prefectural-tax", "reason": "01"}


def report(auditor: Seat, which: int = 1, **asked: Any) -> dict[str, Any]:
    return dict(auditor.ask("ledger/report", {"by": {"resident_code": code(which)}, **asked}).data)


def read(pdf: bytes, folder: Path) -> str:
    (folder / "read.pdf").write_bytes(pdf)
    words = ["pdftotext", "-layout", str(folder / "read.pdf"), "-"]
    done = subprocess.run(words, capture_output=True, check=True, text=True)
    return "".join(done.stdout.split())


def find(clerk: Seat, **conditions: str) -> dict[str, Any]:
    return dict(clerk.ask("search/find", conditions, **FOR_TAX).data)


def test_a_resident_gets_who_looked_at_him_on_paper(
    bench: Bench, clerk: Seat, auditor: Seat, tmp_path: Path
) -> None:
    admit(bench, 1)
    admit(bench, 2, name="別人　太郎")
    find(clerk, name="熊本花子")
    find(clerk, name="別人太郎")
    made = report(auditor)
    text = read(made["pdf"], tmp_path)
    assert made["count"] == 1
    for words in (
        "本人確認情報利用記録", f"末尾4桁が{code(1)[-4:]}の方", "県税事務所",
        "県税の賦課徴収に関する事務", "納税義務者の住所の確認", "検索", "許可",
        "件数:1件", "熊本県知事",
    ):  # fmt: skip
        assert words in text
    assert "熊本花子" not in text
    assert code(1) not in text


def test_who_did_it_stands_there_only_if_asked_for(
    bench: Bench, clerk: Seat, auditor: Seat, tmp_path: Path
) -> None:
    admit(bench)
    find(clerk, name="熊本花子")
    assert "P-OP-0001" not in read(report(auditor)["pdf"], tmp_path)
    assert "P-OP-0001" in read(report(auditor, operators=True)["pdf"], tmp_path)


def test_a_search_that_listed_many_is_in_the_report_of_each(
    bench: Bench, clerk: Seat, auditor: Seat
) -> None:
    admit(bench, 1)
    admit(bench, 2)
    assert len(find(clerk, name="熊本花子")["residents"]) == 2
    assert report(auditor, 1)["count"] == report(auditor, 2)["count"] == 1


def test_the_report_is_in_the_ledger_about_him_with_its_digest(bench: Bench, auditor: Seat) -> None:
    who = admit(bench)
    made = report(auditor)
    entry = bench.ledger()[-1]
    assert (entry.operation, entry.subjects) == ("ledger/report", (who,))
    assert (entry.file, entry.note) == (
        made["sha256"], f"pdf, 0 entries, sha256 {made['sha256']}",
    )  # fmt: skip
    assert report(auditor)["count"] == 1


def test_a_period_and_a_long_life_are_told_in_parts(
    bench: Bench, clerk: Seat, auditor: Seat
) -> None:
    admit(bench)
    for _ in range(3):
        find(clerk, name="熊本花子")
    first = report(auditor, limit=2)
    assert (first["count"], report(auditor, before=first["next"])["count"]) == (2, 1)
    assert report(auditor, until="2000-01-01T00:00:00Z")["count"] == 0
    asked = {"by": {"resident_code": code(1)}, "since": "2100-01-01T00:00:00Z"}
    assert auditor.ask("ledger/person", asked).data["entries"] == ()


def test_nobody_has_an_unknown_code(auditor: Seat) -> None:
    with pytest.raises(NotFound):
        report(auditor, 9)


class Asked(Arguments, frozen=True, kw_only=True):
    """Whom."""

    resident_code: str


class Said(Answer, frozen=True, kw_only=True):
    """Nothing."""


def look_and_refuse(case: Case, asked: Asked) -> Said:
    who = case.registry.by_code(asked.resident_code)
    assert who is not None
    case.registry.read(who, [ItemName("name")])
    raise Conflict("too late")


LATE = Operation(
    name=OperationName("late/look"),
    summary="Refuse once the person is known.",
    asks=Asked,
    answers=Said,
    handler=look_and_refuse,
    drops=("resident_code",),
)


class Late:
    """A vendor's plugin that refuses once the person is known."""

    @staticmethod
    @hookimpl
    def operations() -> list[AnyOperation]:
        return [LATE]


def test_what_was_refused_once_he_was_known_is_in_it_too(tmp_path: Path) -> None:
    plugins = {"late": Late(), "ledger": ledger}
    with Bench.open(tmp_path / "late", plugins) as bench:
        admit(bench)
        clerk = bench.clerk(office="県税事務所")
        with pytest.raises(Conflict):
            clerk.ask("late/look", {"resident_code": code(1)}, purpose="all", reason="01")
        made = report(clerk)
        assert made["count"] == 1
        assert "late拒否" in read(made["pdf"], tmp_path)  # and no item


@pytest.mark.requirement("R134", "R135")
def test_a_bulk_provision_is_in_the_report_of_everybody_it_answered_about(tmp_path: Path) -> None:
    with Desks.open(tmp_path / "bulk", plugins={"ledger": ledger}) as desks:
        admit(desks.bench, 1)
        admit(desks.bench, 2)
        desks.submit(inquiry([by_number(1), by_number(2)]))
        desks.work()
        auditor = desks.bench.clerk("AUDIT", roles=("auditor",), purposes=(), terminal_id="T-9")
        for which in (1, 2):
            made = report(auditor, which)
            text = read(made["pdf"], tmp_path)
            assert made["count"] == 1
            for words in ("都道府県サーバ(自動", "提供", "県税の賦課徴収に関する事務"):
                assert words in text
