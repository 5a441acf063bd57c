"""What can be seen of a running appliance: by whoever is on its machine, and in its lists."""

import http.client

from scripts.demo.browsing import BY_PIN
from scripts.demo.cast import Cast
from scripts.demo.grounds import ADDRESS
from scripts.demo.people import ADMINISTRATOR, AUDITOR, EVERYBODY, as_person, log_in
from scripts.demo.stage import Stage

REFUSED = 3
"""Exit code of juki."""


def look(stage: Stage, cast: Cast) -> None:
    """Drive whatever else there is to look at."""
    _on_the_machine(stage)
    _lists(stage)
    _ledger_commands(stage, cast)
    _all_operations(stage)


def _on_the_machine(stage: Stage) -> None:
    juki = stage.juki
    with stage.steps.step("the operator of the machine sees how it is") as step:
        step.asks("juki status, juki config show, juki policy show, GET metrics")
        status = juki.needs_machine("status")
        step.saw(f"status {status['status']}", status["status"] == "ok")
        step.saw(f"warnings {status['warnings']}", "tiles" not in status["warnings"])
        config = juki.needs_machine("config", "show")
        step.saw(f"{len(config)} keys in force", config["session.idle"]["source"] == "file")
        policy = juki.needs_machine("policy", "show")
        step.saw(f"policy serial {policy['serial']}, signed", policy["signed"] is True)
        metrics = _metrics(stage)
        step.saw("metrics: juki_unsealed 1.0", "unsealed 1.0" in metrics)
        step.saw("no web page", "text/html" not in metrics)


def _lists(stage: Stage) -> None:
    options = as_person(stage, ADMINISTRATOR)
    with stage.steps.step("the rosters list everybody who may ask") as step:
        step.asks("juki person list, juki operator list, juki terminal list")
        people = stage.juki.needs("person", "list", *options)["people"]
        devices = [device for each in people for device in each["devices"]]
        right = len(devices) == len(people) - len(BY_PIN)
        step.saw(f"{len(people)} people, {len(devices)} devices", right)
        operators = stage.juki.needs("operator", "list", *options)["operators"]
        step.saw(f"{len(operators)} operators", len(operators) == len(EVERYBODY) + len(BY_PIN) + 2)
        terminals = stage.juki.needs("terminal", "list", *options)["terminals"]
        kinds = sorted(each["kind"] for each in terminals)
        step.saw(", ".join(kinds), kinds.count("municipality") == 1 and len(kinds) == 7)


def _ledger_commands(stage: Stage, cast: Cast) -> None:
    options = as_person(stage, AUDITOR)
    with stage.steps.step("the auditor works with the command line as well") as step:
        step.asks("juki ledger checkpoint, search, person")
        note = str(stage.juki.needs("ledger", "checkpoint", *options)["checkpoint"])
        stage.grounds.anchor.write_text(note, "utf-8")
        step.saw(f"a checkpoint of {note.splitlines()[1]} entries is kept outside")
        found = stage.juki.needs("ledger", "search", "--operation", "update/notify", *options)
        step.saw(f"{len(found['entries'])} notifications listed", bool(found["entries"]))
        given = f"{cast.sawako.resident_code}\n"
        about = stage.juki.needs("ledger", "person", *options, given=given)
        step.saw(f"{len(about['entries'])} entries about her", bool(about["entries"]))
    with stage.steps.step("a session ends with logging out") as step:
        step.asks("juki logout, juki ledger search")
        stage.juki.needs("logout", *options)
        done = stage.juki.run("ledger", "search", *options)
        step.saw(done.err.strip(), done.code == REFUSED)
        log_in(stage, AUDITOR)


def _all_operations(stage: Stage) -> None:
    with stage.steps.step("every operation of the served OpenAPI document was driven") as step:
        step.asks("GET /v1/openapi.json, ledger/search")
        auditor = stage.people[AUDITOR.name]
        document = auditor.reads("/v1/openapi.json").body
        offered = [
            path.removeprefix("/v1/")
            for path, kinds in document["paths"].items()
            if "post" in kinds
        ]
        never = [each for each in offered if not _was_carried_out(stage, each)]
        step.saw(f"{len(offered)} operations", len(offered) > 15)
        step.saw(f"not carried out: {never or 'none'}", not never)


def _was_carried_out(stage: Stage, operation: str) -> bool:
    asked = {"operation": operation, "result": "ok", "limit": 1}
    return bool(stage.people[AUDITOR.name].gets("ledger/search", asked)["entries"])


def _metrics(stage: Stage) -> str:
    connection = http.client.HTTPConnection(ADDRESS, stage.grounds.management_port, timeout=10)
    connection.request("GET", "/v1/sys/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return text
