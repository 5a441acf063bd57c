"""Sealing, stopping, checking and starting again: everything must still be there."""

import signal
import subprocess
from pathlib import Path

from scripts.demo import leftovers
from scripts.demo.cast import Cast
from scripts.demo.children import Failed
from scripts.demo.leftovers import Search
from scripts.demo.office import find
from scripts.demo.people import ADMINISTRATOR, CLERK, LEAVER, as_person, log_in_again
from scripts.demo.stage import OK, Stage

MOST_MEMORY = 400
"""MiB the appliance may hold at any time."""
UNIDENTIFIED, UNAVAILABLE = 401, 503


def let_go(stage: Stage) -> None:
    """Suspend an operator and revoke a terminal; both are out at once."""
    juki, leaver = stage.juki, stage.people[LEAVER.name]
    options = as_person(stage, ADMINISTRATOR)
    with stage.steps.step("a suspended operator is out at once") as step:
        step.asks(f"juki operator suspend {LEAVER.operator}")
        before = leaver.asks("search/find", {"name": "存在　せぬ男"}).status
        juki.needs("operator", "suspend", LEAVER.operator, "--reason", "退職", *options)
        after = leaver.asks("search/find", {"name": "存在　せぬ男"}).status
        step.saw(f"{before} before, {after} after", (before, after) == (OK, UNIDENTIFIED))
    with stage.steps.step("a forgotten PIN is set anew with another code") as step:
        step.asks(f"juki operator enrol {CLERK.operator}")
        answer = juki.needs("operator", "enrol", CLERK.operator, *options)
        step.saw(f"good until {answer['until']}", bool(answer["enrolment_code"]))
    with stage.steps.step("a revoked terminal is refused at once") as step:
        step.asks(f"juki terminal revoke {LEAVER.terminal}")
        juki.needs("terminal", "revoke", LEAVER.terminal, "--reason", "端末更新", *options)
        answer_status = leaver.asks(
            "session/open", {"operator": "OP-0006", "pin": "00000000"}
        ).status
        step.saw(str(answer_status), answer_status == UNIDENTIFIED)
