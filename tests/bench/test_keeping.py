"""A municipality's server that keeps its marks finds what it has otherwise, and nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from appliance.testing import Bench
from scripts.bench_lib.keeping import Keeping, kept
from tests.plugins.people import YATSUSHIRO, admit, code
from tests.plugins.reconcile.files import asking, different

RESIDENTS = 60


def test_it_walks_down_to_the_residents_whose_address_is_another_there(tmp_path: Path) -> None:
    with Bench.open(tmp_path) as bench:
        for which in range(1, RESIDENTS + 1):
            admit(bench, which, **different(which))
        with bench.vault.view() as view:
            file = kept(view, [YATSUSHIRO], 0.05, seed=1)
        assert file.residents == RESIDENTS
        outcome = Keeping(asking(bench.municipality(YATSUSHIRO)), file).run()
    expected = {each.resident_code for each in file.differing[YATSUSHIRO]}
    assert len(expected) == RESIDENTS * 0.05
    assert expected < {code(which) for which in range(1, RESIDENTS + 1)}
    assert {each["resident_code"] for each in outcome.findings} == expected
    assert {tuple(each["items"]) for each in outcome.findings} == {("address",)}


def test_files_that_agree_cost_one_digest(tmp_path: Path) -> None:
    asked: list[str] = []
    with Bench.open(tmp_path) as bench:
        admit(bench)
        with bench.vault.view() as view:
            file = kept(view, [YATSUSHIRO], 0.0, seed=1)
        answer = asking(bench.municipality(YATSUSHIRO))

        def ask(operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
            asked.append(operation)
            told: dict[str, Any] = msgspec.to_builtins(answer(operation, body))
            return told

        assert Keeping(ask, file).run().result == "agreed"
    assert asked == ["reconcile/begin", "reconcile/digest", "reconcile/finish"]
