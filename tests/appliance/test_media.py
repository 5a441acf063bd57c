import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import Malformed
from appliance.media import Media, data_lines, framed, new_key, open_sealed, text_of, unframed

FIELD = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=20)
ROWS = st.lists(st.lists(FIELD, min_size=1, max_size=5), max_size=5)


@given(ROWS)
def test_what_was_framed_is_taken_apart_again(rows: list[list[str]]) -> None:
    content = framed(["profile", "a"], data_lines(1, rows), len(rows)).encode()
    frame = unframed(content)
    assert frame.problems == ()
    assert frame.header == ("profile", "a")
    assert frame.rows == tuple(map(tuple, rows))


@given(st.data())
def test_a_row_that_was_lost_or_changed_is_noticed(data: st.DataObject) -> None:
    lines = framed(["p"], data_lines(1, [["a"], ["b"], ["c"]]), 3).splitlines()
    which = data.draw(st.integers(1, 3))
    for changed in (
        [*lines[:which], *lines[which + 1 :]],
        [*lines[:which], lines[which] + "x", *lines[which + 1 :]],
        [*lines[:which], lines[which], *lines[which:]],
    ):
        assert unframed("\n".join(changed).encode()).problems


def test_only_the_holder_of_the_key_opens_what_was_sealed_for_it() -> None:
    media, (other, _) = Media(bytes(range(32))), new_key()
    sealed = media.seal_for(media.public_key, b"rows")
    assert media.open(sealed) == b"rows"
    for key, content in ((other, sealed), (bytes(range(32)), sealed[:-1]), (other, b"")):
        with pytest.raises(Malformed, match="not sealed for this key"):
            open_sealed(key, content)


@pytest.mark.parametrize("key", [text_of(bytes(32)), text_of(bytes(31)), "***", "鍵"])
def test_a_key_nobody_can_have_is_refused(key: str) -> None:
    with pytest.raises(Malformed, match="public_key"):
        Media(bytes(range(32))).seal_for(key, b"rows")
