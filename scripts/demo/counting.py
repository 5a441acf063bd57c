"""How many: residents, updates and provisions are counted as they come, and counted again."""

from datetime import datetime

from appliance.model import JST
from scripts.demo.grounds import MUNICIPALITY
from scripts.demo.people import ADMINISTRATOR, STATISTICIAN, as_person
from scripts.demo.stage import Stage

RECOUNT = "statistics/recount"


def count(stage: Stage) -> None:
    """Ask for the three statistics; let everything be counted again, and compare."""
    statistician = stage.people[STATISTICIAN.name]
    with stage.steps.step("residents are counted, and told rounded") as step:
        by = ["municipality", "age", "sex"]
        step.asks(f"statistics/population by {', '.join(by)}")
        table = statistician.gets("statistics/population", {"by": by})
        counts = [row["count"] for row in table["rows"]]
        here = {row["of"]["municipality"] for row in table["rows"]}
        step.saw(f"{table['total']:,} residents of {len(here)} places", MUNICIPALITY in here)
        step.saw("each number is a multiple of ten", not any(count % 10 for count in counts))
        step.saw("the total is their sum", table["total"] == sum(counts))
        again = statistician.gets("statistics/population", {"by": by})
        step.saw("whoever asks again is told the same", again == table)
    with stage.steps.step("updates and provisions are counted") as step:
        step.asks("statistics/updates by reason; statistics/provisions by purpose, as CSV")
        year = f"{datetime.now(JST).year}"
        updates = statistician.gets("statistics/updates", {"period": year, "by": ["reason"]})
        step.saw(f"{updates['total']:,} updates", updates["total"] > 0)
        body = {"period": year, "by": ["purpose"], "format": "csv"}
        lines = statistician.gets("statistics/provisions", body)["csv"].splitlines()
        step.saw(" ".join(lines), lines[0] == "\ufeff事務,事務の名称,件数")
    with stage.steps.step("everything is counted again, and comes to the same") as step:
        step.asks(f"juki job run {RECOUNT}")
        ran = stage.juki.needs("job", "run", RECOUNT, *as_person(stage, ADMINISTRATOR))
        step.saw(f"{ran['runs'][0]['steps']} steps", ran["job"]["outcome"] == "done")
        last = statistician.gets("statistics/recounts", {})["recounts"][0]
        step.saw(f"{last['persons']:,} persons, {last['tallies']} tallies", last["persons"] > 0)
        step.saw(f"{last['differing']} differ", last["differing"] == 0)
    with stage.steps.step("the operator sees jobs and alarms") as step:
        step.asks("juki status; job/list")
        status = stage.juki.needs_machine("status")
        names = [each["name"] for each in status["jobs"]]
        step.saw(", ".join(names), RECOUNT in names)
        step.saw(f"{len(status['alarms'])} alarms", not status["alarms"])
        listed = stage.people[ADMINISTRATOR.name].gets("job/list", {})["jobs"]
        step.saw("the administrator the same", [each["name"] for each in listed] == names)
        step.asks("system/state")
        state = stage.people[ADMINISTRATOR.name].gets("system/state", {})
        step.saw(f"{state['ledger']['entries']:,} entries", state["ledger"]["entries"] > 0)
        step.saw("nothing to see to", not (state["degraded"] or state["alarms"]))


def run_jobs(stage: Stage) -> None:
    """Let every job run once, now: those of the night too."""
    with stage.steps.step("every job runs when it is told to, and ends well") as step:
        jobs = stage.people[ADMINISTRATOR.name].gets("job/list", {})["jobs"]
        for name in (job["name"] for job in jobs):
            step.asks(f"juki job run {name}")
            ran = stage.juki.needs("job", "run", name, *as_person(stage, ADMINISTRATOR))
            step.saw(f"{name}: {ran['job']['outcome']}", ran["job"]["outcome"] == "done")
