"""人事異動: an appointment changes, somebody comes back, and one person cannot join two duties."""

from datetime import date, timedelta

from scripts.demo.people import ADMINISTRATOR, CLERK, LEAVER, TAX, as_person
from scripts.demo.stage import Stage
from scripts.demo.steps import Step

REFUSED = 3
MOVED = "パスポートセンター"


def move(stage: Stage, today: date) -> None:
    """Change an appointment and change it back; let the one who left come back; join duties."""
    with stage.steps.step("an operator is transferred, and keeps what is not said") as step:
        _transfer(stage, step)
    with stage.steps.step("who was suspended comes back with a new code") as step:
        step.asks(f"juki person resume {LEAVER.person}")
        paper = ("--reason", "復職", "--form", "照合付-2")
        answer = stage.juki.needs("person", "resume", LEAVER.person, *paper, *_keeper(stage))
        step.saw(f"a code good until {answer['until']}", bool(answer["enrolment_code"]))
    with stage.steps.step("one person audits or sees residents, under any 操作者ID") as step:
        step.asks(f"juki operator add OP-0099 --holder {CLERK.person} --role auditor")
        done = stage.juki.run(
            *("operator", "add", "OP-0099", "--holder", CLERK.person, "--office", "監査室"),
            *("--role", "auditor", "--expires", str(today + timedelta(days=30))),
            *("--form", "照合付-3"),
            *_keeper(stage),
        )
        step.saw(done.err.strip().removeprefix("juki: "), done.code == REFUSED)
        step.saw("told as a rule", "separation" in done.err)


def _transfer(stage: Stage, step: Step) -> None:
    change = ("operator", "change", TAX.operator, "--form", "異動-1")
    step.asks(f"juki operator change {TAX.operator} --office {MOVED} --purpose passport")
    there = ("--office", MOVED, "--purpose", "passport")
    moved = stage.juki.needs(*change, *there, *_keeper(stage))
    told = (moved["office"], moved["purposes"], moved["roles"])
    step.saw(
        f"{moved['office']}, {', '.join(moved['purposes'])}", told[:2] == (MOVED, ["passport"])
    )
    step.saw(f"still {', '.join(moved['roles'])}", told[2] == [TAX.role])
    step.asks("and back")
    back = [word for purpose in TAX.purposes for word in ("--purpose", purpose)]
    stage.juki.needs(*change, "--office", TAX.office, *back, *_keeper(stage))


def _keeper(stage: Stage) -> tuple[str, ...]:
    return as_person(stage, ADMINISTRATOR)
