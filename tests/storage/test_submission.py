"""What a witness is sent is the body of the specification, in its one spelling."""

import pytest

from storage.errors import LedgerBroken
from storage.merkle import Tree, verify_consistency
from storage.note import to_base64
from storage.submission import Submission, submit
from tests.storage.made import small_ledger

C2SP_EXAMPLE = """\
old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""  # noqa: E501


def test_the_example_of_the_specification_is_read_and_written_again() -> None:
    submission = Submission.parse(C2SP_EXAMPLE)
    assert (submission.old, len(submission.hashes)) == (20_852_014, 4)
    assert submission.text() == C2SP_EXAMPLE


@pytest.mark.parametrize(("old", "size"), [(1, 2), (3, 700), (256, 257), (700, 700)])
def test_the_proof_in_it_shows_that_the_ledger_only_grew(old: int, size: int) -> None:
    ledger, begun = small_ledger(size), small_ledger(old)
    made = submit(Tree(size, ledger), old, ledger.checkpoint())
    again = Submission.parse(made.text())
    assert again == made
    verify_consistency(old, size, again.hashes, begun.frontier.root(), ledger.frontier.root())


def test_to_a_witness_that_knows_nothing_nothing_is_proven() -> None:
    ledger = small_ledger(9)
    assert submit(Tree(9, ledger), 0, ledger.checkpoint()).hashes == ()


def test_an_older_checkpoint_is_proven_from_a_longer_ledger() -> None:
    ledger, then = small_ledger(700), small_ledger(300)
    made = submit(Tree(700, ledger), 200, then.checkpoint())
    roots = small_ledger(200).frontier.root(), then.frontier.root()
    verify_consistency(200, 300, made.hashes, *roots)


HASH = to_base64(bytes(32))


@pytest.mark.parametrize(
    "head",
    [
        "",
        "old",
        "old -1",
        "old 01",
        "old 1 ",
        "Old 1",
        "old ٣",
        "size 3",
        f"{HASH}\nold 3",
        "old 3\nAAAA",
        f"old 3\n{HASH}=",
        f"old 3\n {HASH}",
        "\n".join(["old 3", *[HASH] * 64]),
    ],
)
def test_what_is_no_submission_is_refused(head: str) -> None:
    with pytest.raises(LedgerBroken):
        Submission.parse(f"{head}\n\n{small_ledger(3).checkpoint()}")
