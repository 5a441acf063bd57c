"""Sealing, stopping, checking and starting again: everything must still be there."""

from datetime import UTC, datetime, timedelta

from appliance.model import JST
from scripts.demo import leftovers
from scripts.demo.agreement import judge
from scripts.demo.cast import Cast
from scripts.demo.children import Failed
from scripts.demo.leftovers import Search
from scripts.demo.office import find
from scripts.demo.people import (
    ADMINISTRATOR,
    AUDITOR,
    CLERK,
    LEAVER,
    TAX,
    agreed,
    as_person,
    log_in_again,
    log_in_by_pin,
)
from scripts.demo.servers import wait_for_outbox
from scripts.demo.stage import OK, Stage
from scripts.demo.steps import Step
from storage.note import Checkpoint, parse_note

MOST_MEMORY = 400
"""MiB the appliance may hold at any time."""
UNIDENTIFIED, UNAVAILABLE = 401, 503


def let_go(stage: Stage) -> None:
    """Suspend an operator and revoke a terminal; both are out at once."""
    juki, leaver = stage.juki, stage.people[LEAVER.name]
    options = as_person(stage, ADMINISTRATOR)
    with stage.steps.step("whoever leaves is out at once") as step:
        step.asks(f"juki person suspend {LEAVER.person}")
        paper = ("--reason", "退職", "--form", "照合無-1")
        before = leaver.asks("search/find", {"name": "存在　せぬ男"}).status
        juki.needs("person", "suspend", LEAVER.person, *paper, *options)
        after = leaver.asks("search/find", {"name": "存在　せぬ男"}).status
        step.saw(f"{before} before, {after} after", (before, after) == (OK, UNIDENTIFIED))
    with stage.steps.step("whose finger is hurt logs in by a PIN, for a week") as step:
        step.asks(f"juki person issue-pin {TAX.person}, juki login --enrol")
        until = datetime.now(UTC).astimezone(JST).date() + timedelta(days=7)
        why = ("--reason", "指の負傷", "--until", str(until))
        answer = agreed(stage, "person", "issue-pin", TAX.person, *why, form="暗証-1")
        opened = log_in_by_pin(stage, TAX, answer["enrolment_code"])
        step.saw(f"until {until}, by {opened['method']}", opened["method"] == "pin")
    with stage.steps.step("a revoked terminal is refused at once") as step:
        step.asks(f"juki terminal revoke {LEAVER.terminal}")
        somebody = stage.seat("somebody", LEAVER.terminal)
        before = somebody.asks("session/close", {}).status
        juki.needs("terminal", "revoke", LEAVER.terminal, "--reason", "端末更新", *options)
        after = somebody.asks("session/close", {}).status
        step.saw(f"{before} before, {after} after", (before, after) == (OK, UNIDENTIFIED))


def seal(stage: Stage, cast: Cast) -> None:
    """Seal the running appliance, and unseal it with three other custodians."""
    if stage.appliance is None:
        raise Failed("the appliance is not running")
    clerk, process = stage.people[CLERK.name], stage.appliance
    with stage.steps.step(
        "sealed, the process has forgotten everything and waits", vital=True
    ) as step:
        step.asks("juki seal")
        stage.measure()
        stage.juki.needs_machine("seal")
        step.must("it is sealed", (stage.seal_status() or {}).get("sealed") is True)
        step.saw(f"process {process.pid} goes on, sealed", process.is_running)
        clerk.hangs_up()
        status = clerk.asks("search/find", {"name": cast.sawako.name}).status
        step.saw(f"search/find: {status}", status == UNAVAILABLE)
    with stage.steps.step("unsealed again, everything is there", vital=True) as step:
        step.asks("juki unseal")
        stage.unseal(2, 3, 4)
        status = clerk.asks("search/find", {"name": cast.sawako.name}).status
        step.saw(f"the old session: {status}", status == UNIDENTIFIED)
        _is_there(stage, step, cast)


def stop_and_check(stage: Stage, search: Search) -> None:
    """Stop the appliance, read the whole store, and look through its folder once more."""
    with stage.steps.step("told to stop, it ends in order", vital=True) as step:
        step.asks("SIGTERM")
        status = stage.stop_appliance()
        step.saw(f"exit {status}", status == 0)
    with stage.steps.step("the stopped store is read whole") as step:
        step.asks("juki check, with a checkpoint that was kept outside")
        done = stage.juki.machine(
            *("check", "--shares-from", str(stage.grounds.custodians)),
            *("--anchor", str(stage.grounds.anchor), "--json"),
        )
        read = [f"{n:,} {name}" for name, n in done.plain.items() if type(n) is int]
        step.saw(", ".join(read))
        findings = done.plain.get("findings")
        step.saw(f"exit {done.code}, findings {findings}", done.code == 0 and findings == [])
    leftovers.nothing_left(stage, search, "stopped")


def start_again(stage: Stage, cast: Cast) -> None:
    """Start the appliance anew."""
    with stage.steps.step("started again, everything is there", vital=True) as step:
        step.asks("juki serve, juki unseal")
        stage.start_appliance()
        stage.unseal(3, 4, 5)
        _is_there(stage, step, cast)
    with stage.steps.step(f"it never held more than {MOST_MEMORY} MiB") as step:
        step.asks("VmHWM of the process")
        peak = stage.measure()
        step.saw(f"{peak} MiB", 0 < peak < MOST_MEMORY)


def agree(stage: Stage) -> None:
    """Stop the appliance for good, and compare everybody's files where they lie."""
    with stage.steps.step("municipalities, prefecture and national server agree") as step:
        step.asks("every file read where it lies, ours with three shares, item by item")
        wait_for_outbox(stage, seconds=60.0)
        stage.stop_appliance()
        judge(step, stage.grounds, 1, 3, 5)


def _is_there(stage: Stage, step: Step, cast: Cast) -> None:
    log_in_again(stage)
    (sawako,) = find(stage.people[CLERK.name], name=cast.sawako.name, address=cast.sawako.address)
    step.saw(f"the clerk finds {sawako['name']}", sawako["name"] == cast.sawako.name)
    entries = stage.people[AUDITOR.name].gets("ledger/search", {"limit": 1})["entries"]
    signed = Checkpoint.parse(parse_note(stage.grounds.anchor.read_text("utf-8")).text)
    step.saw(
        f"the ledger has {entries[0]['index'] + 1:,} entries", entries[0]["index"] >= signed.size
    )
