from dataclasses import replace
from itertools import combinations, permutations

import pytest
import shamir_mnemonic
from hypothesis import given, settings
from hypothesis import strategies as st
from shamir_mnemonic.wordlist import WORDLIST

from storage.derive import check_value
from storage.errors import SharesRefused, Tampered
from storage.unseal import Gathering, Progress, judged, new_root, split

ROOT = bytes(range(32))
SHARES, SET = split(ROOT)
OTHERS, OTHER_SET = split(bytes(32))


def key_from(*shares: str) -> bytes:
    gathering = Gathering(SET)
    for share in shares:
        gathering.add(share)
    return gathering.key()


def with_word(share: str, position: int, word: str) -> str:
    words = share.split()
    words[position - 1] = word
    return " ".join(words)


def refusal(share: str) -> str:
    """Try a share after two good ones; return why it was refused. The good ones stay."""
    gathering = Gathering(SET)
    gathering.add(SHARES[0])
    before = gathering.add(SHARES[1])
    with pytest.raises(SharesRefused) as caught:
        gathering.add(share)
    assert gathering.progress == before == Progress((1, 2), 3)
    assert gathering.add(SHARES[2]).complete
    assert gathering.key() == ROOT
    return str(caught.value)


@pytest.mark.parametrize("chosen", list(combinations(range(5), 3)))
def test_any_three_of_five_give_the_root_key(chosen: tuple[int, ...]) -> None:
    assert key_from(*(SHARES[index] for index in chosen)) == ROOT


def test_the_order_does_not_matter() -> None:
    for shares in permutations(SHARES[:3]):
        assert key_from(*shares) == ROOT


@settings(max_examples=10)
@given(st.binary(min_size=32, max_size=32), st.data())
def test_any_root_comes_back_from_any_set(root: bytes, data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 8))
    threshold = data.draw(st.integers(2, count))
    shares, share_set = split(root, threshold=threshold, count=count)
    gathering = Gathering(share_set)
    for share in data.draw(st.permutations(shares))[:threshold]:
        assert not gathering.progress.complete
        gathering.add(share)
    assert gathering.key() == root


def test_more_shares_than_needed_do_no_harm() -> None:
    assert key_from(*SHARES) == ROOT


def test_a_share_is_33_words_of_slip_39() -> None:
    for share in SHARES:
        assert len(share.split()) == 33
    assert shamir_mnemonic.combine_mnemonics(SHARES[:3]) == ROOT


def test_two_shares_are_not_enough() -> None:
    gathering = Gathering(SET)
    assert gathering.progress == Progress((), 3)
    gathering.add(SHARES[4])
    gathering.add(SHARES[2])
    assert gathering.progress == Progress((3, 5), 3)
    with pytest.raises(SharesRefused, match="1 more of the shares are needed"):
        gathering.key()


def test_capitals_and_spaces_do_not_matter() -> None:
    assert judged("  " + SHARES[0].upper().replace(" ", "\n  "), SET) == (1, SHARES[0])


def test_a_word_that_is_none_is_named_by_its_place() -> None:
    assert refusal(with_word(SHARES[2], 7, "kumamoto")) == "word 7 is not in the word list"


def test_every_wrong_word_is_noticed_at_once() -> None:
    for position in range(1, 34):
        right = SHARES[2].split()[position - 1]
        wrong = next(word for word in WORDLIST if word != right)
        with pytest.raises(SharesRefused, match="a word is mistyped"):
            judged(with_word(SHARES[2], position, wrong), SET)


def test_two_words_in_the_wrong_order_are_noticed() -> None:
    words = SHARES[2].split()
    words[10], words[11] = words[11], words[10]
    assert refusal(" ".join(words)) == "a word is mistyped or out of place"


def test_a_word_left_out_is_counted() -> None:
    assert refusal(" ".join(SHARES[2].split()[:-1])) == "a share has 33 words, not 32"
    assert refusal("") == "a share has 33 words, not 0"


def test_a_share_of_another_store_is_told() -> None:
    assert refusal(OTHERS[2]) == "this is a share of another store"


def test_a_share_of_another_store_with_the_same_identifier_is_told_too() -> None:
    parsed = shamir_mnemonic.Share.from_mnemonic(OTHERS[2])
    disguised = replace(parsed, identifier=SET.identifier).mnemonic()
    assert refusal(disguised) == "this is a share of another store"
    beyond = replace(parsed, identifier=SET.identifier, index=9).mnemonic()
    assert refusal(beyond) == "this is a share of another store"


def test_the_same_share_twice_changes_nothing() -> None:
    assert refusal(SHARES[1]) == "share 2 was already given"


def test_a_share_of_a_replaced_set_is_told_by_its_number() -> None:
    root = new_root()
    newer, newer_set = split(root, previous=SET)
    newest, newest_set = split(root, previous=newer_set)
    assert (newer_set.number, newest_set.number) == (2, 3)
    with pytest.raises(SharesRefused, match="a share of set 1, replaced by set 3"):
        judged(SHARES[0], newest_set)
    with pytest.raises(SharesRefused, match="a share of set 2, replaced by set 3"):
        judged(newer[0], newest_set)
    assert judged(newest[4], newest_set) == (5, newest[4])


def test_no_refusal_holds_a_word_of_the_share() -> None:
    for bad in (with_word(SHARES[2], 7, "kumamoto"), with_word(SHARES[2], 7, "academic")):
        text = refusal(bad)
        assert "kumamoto" not in text
        assert not [word for word in SHARES[2].split()[4:-3] if f" {word} " in f" {text} "]


def test_what_was_gathered_can_be_dropped() -> None:
    gathering = Gathering(SET)
    gathering.add(SHARES[0])
    gathering.forget()
    assert gathering.progress == Progress((), 3)


@pytest.mark.parametrize(
    "altered",
    [replace(SET, root_check=check_value(bytes(32))), replace(SET, threshold=2)],
    ids=["check of the root", "threshold"],
)
def test_good_shares_and_an_altered_ring_header_are_told_apart_from_bad_shares(
    altered: object,
) -> None:
    gathering = Gathering(altered)  # type: ignore[arg-type]
    for share in SHARES[:3]:
        gathering.add(share)
    with pytest.raises(Tampered, match="the shares are good"):
        gathering.key()


def test_what_is_kept_of_a_share_is_not_the_share() -> None:
    assert all(len(check) == 16 for check in SET.checks)
    assert len(set(SET.checks)) == 5
    assert SET.root_check == check_value(ROOT)


@pytest.mark.parametrize(
    ("root", "threshold", "count"),
    [(bytes(16), 3, 5), (ROOT, 1, 5), (ROOT, 6, 5), (ROOT, 3, 17)],
    ids=["short root", "one alone", "more than there are", "too many"],
)
def test_sets_that_make_no_sense_are_refused(root: bytes, threshold: int, count: int) -> None:
    with pytest.raises(ValueError):
        split(root, threshold=threshold, count=count)


def test_a_new_set_never_takes_the_identifier_of_a_replaced_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = iter([SET.identifier, SET.identifier, (SET.identifier + 1) % 2**15])
    monkeypatch.setattr(shamir_mnemonic.shamir, "_random_identifier", lambda: next(drawn))
    _, share_set = split(ROOT, previous=SET)
    assert share_set.identifier == (SET.identifier + 1) % 2**15


def test_roots_are_random() -> None:
    assert len({new_root() for _ in range(8)}) == 8
    assert len(new_root()) == 32
