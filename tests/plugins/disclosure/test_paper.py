"""The papers of disclosure: characters, the font, the file format."""

import io
from pathlib import Path

import pikepdf
import pytest

from appliance import press
from appliance.errors import Rejected, Unavailable
from tests.plugins.disclosure.desk import HANAKO, Desk, read
from tests.plugins.people import admit, code, number

RARE = {
    "yoshi": "𠮷田　花子",
    "hashigo": "髙島　﨑子",
    "moji-joho": "葛\U000e0102城　花子",
    "foreigner": "ABDULLAH　MUHAMMAD　BIN　SULAIMAN　（通称　山田　太郎）",
    "markup": '#read("/etc/passwd") *x* $a$ \\ <b> @c',
}


@pytest.mark.parametrize("name", RARE.values(), ids=RARE)
def test_rare_characters_are_printed_as_they_are_written(
    desk: Desk, tmp_path: Path, name: str
) -> None:
    admit(desk.bench, name=name)
    text = read(desk.issue(desk.matched({**HANAKO, "name": name}))["pdf"], tmp_path)
    assert name.replace(" ", "").replace("\u3000", "") in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("熊本\U0001f363　花子", "U+1F363"),
        ("\U0002ebf0田　花子", "U+2EBF0"),
    ],
)
def test_a_character_the_font_lacks_stops_it_and_is_named_without_the_person(
    desk: Desk, name: str, said: str
) -> None:
    admit(desk.bench, name=name)
    number = desk.matched({**HANAKO, "name": name})
    with pytest.raises(Rejected) as caught:
        desk.issue(number)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.item) == ("F-01", "name")
    assert said in problem.text
    assert "花子" not in problem.text
    assert desk.state(number) == "matched"


def test_without_the_font_nothing_is_printed_and_it_is_said_why(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    admit(desk.bench)
    number = desk.matched()
    monkeypatch.setattr(press, "FONT", tmp_path / "ipamjm.ttf")
    with pytest.raises(Unavailable, match="fonts-ipamj-mincho") as caught:
        desk.issue(number)
    assert [problem.rule for problem in caught.value.problems] == ["F-02"]
    assert desk.state(number) == "matched"


def test_it_is_a_pdf_a_2u_that_tells_nothing_in_its_metadata(desk: Desk) -> None:
    admit(desk.bench)
    pdf = desk.issue(desk.matched())["pdf"]
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert opened.check_pdf_syntax() == []
        with opened.open_metadata() as metadata:
            assert metadata.pdfa_status == "2U"
            told = str(metadata)
        assert "/OutputIntents" in opened.Root
        assert "/Encrypt" not in opened.trailer
        assert opened.docinfo["/Title"] == "本人確認情報確認書"
        fonts = [font for page in opened.pages for font in page.Resources.Font.values()]
        inner = [font.DescendantFonts[0].FontDescriptor for font in fonts]
        assert fonts
        assert all("/ToUnicode" in font for font in fonts)
        assert all("/FontFile2" in each or "/FontFile3" in each for each in inner)
    for text in (*HANAKO.values(), code(1), number(1)):
        assert text not in told or len(text) < 3
