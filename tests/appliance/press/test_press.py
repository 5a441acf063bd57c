"""The press: every plugin's forms, registers as tables, many papers at once."""

import io
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import typst

from appliance.errors import Rejected
from appliance.press import (
    MOST_ROWS,
    Printed,
    is_drawn,
    missing,
    printed_form,
    printed_table,
    shapes_missing,
)
from appliance.press.glyphs import Missing

ON = date(2026, 4, 1)
COLUMNS = {"番号": 1, "操作者": 2, "SHA-256": 3}
DIGEST = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"


def text(pdf: bytes, folder: Path) -> str:
    file = folder / "read.pdf"
    file.write_bytes(pdf)
    done = subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, text=True
    )
    return done.stdout


def register(rows: int, **more: Any) -> Printed:
    lines = [[str(row), f"OP-{row:04}", DIGEST] for row in range(rows)]
    return printed_table("操作者名簿", COLUMNS, lines, ["令和8年度分"], ON, **more)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("葛\U000e0100城　花子", Missing("U+845B U+E0100", has_plain=True)),
        ("葛\U000e0102城　花子", None),
        ("葛城　花子", None),
        ("髙島　﨑子", None),
        ("\U0002ebf0田　花子", Missing("U+2EBF0", has_plain=False)),
        ("\U0002ebf0\U000e0100田", Missing("U+2EBF0 U+E0100", has_plain=False)),
        ("葛\U000e0100葛\U000e0100", Missing("U+845B U+E0100", has_plain=True)),
    ],
)
def test_the_font_is_asked_for_the_shape_that_is_written(name: str, found: Missing | None) -> None:
    assert missing(name) == ((found,) if found else ())
    assert is_drawn(name) is (found is None)


def test_an_image_of_a_character_is_no_shape_of_the_font() -> None:
    assert not is_drawn("熊{gaiji:1:1}")


def test_another_shape_than_was_written_is_printed_only_by_whoever_says_so(tmp_path: Path) -> None:
    (tmp_path / "name.typ").write_text(
        '#import "@juki/paper:1.0.0": *\n#show: body => paper("x", body)\n#data.name', "utf-8"
    )
    told = {"office": {"issuer": "熊本県知事"}, "name": "葛\U000e0100城", "why": "可"}
    assert shapes_missing(told) == (("name", "U+845B U+E0100"),)
    with pytest.raises(Rejected) as caught:
        printed_form(tmp_path, "name", told, ON)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.item) == ("F-01", "name")
    assert problem.text.startswith("漢字氏名の文字 U+845B U+E0100 の字形が")
    assert "葛" in text(printed_form(tmp_path, "name", told, ON, plainly=True).pdf, tmp_path)
    for lacking in ({"name": "\U0002ebf0"}, {"why": "葛\U000e0100"}):
        with pytest.raises(Rejected, match="font lacks"):
            printed_form(tmp_path, "name", told | lacking, ON, own_words=["why"], plainly=True)


def test_a_register_is_printed_with_its_header_on_every_page(tmp_path: Path) -> None:
    made = register(100, issuer="熊本県知事", footer="検証値 abc")
    pages = text(made.pdf, tmp_path).split("\f")[: made.pages]
    assert made.pages > 1
    for at, page in enumerate(pages, 1):
        assert "操作者" in page
        assert "検証値 abc" in page
        assert f"{at}/{made.pages}" in page.replace(" ", "")
    assert "令和8年度分" in pages[0]
    assert "熊本県知事" in pages[-1]
    with pikepdf.open(io.BytesIO(made.pdf)) as opened:
        left, bottom, right, top = (float(each) for each in opened.pages[0].mediabox)
        assert right - left > top - bottom
        assert opened.docinfo["/Title"] == "操作者名簿"


def test_every_row_is_on_it_and_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    told = text(register(300).pdf, tmp_path)
    assert [row for row in range(300) if f"OP-{row:04}" not in told] == []
    assert register(300) == register(300)


def test_a_long_word_stays_in_its_column_and_is_copied_out_whole(tmp_path: Path) -> None:
    made = printed_table("簿", {"a": 1, "b": 9}, [[DIGEST, "x"]], [], ON)
    file = tmp_path / "read.pdf"
    file.write_bytes(made.pdf)
    crop = ["-x", "0", "-y", "0", "-W", "140", "-H", "600"]
    done = subprocess.run(
        ["pdftotext", *crop, str(file), "-"], capture_output=True, check=True, text=True
    )
    assert DIGEST in "".join(done.stdout.split())


def test_an_empty_register_says_so(tmp_path: Path) -> None:
    assert "該当する記録はありません。" in text(register(0).pdf, tmp_path)


def test_a_row_of_another_length_is_not_printed_in_the_wrong_columns() -> None:
    with pytest.raises(ValueError, match="one text for each column"):
        printed_table("簿", COLUMNS, [["1", "2"]], [], ON)


def test_what_is_printed_is_text_and_never_markup(tmp_path: Path) -> None:
    markup = '#read("/etc/passwd") *x* $a$ \\ <b> @c'
    made = printed_table(markup, {markup: 1}, [[markup]], [markup], ON)
    told = "".join(text(made.pdf, tmp_path).split())
    assert told.count("".join(markup.split())) == 3  # the heading has its brackets widened


def test_a_character_the_font_lacks_is_named_in_a_register_too() -> None:
    with pytest.raises(Rejected) as caught:
        printed_table("簿", {"氏名": 1}, [["熊本\U0001f363"]], [], ON)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.item) == ("F-01", "rows")
    assert "U+1F363" in problem.text


def test_a_form_reads_no_file_but_those_beside_it(tmp_path: Path) -> None:
    forms = tmp_path / "forms"
    forms.mkdir()
    (tmp_path / "secret.txt").write_text("s", "utf-8")
    (forms / "curious.typ").write_text('#read("../secret.txt")', "utf-8")
    with pytest.raises(typst.TypstError):
        printed_form(forms, "curious", {}, ON)


def test_many_papers_of_several_plugins_are_made_at_once_and_none_is_another(
    tmp_path: Path,
) -> None:
    for plugin in ("one", "other"):
        (tmp_path / plugin).mkdir()
        (tmp_path / plugin / "form.typ").write_text(
            '#import "@juki/paper:1.0.0": *\n'
            f'#show: body => paper("{plugin}", body)\n'
            f"{plugin} #data.which",
            "utf-8",
        )

    def made(which: int) -> bytes:
        forms = tmp_path / ("one" if which % 2 else "other")
        data = {"office": {"issuer": "熊本県知事"}, "which": str(which)}
        return printed_form(forms, "form", data, ON).pdf

    alone = [made(which) for which in range(24)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(made, range(24))) == alone
    assert len(set(alone)) == 24


def test_more_rows_than_a_paper_takes_are_to_be_printed_in_parts() -> None:
    with pytest.raises(Rejected) as caught:
        register(MOST_ROWS + 1)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.item) == ("F-03", "rows")
    assert "1001行" in problem.text


def test_large_registers_one_after_another_take_the_memory_of_one() -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096

    register(MOST_ROWS)
    after_one = resident()
    for again in range(5):
        register(MOST_ROWS, footer=str(again))
    assert resident() < after_one + (100 << 20)
