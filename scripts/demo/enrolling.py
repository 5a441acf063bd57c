"""A new terminal: its key is made there, its certificate elsewhere, its limits registered.

Nobody works at a terminal outside its hours, or by a function it is not registered for, whatever
his role allows.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from appliance.model import JST
from scripts.demo.people import ADMINISTRATOR, CLERK, as_person, log_in
from scripts.demo.stage import OK, Stage

TERMINAL = "TERM-0004"
FORBIDDEN = 403
NOON = 12


def bring_in(stage: Stage) -> None:
    """Let a new 業務端末 ask for its certificate, register it, and find it refused twice."""
    juki, grounds = stage.juki, stage.grounds
    with stage.steps.step("a new terminal makes its key, and a request for a certificate") as step:
        step.asks(f"juki terminal request {TERMINAL}")
        made = juki.needs("terminal", "request", TERMINAL, "--out", str(grounds.terminal))
        step.saw(f"key {made['fingerprint'][:19]}… stays there")
    with stage.steps.step("the authority signs what was read out by telephone, no other") as step:
        step.asks("juki terminal sign")
        another = juki.run(*_signing(stage, "0" * 64))
        step.must("another fingerprint: refused", another.code != 0)
        signed = juki.needs(*_signing(stage, made["fingerprint"]))
        step.saw(f"certificate of {signed['terminal_id']}", signed["terminal_id"] == TERMINAL)
    with stage.steps.step("registered for other hours, nobody logs in there") as step:
        step.asks(f"juki terminal enrol {TERMINAL}")
        hours = _not_now()
        _as_administrator(
            stage,
            *("enrol", TERMINAL, str(grounds.terminal / f"{TERMINAL}.pem"), "--kind", "business"),
            *("--place", "市町村課 分室", "--office", CLERK.office, "--own-office-only"),
            *("--hours", hours, "--request-number", "T-1"),
        )
        juki.needs("logout", *as_person(stage, CLERK))
        seat = stage.seat("new terminal", TERMINAL)
        device = grounds.device(CLERK.person).device
        refused = seat.logs_in(CLERK.person, CLERK.operator, device)
        step.saw(f"{hours}: {refused.status}", refused.status == FORBIDDEN)
    with stage.steps.step("at any hour, and for search alone: nothing else is served") as step:
        step.asks(f"juki terminal change {TERMINAL}")
        change = ("change", TERMINAL, "--any-time", "--function", "search", "--reason", "検索専用")
        _as_administrator(stage, *change)
        clerk = stage.seat("new terminal", TERMINAL, CLERK.purpose, CLERK.reason)
        opened = clerk.logs_in(CLERK.person, CLERK.operator, device)
        step.must(f"he logs in: {opened.status}", opened.status == OK)
        found = clerk.asks("search/find", {"name": "存在　せぬ男"}).status
        asked = {"by": {"my_number": "900000000001"}, "items": ["name"]}
        other = clerk.asks("provision/inquire", asked).status
        step.saw(f"search: {found}, inquire: {other}", (found, other) == (OK, FORBIDDEN))
        clerk.asks("session/close", {})
        log_in(stage, CLERK)
    _renewed(stage)


def _renewed(stage: Stage) -> None:
    with stage.steps.step("the next certificate keeps the limits; all of it is on record") as step:
        step.asks(f"juki terminal renew {TERMINAL}, history")
        folder = stage.grounds.terminal / "next"
        folder.mkdir()
        made = stage.juki.needs("terminal", "request", TERMINAL, "--out", str(folder))
        signed = stage.juki.needs(*_signing(stage, made["fingerprint"], folder))
        renewed = _as_administrator(stage, "renew", TERMINAL, signed["certificate"])
        step.must("the limits stay", renewed["operations"] == ["search"])
        kept = _as_administrator(stage, "history", TERMINAL)["revisions"]
        step.saw("; ".join(each["why"] for each in kept), len(kept) == 4)


def _signing(stage: Stage, fingerprint: str, folder: Path | None = None) -> tuple[str, ...]:
    grounds = stage.grounds
    return (
        *("terminal", "sign", str((folder or grounds.terminal) / f"{TERMINAL}.csr")),
        *("--ca-cert", str(grounds.custodians / "ca.pem")),
        *("--ca-key", str(grounds.custodians / "ca.key"), "--fingerprint", fingerprint),
    )


def _as_administrator(stage: Stage, *words: str) -> dict[str, Any]:
    return stage.juki.needs("terminal", *words, *as_person(stage, ADMINISTRATOR))


def _not_now() -> str:
    """Return hours of the half of the day that it is not, in Japan."""
    morning = datetime.now(JST).hour < NOON
    return "毎日 12:05-24:00" if morning else "毎日 00:00-11:55"
