from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from plugins.reconcile.tree import SMALL, Sum, beneath, bounds, split, summed


def packed(places: dict[bytes, bytes]) -> list[bytes]:
    return [place + places[place] for place in sorted(places)]


FILES = st.dictionaries(
    st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16), max_size=20
)


@given(FILES, FILES)
def test_buckets_agree_only_if_their_marks_do(ours: dict[bytes, bytes], theirs: dict[bytes, bytes]):
    assert (summed(packed(ours)) == summed(packed(theirs))) is (ours == theirs)


@given(FILES)
def test_a_bucket_is_the_same_however_many_marks_come_at_a_time(file: dict[bytes, bytes]):
    assert summed(packed(file)) == summed([b"".join(packed(file))])
    assert summed(packed(file)).count == len(file)


@given(FILES, FILES)
def test_a_split_names_each_difference_once(ours: dict[bytes, bytes], theirs: dict[bytes, bytes]):
    found = split(ours, theirs)
    kept = {place: digest for place, digest in ours.items() if place not in found.absent}
    for place in found.send:
        kept[place] = theirs[place]
    assert kept == theirs
    assert not set(found.send) & set(found.absent)


def test_the_sixteen_buckets_below_one_are_all_of_it():
    edges = [bounds("a" + digit) for digit in "0123456789abcdef"]
    assert (edges[0][0], edges[-1][1]) == bounds("a")
    assert all(
        int.from_bytes(before[1], "big") + 1 == int.from_bytes(after[0], "big")
        for before, after in pairwise(edges)
    )
    assert bounds("") == (bytes(16), b"\xff" * 16)


def test_small_buckets_are_compared_mark_by_mark():
    assert beneath(Sum(5, "a"), Sum(5, "a")) is None
    assert beneath(Sum(SMALL, "a"), Sum(1, "b")) == "marks"
    assert beneath(Sum(1, "a"), Sum(SMALL + 1, "b")) == "digests"
