from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import LedgerBroken
from storage.merkle import (
    EMPTY_ROOT,
    Frontier,
    Tree,
    leaf_hash,
    node_hash,
    tile_width,
    tiles_of,
    verify_consistency,
    verify_inclusion,
)
from tests.storage.made import LedgerInMemory, flipped, small_ledger

LARGE = small_ledger(65_537)


def mth(hashes: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash, word for word from RFC 6962 §2.1."""
    if len(hashes) <= 1:
        return hashes[0] if hashes else sha256(b"").digest()
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def path(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """Return the audit path, word for word from RFC 6962 §2.1.1."""
    if len(hashes) == 1:
        return []
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    if m < k:
        return [*path(m, hashes[:k]), mth(hashes[k:])]
    return [*path(m - k, hashes[k:]), mth(hashes[:k])]


def subproof(m: int, hashes: Sequence[bytes], known: bool) -> list[bytes]:
    """Return the consistency proof, word for word from RFC 6962 §2.1.2."""
    if m == len(hashes):
        return [] if known else [mth(hashes)]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    if m <= k:
        return [*subproof(m, hashes[:k], known), mth(hashes[k:])]
    return [*subproof(m - k, hashes[k:], False), mth(hashes[:k])]


def first(ledger: LedgerInMemory, size: int) -> list[bytes]:
    return ledger.hashes[0][:size]


sizes = st.integers(1, 700)


def test_the_hashes_are_those_of_rfc_6962() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert EMPTY_ROOT.hex() == empty
    assert leaf_hash(b"").hex() == leaf


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537])
def test_the_frontier_and_the_tiles_give_the_root_of_the_definition(size: int) -> None:
    frontier = Frontier()
    for leaf in first(LARGE, size):
        frontier = frontier.append(leaf)
    root = mth(first(LARGE, size))
    assert frontier.root() == root
    assert Tree(65_537, LARGE).root(size) == root
    assert Tree(size, LARGE).frontier() == frontier


def test_an_append_leaves_the_frontier_before_as_it_was() -> None:
    before = small_ledger(5).frontier
    after = before.append(leaf_hash(b"x"))
    assert before == small_ledger(5).frontier != after


def test_tiles_are_complete_when_their_last_entry_is_there() -> None:
    ledger = small_ledger(255)
    _, completed = ledger.frontier.grow(leaf_hash(b"x"))
    assert [(each.level, each.n) for each in completed] == [(1, 0)]
    _, completed = ledger.frontier.grow(leaf_hash(b"x"))[0].grow(leaf_hash(b"y"))
    assert completed == []
    assert [len(LARGE.hashes[level]) for level in (0, 1, 2)] == [65_537, 256, 1]
    assert LARGE.hashes[1][3] == mth(LARGE.hashes[0][768:1024])
    assert LARGE.hashes[2][0] == mth(LARGE.hashes[0][:65_536])


@pytest.mark.parametrize(("size", "count"), [(-1, 0), (3, 1), (0, 1)])
def test_subtrees_that_make_no_tree_of_that_size_are_refused(size: int, count: int) -> None:
    with pytest.raises(ValueError, match="do not make a tree"):
        Frontier(size, (bytes(32),) * count)


# --- proofs


@given(sizes, st.data())
def test_inclusion_proofs_are_those_of_the_definition(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    hashes = first(LARGE, size)
    proof = Tree(65_537, LARGE).inclusion(index, size)
    assert proof == path(index, hashes)
    verify_inclusion(hashes[index], index, size, proof, mth(hashes))


@given(sizes, st.data())
def test_consistency_proofs_are_those_of_the_definition(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    hashes = first(LARGE, size)
    proof = Tree(65_537, LARGE).consistency(old, size)
    assert proof == subproof(old, hashes, True)
    verify_consistency(old, size, proof, mth(hashes[:old]), mth(hashes))


@pytest.mark.parametrize("index", [0, 255, 256, 65_535, 65_536])
def test_proofs_go_through_all_levels_of_tiles(index: int) -> None:
    tree = Tree(65_537, LARGE)
    proof = tree.inclusion(index)
    verify_inclusion(LARGE.hashes[0][index], index, 65_537, proof, LARGE.frontier.root())
    verify_consistency(
        index + 1, 65_537, tree.consistency(index + 1), tree.root(index + 1), tree.root()
    )


@given(sizes, st.data())
def test_an_inclusion_proof_shows_nothing_else(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    hashes = first(LARGE, size)
    proof, root = Tree(size, LARGE).inclusion(index), mth(hashes)
    wrong = data.draw(
        st.sampled_from(
            [
                (flipped(hashes[index], 7), index, size, proof, root),
                (hashes[index], index, size, proof, flipped(root, 255)),
                (hashes[index], index, size, [*proof, bytes(32)], root),
                (hashes[index], size, size, proof, root),
                (hashes[index], -1, size, proof, root),
                (hashes[index][:31], index, size, proof, root),
                (hashes[index], index, size, proof, b""),
                (hashes[index], index, size, [*proof, b""], root),
                *([(hashes[index], index, size, proof[:-1], root)] if proof else []),
                *([(hashes[index], index ^ 1, size, proof, root)] if proof else []),
            ]
        )
    )
    with pytest.raises(LedgerBroken):
        verify_inclusion(*wrong)


@given(sizes.filter(lambda size: size > 1), st.data())
def test_a_consistency_proof_shows_nothing_else(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    hashes = first(LARGE, size)
    proof = Tree(size, LARGE).consistency(old)
    before, after = mth(hashes[:old]), mth(hashes)
    wrong = data.draw(
        st.sampled_from(
            [
                (old, size, proof, flipped(before, 0), after),
                (old, size, proof, before, flipped(after, 0)),
                (old, size, [*proof, bytes(32)], before, after),
                (old, size, proof[:-1], before, after),
                (old, size, [], before, after),
                (old, size, [*proof[:-1], flipped(proof[-1], 9)], before, after),
                (old, size, [*proof[:-1], b"short"], before, after),
                (0, size, [], EMPTY_ROOT, after),
                (size + 1, size, proof, before, after),
                (old, old, proof, before, before),
                (old, old, [], before, after),
            ]
        )
    )
    with pytest.raises(LedgerBroken):
        verify_consistency(*wrong)


def test_a_tree_is_consistent_with_itself() -> None:
    root = LARGE.frontier.root()
    assert Tree(65_537, LARGE).consistency(65_537) == []
    verify_consistency(65_537, 65_537, [], root, root)


def test_a_proof_that_stops_half_way_shows_nothing() -> None:
    node = leaf_hash(b"x")
    with pytest.raises(LedgerBroken, match="does not show entry 0"):
        verify_inclusion(node, 0, 2, [], node)
    with pytest.raises(LedgerBroken, match="does not begin with"):
        verify_consistency(1, 2, [], node, node)


def test_the_root_of_one_entry_is_its_hash() -> None:
    verify_inclusion(leaf_hash(b"x"), 0, 1, [], leaf_hash(b"x"))


@pytest.mark.parametrize(
    "ask",
    [
        lambda tree: tree.root(11),
        lambda tree: tree.root(-1),
        lambda tree: tree.inclusion(10),
        lambda tree: tree.inclusion(-1),
        lambda tree: tree.inclusion(3, 11),
        lambda tree: tree.inclusion(3, 3),
        lambda tree: tree.consistency(0),
        lambda tree: tree.consistency(11),
        lambda tree: tree.consistency(3, 2),
    ],
)
def test_what_a_tree_of_ten_does_not_have_is_refused(ask: object) -> None:
    with pytest.raises(ValueError):
        ask(Tree(10, LARGE))  # type: ignore[operator]


def test_a_short_tile_is_noticed() -> None:
    with pytest.raises(LedgerBroken, match="tile 0 of level 0 has 3 of 4 hashes"):
        Tree(4, small_ledger(3)).root()


def test_a_tile_is_read_once() -> None:
    class Counting(LedgerInMemory):
        reads: list[tuple[int, int, int]]

        def tile_hashes(self, level: int, n: int, width: int) -> Sequence[bytes]:
            self.reads.append((level, n, width))
            return super().tile_hashes(level, n, width)

    ledger = Counting(b"%d" % index for index in range(600))
    ledger.reads = []
    tree = Tree(600, ledger)
    tree.root()
    tree.inclusion(0)
    tree.inclusion(599)
    assert sorted(ledger.reads) == [(0, 0, 256), (0, 2, 88), (1, 0, 2)]


# --- which tiles there are


def test_the_tiles_of_the_example_of_the_specification() -> None:
    tiles = list(tiles_of(70_000))
    full = [level for level, _, width in tiles if width == 256]
    assert (full.count(0), full.count(1)) == (273, 1)
    assert [tile for tile in tiles if tile[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert list(tiles_of(256)) == [(0, 0, 256), (1, 0, 1)]
    assert list(tiles_of(0)) == []


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_tiles_that_were_full_are_left_out(one: int, other: int) -> None:
    since, size = sorted((one, other))
    was_full = {tile for tile in tiles_of(since) if tile[2] == 256}
    assert set(tiles_of(size, since)) == set(tiles_of(size)) - was_full


def test_widths() -> None:
    widths = [tile_width(600, level, n) for level, n in [(0, 0), (0, 2), (0, 3), (1, 0), (2, 0)]]
    assert widths == [256, 88, 0, 2, 0]


def test_a_node_is_not_a_leaf() -> None:
    assert node_hash(b"a" * 32, b"b" * 32) != leaf_hash(b"a" * 32 + b"b" * 32)
