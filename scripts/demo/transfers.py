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
    with stage.steps.step("a name, a device, an authority change, and stay on record") as step:
        _changes(stage, step)
    with stage.steps.step("the registers are printed, with their whole history") as step:
        _printed(stage, step)
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


def _changes(stage: Stage, step: Step) -> None:
    keeper = as_person(stage, ADMINISTRATOR)
    step.asks("juki verify")
    proved = stage.juki.needs("verify", *keeper)
    step.saw(f"proved again, by {proved['method']}", proved["method"] == "device")
    step.asks(f"juki person change, enrol, retire-device {LEAVER.person}")
    renamed = ("person", "change", LEAVER.person, "--name", "県税　改名", "--form", "異動-2")
    step.saw("renamed", agreed(stage, *renamed)["name"] == "県税　改名")
    code = agreed(stage, "person", "enrol", LEAVER.person, form="照合付-4")
    step.saw(f"a code for {', '.join(code['methods'])}", code["methods"] == ["device"])
    people = stage.juki.needs("person", "list", *keeper)["people"]
    (leaver,) = (each for each in people if each["person_id"] == LEAVER.person)
    device = leaver["devices"][0]["device_id"]
    words = ("person", "retire-device", LEAVER.person, device, "--reason", "故障")
    retired = stage.juki.needs(*words, *keeper)["devices"][0]["retired"]
    step.saw(f"device {device}: {retired}", retired == "故障")
    step.asks(f"juki operator suspend, resume {LEAVER.operator}")
    stopped = ("operator", "suspend", LEAVER.operator, "--reason", "事務の見直し")
    states = [stage.juki.needs(*stopped, *keeper)["state"]]
    again = ("operator", "resume", LEAVER.operator, "--reason", "事務の再開")
    states.append(agreed(stage, *again, form="異動-3")["state"])
    step.saw(", ".join(states), states == ["suspended", "active"])


def _printed(stage: Stage, step: Step) -> None:
    folder = stage.grounds.terminal / "registers"
    folder.mkdir()
    for register in ("people", "operators", "terminals"):
        step.asks(f"juki roster print {register}")
        paper = folder / f"{register}.pdf"
        words = ("roster", "print", register, "--history", "--out", str(paper))
        told = stage.juki.needs(*words, *as_person(stage, ADMINISTRATOR))
        is_pdf = paper.read_bytes().startswith(b"%PDF")
        step.saw(f"{told['lines']} lines on {told['pages']} pages", is_pdf and told["lines"] > 0)
