"""操作履歴 as a file: what stands in it, and that its digest stands in the ledger."""

import csv
import io
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from appliance.errors import Rejected
from appliance.testing import Bench, Seat
from plugins.ledger import exporting, wording
from storage.leaf import parse_leaf
from storage.note import VerifierKey
from storage.proof import Proof
from tests.plugins.people import admit, code

FOR_TAX = {"purpose": "prefectural-tax", "reason": "01"}


def find(clerk: Seat, case: str = "使用簿12", **conditions: str) -> None:
    clerk.ask("search/find", conditions, **FOR_TAX, case_number=case)


def export(auditor: Seat, **asked: Any) -> dict[str, Any]:
    keeper = auditor.bench.clerk(
        "OP-9001", roles=("system-administrator",), purposes=(), terminal_id="TERM-9001"
    )
    reply = auditor.ask_with(keeper, "ledger/export", asked)
    return {**reply.data, "receipt": reply.receipt}


def lines(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline="")))


def printed(file: bytes, folder: Path) -> str:
    (folder / "read.pdf").write_bytes(file)
    read = ["pdftotext", "-layout", str(folder / "read.pdf"), "-"]
    done = subprocess.run(read, capture_output=True, check=True, text=True)
    return "".join(done.stdout.split())


def test_a_csv_has_a_line_an_entry_under_japanese_headers(
    bench: Bench, clerk: Seat, auditor: Seat
) -> None:
    admit(bench)
    find(clerk, name="熊本花子")
    answer = export(auditor, function="search")
    (line,) = lines(answer["file"])
    assert (line["操作者ID"], line["照合ID"]) == ("OP-0001", "P-OP-0001")
    assert line["事務"] == "県税の賦課徴収に関する事務"
    assert line["利用事由"] == "納税義務者の住所の確認"
    assert (line["機能"], line["操作"], line["結果"]) == ("検索", "search/find", "許可")
    assert (line["使用簿番号"], line["所属"]) == ("使用簿12", "県税事務所")
    assert "住所" in line["項目"].split("、")
    assert answer["count"] == 1
    assert answer["next"] is None


def test_it_is_rfc_4180_with_a_byte_order_mark_unless_told_otherwise(auditor: Seat) -> None:
    with_mark, without = export(auditor)["file"], export(auditor, bom=False)["file"]
    assert with_mark.startswith(b"\xef\xbb\xbf\xe7\x95\xaa")
    assert without.startswith("番号,日時,照合ID".encode())
    header, _, rest = without.partition(b"\r\n")
    assert header.decode().split(",") == list(wording.EVERYTHING)
    assert rest.endswith(b"\r\n")


@pytest.mark.parametrize(
    "typed", ["=1+1", "+81", "-1", "@SUM(A1)", "＝1＋1", "'=1", '=HYPERLINK("http://x","y")']
)
def test_what_was_typed_is_no_formula_and_can_be_read_back(
    clerk: Seat, auditor: Seat, typed: str
) -> None:
    find(clerk, typed, name="熊本花子")
    (line,) = lines(export(auditor, function="search")["file"])
    assert line["使用簿番号"] == f"'{typed}"


def test_what_was_searched_by_is_there_only_if_asked_for(clerk: Seat, auditor: Seat) -> None:
    find(clerk, name="熊本花子")
    assert "熊本花子" not in export(auditor)["file"].decode()
    (line,) = lines(export(auditor, function="search", conditions=True)["file"])
    assert "熊本花子" in line["検索条件"]


@pytest.mark.requirement("R182")
@pytest.mark.parametrize("form", ["csv", "pdf"])
def test_file_and_proof_show_to_anybody_what_was_handed_out(
    bench: Bench, clerk: Seat, auditor: Seat, form: str
) -> None:
    find(clerk, name="熊本花子")
    answer = export(auditor, format=form)
    digest = sha256(answer["file"]).digest()
    assert answer["sha256"] == digest.hex()
    proof = Proof.parse(auditor.ask("ledger/proof", {"index": answer["receipt"]}).data["proof"])
    checkpoint = proof.verify(proof.extra, VerifierKey.parse(bench.vault.vkey))
    assert checkpoint.size > answer["receipt"]
    assert parse_leaf(proof.extra).header.file == digest
    entry = bench.ledger()[answer["receipt"]]
    assert (entry.operation, entry.file) == ("ledger/export", digest.hex())
    assert entry.note == f"{form}, {answer['count']} entries, sha256 {digest.hex()}"
    assert entry.conditions["format"] == form


def test_no_other_answer_puts_a_digest_into_the_clear(
    bench: Bench, clerk: Seat, auditor: Seat
) -> None:
    find(clerk, name="熊本花子")
    auditor.ask("ledger/search", {})
    with bench.vault.view() as view:
        raw = view.entries_raw(0, view.ledger_size())
    assert [parse_leaf(entry).header.file for entry in raw] == [None] * len(raw)


def test_a_long_export_goes_on_where_it_stopped(
    clerk: Seat, auditor: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        find(clerk, name="熊本花子")
    monkeypatch.setattr(exporting, "MOST_LINES", 2)
    seen, more = [], {"function": "search"}
    while True:
        answer = export(auditor, **more)
        seen += [int(line["番号"]) for line in lines(answer["file"])]
        if answer["next"] is None:
            break
        more["before"] = answer["next"]
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)


def test_on_paper_it_says_by_what_it_was_chosen(
    bench: Bench, clerk: Seat, auditor: Seat, tmp_path: Path
) -> None:
    admit(bench)
    find(clerk, name="熊本花子")
    answer = export(
        auditor, format="pdf", operator="OP-0001", function="search", since="2020-01-01T00:00:00Z"
    )
    text = printed(answer["file"], tmp_path)
    for words in (
        "操作履歴",
        "条件:操作者IDOP-0001、機能search",
        "件数:1件",
        "使用簿12",
        "県税事務所",
    ):
        assert words in text
    assert f"出力番号{bench.ledger()[-1].request_id}" in text
    assert "熊本花子" not in text
    with pikepdf.open(io.BytesIO(answer["file"])) as opened:
        assert opened.docinfo["/Title"] == "操作履歴"


def test_a_case_number_the_font_lacks_is_no_reason_to_lose_the_csv(
    clerk: Seat, auditor: Seat
) -> None:
    find(clerk, "使用簿\U0001f363", name="熊本花子")
    with pytest.raises(Rejected):
        export(auditor, format="pdf")
    assert "使用簿\U0001f363" in export(auditor)["file"].decode()


def test_nothing_found_is_a_file_too(auditor: Seat) -> None:
    assert lines(export(auditor, operator=code(1))["file"]) == []
