"""The first hour: a store is made, its policy signed, the process started, the store unsealed."""

from typing import Any

from scripts.demo import relay
from scripts.demo.children import Failed
from scripts.demo.grounds import ORIGIN, configure
from scripts.demo.people import ADMINISTRATOR, OFFICER, Person
from scripts.demo.stage import Stage
from scripts.demo.steps import Step
from storage.unseal import new_root, split

SEALED, REFUSED, NO_MORE = 2, 3, 2
"""Exit codes of juki: of status while sealed, of a refusal, of an input that ends too soon."""
UNAVAILABLE = 503


def found(stage: Stage, residents: int) -> dict[Person, str]:
    """Make the store; return the one-use codes of the two who are let in first.

    Raises:
        Failed: it could not be made.
    """
    grounds = stage.grounds
    with stage.steps.step("the store is made, with its custodians", vital=True) as step:
        stage.start_national(*relay.prepare(stage.grounds.national))
        configure(grounds, stage.national, residents)
        step.asks("juki init")
        made = stage.juki.needs_machine(
            *("init", "--shares-to", str(grounds.custodians)),
            *("--terminal", str(grounds.terminal / "TERM-0001.pem")),
        )
        shares = len(list(grounds.custodians.glob("share-*.txt")))
        step.must(f"{shares} shares and two policy keys handed out", shares == 5)
        step.must(f"ledger {made['origin']}", made["origin"] == ORIGIN)
    with stage.steps.step("two custodians sign a changed policy", vital=True) as step:
        with (grounds.appliance / "firmware" / "plugins.toml").open("a") as file:
            file.write("# looked at by both custodians\n")
        step.asks("juki policy sign")
        signed = _signed(stage, 1)
        step.saw(f"serial {signed['serial']}: {', '.join(signed['files'])}", signed["serial"] == 2)
        refused = stage.juki.machine("serve")
        told = "is signed by one person only"
        step.must(f"no start: {told}", refused.code == NO_MORE and told in refused.err)
        whole = _signed(stage, 2)
        step.saw("the second key completes it", (whole["serial"], whole["missing"]) == (2, []))
    return {ADMINISTRATOR: made["enrolment_code"], OFFICER: made["officer_code"]}


def _signed(stage: Stage, number: int) -> dict[str, Any]:
    key = str(stage.grounds.custodians / f"policy-{number}.key")
    return stage.juki.needs_machine("policy", "sign", "--key-file", key)


def start(stage: Stage, *, check: bool) -> None:
    """Start the appliance and unseal it; with ``check``, look first at what it does sealed.

    Raises:
        Failed: it does not start, or stays sealed.
    """
    with stage.steps.step("the appliance starts", vital=True) as step:
        stage.start_appliance()
        step.saw(f"{stage.grounds.url}, and 127.0.0.1:{stage.grounds.management_port}")
    if check:
        _only_sys_answers(stage)
        _bad_shares(stage)
        _two_are_not_enough(stage)
    with stage.steps.step("three custodians unseal it", vital=True) as step:
        step.asks("juki unseal")
        # Any three will do.
        stage.unseal(*([5] if check else [1, 2, 5]))
        status = stage.seal_status() or {}
        step.must("unsealed", not status.get("sealed", True))


def _only_sys_answers(stage: Stage) -> None:
    with stage.steps.step("sealed, it answers /v1/sys/* and nothing else") as step:
        _is_sealed(stage, step)
        seat = stage.seat("somebody", "TERM-0001")
        status, plain = seat.reads("/v1/sys/health")
        step.asks("GET health")
        step.saw(f"{status} {plain['status']}", (status, plain["status"]) == (503, "sealed"))
        for operation, body in (
            ("session/open", {"operator": "OP-0001", "pin": "00000000"}),
            ("search/find", {"name": "山田　太郎"}),
            ("update/notify", {"notifications": []}),
        ):
            step.asks(operation)
            answer = seat.asks(operation, body, key="k" * 16)
            step.saw(f"{answer.status} {answer.body.get('code')}", answer.status == UNAVAILABLE)


def _bad_shares(stage: Stage) -> None:
    with stage.steps.step("a wrong share is refused, and says why") as step:
        words = stage.grounds.share(1).split()
        mistyped = " ".join([*words[:-1], "academic" if words[-1] != "academic" else "acid"])
        foreign, _ = split(new_root())
        for name, share in (("mistyped", mistyped), ("another store's", foreign[0])):
            step.asks(f"a share that is {name}")
            _refused(stage, step, share)
        step.saw(f"progress {_progress(stage)}", _progress(stage) == 0)


def _two_are_not_enough(stage: Stage) -> None:
    with stage.steps.step("two shares are not enough") as step:
        step.asks("shares 1 and 3")
        done = stage.juki.machine("unseal", given=f"{_share(stage, 1)}{_share(stage, 3)}")
        step.saw(f"juki asks for another (exit {done.code})", done.code == NO_MORE)
        step.saw(f"progress {_progress(stage)} of 3", _progress(stage) == 2)
        step.asks("share 3 again")
        _refused(stage, step, stage.grounds.share(3))
        _is_sealed(stage, step)


def _refused(stage: Stage, step: Step, share: str) -> None:
    done = stage.juki.machine("unseal", given=f"{share}\n")
    step.saw(done.err.strip().removeprefix("juki: "), done.code == REFUSED)


def _is_sealed(stage: Stage, step: Step) -> None:
    done = stage.juki.machine("status")
    step.saw(f"juki status: exit {done.code}, sealed", done.code == SEALED)


def _share(stage: Stage, number: int) -> str:
    return stage.grounds.share(number) + "\n"


def _progress(stage: Stage) -> int:
    status = stage.seal_status()
    if status is None:
        raise Failed("the appliance does not answer")
    return int(status["progress"])
