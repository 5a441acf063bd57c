"""人事異動: an appointment changes, somebody comes back, and one person cannot join two duties."""

from datetime import date, timedelta

from scripts.demo.people import ADMINISTRATOR, CLERK, LEAVER, TAX, agreed, as_person, asked_for
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
        answer = agreed(stage, "person", "resume", LEAVER.person, *paper)
        step.saw(f"a code good until {answer['until']}", bool(answer["enrolment_code"]))
    with stage.steps.step("one person audits or sees residents, under any 操作者ID") as step:
        step.asks(f"juki operator add OP-0099 --holder {CLERK.person} --role auditor")
        words = ("operator", "add", "OP-0099", "--holder", CLERK.person, "--role", "auditor")
        papers = ("--office", "監査室", "--expires", str(today + timedelta(days=30)))
        command = (*words, *papers, "--form", "照合付-3")
        number = asked_for(stage, *command)
        keeper = as_person(stage, ADMINISTRATOR)
        done = stage.juki.run(*command, "--approval", number, *keeper)
        step.saw(done.err.strip().removeprefix("juki: "), done.code == REFUSED)
        step.saw("told as a rule", "separation" in done.err)


def _transfer(stage: Stage, step: Step) -> None:
    change = ("operator", "change", TAX.operator, "--form", "異動-1")
    step.asks(f"juki operator change {TAX.operator} --office {MOVED} --purpose passport")
    there = ("--office", MOVED, "--purpose", "passport")
    moved = agreed(stage, *change, *there)
    told = (moved["office"], moved["purposes"], moved["roles"])
    step.saw(
        f"{moved['office']}, {', '.join(moved['purposes'])}", told[:2] == (MOVED, ["passport"])
    )
    step.saw(f"still {', '.join(moved['roles'])}", told[2] == [TAX.role])
    step.asks("and back")
    back = [word for purpose in TAX.purposes for word in ("--purpose", purpose)]
    agreed(stage, *change, "--office", TAX.office, *back)
