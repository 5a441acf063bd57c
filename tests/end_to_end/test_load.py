"""A mix of requests over the wire, small: ``scripts/load`` asks until it breaks, or for long."""

import json
from pathlib import Path

from scripts.load_lib.arrivals import Outcome
from scripts.load_lib.climbing import Step
from scripts.load_lib.command import main
from scripts.load_lib.soaking import Sample, growing


def test_a_mix_is_asked_at_rising_rates_and_then_for_a_while(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    options = ["--residents", "200", "--seconds", "0.5", "--steps", "2", "--limit", "1e9"]
    options += ["--soak", "0.015", "--json", str(summary), "--data", str(tmp_path / "load")]
    main(options)
    told = json.loads(summary.read_text("utf-8"))
    assert [step["errors"] for step in told["steps"]] == [{}, {}]
    assert all(step["requests"] > 0 for step in told["steps"])
    assert told["steps"][0]["rate"] < told["steps"][1]["rate"] == told["held"]
    assert len(told["soak"]["samples"]) == 10
    assert sum(sample["errors"] for sample in told["soak"]["samples"]) == 0


def test_a_rate_breaks_when_the_slowest_percent_waits_or_anything_is_refused() -> None:
    answered = Outcome(seconds=1, latencies=[0.1] * 200, errors={}, processor=0.1, late=0)
    assert Step(200, answered).holds(limit_ms=150)
    assert not Step(200, answered).holds(limit_ms=50)
    refused = Outcome(seconds=1, latencies=[0.1] * 200, errors={503: 1}, processor=0.1, late=0)
    assert not Step(200, refused).holds(limit_ms=150)


def test_a_soak_is_flat_only_if_nothing_grows_and_nothing_went_wrong() -> None:
    def samples(memory: float, threads: int, errors: int) -> list[Sample]:
        return [
            Sample(minute, 100 + memory * minute, 50 + threads * minute, 80, 5.0, errors)
            for minute in range(1, 10)
        ]

    assert growing(samples(0, 0, 0)) == []
    assert growing(samples(4, 0, 0)) == ["memory grew from 116 to 130 MiB"]
    assert growing(samples(0, 3, 0)) == ["threads grew from 65 to 68"]
    assert growing(samples(0, 0, 1)) == ["9 requests went wrong"]
