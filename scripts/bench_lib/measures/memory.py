"""How much memory the whole appliance takes, serving the largest store, all functions used.

A real process, founded, filled by ``juki load``, unsealed by three shares, asked over mutual TLS.
What is told is VmHWM: the most it ever had, the SQLite cache, Argon2id and the font included.
"""

from collections.abc import Iterator

from appliance.values.identifiers import Municipalities
from scripts.bench_lib.driving import Drive
from scripts.bench_lib.keeping import kept
from scripts.bench_lib.machines import grown, memory
from scripts.bench_lib.rows import Row, Setting, below, told

LARGEST = "431001"
MOST_MB = 400
DIFFERING = 0.01


def measure(setting: Setting) -> Iterator[Row]:
    """Start, unseal, use everything; tell the memory on the way."""
    size = setting.sizes[-1]
    site = grown(setting, size)
    groups = Municipalities.load().covered_by(LARGEST)
    with site.opened() as opened, opened.vault.view() as view:
        file = kept(view, groups, DIFFERING, setting.seed)
    peaks = []
    with site.running() as began:
        for name, use in Drive(site, LARGEST, file).functions():
            use()
            peaks.append((name, memory(began.pid)))
        settled = memory(began.pid, "VmRSS")
    yield told("memory/sealed", began.sealed_mb, "MB", note="VmHWM once it answers, sealed")
    yield told("memory/unsealed", began.unsealed_mb, "MB", note="once it serves")
    for name, peak in peaks:
        yield told(f"memory/after {name}", peak, "MB")
    yield below(
        f"memory/all functions@{size}",
        peaks[-1][1],
        "MB",
        MOST_MB,
        note=f"{size:,} residents; at rest afterwards {settled:.0f} MB; used once or more: "
        + ", ".join(name for name, _ in peaks),
    )
    yield told("memory/restart", began.answers, "s", note="from the start until it answers, sealed")
    yield told(
        "memory/unseal",
        began.serves,
        "s",
        note="three shares given; store opened, heads, ring and policy checked",
    )
