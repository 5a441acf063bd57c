import io
import json
import logging
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.edge.problems import origin
from appliance.machine import logs

NAME = "肥後　太郎"
NUMBER = "900000000017"


class Lines:
    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def last(self) -> dict[str, Any]:
        return self.all()[-1]


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    kept = Lines()
    logs.set_up(kept.stream)
    yield kept
    logging.captureWarnings(False)
    root.handlers[:], root.level, logging.raiseExceptions = before


log = logging.getLogger("test")


def test_a_line_is_one_json_object_with_time_level_and_event(lines: Lines) -> None:
    log.info("both ports answer", extra={"port": 8443})
    line = lines.last()
    assert line["event"] == "both ports answer"
    assert (line["level"], line["from"], line["port"]) == ("info", "test", 8443)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["at"])


def test_of_arguments_only_numbers_and_places_are_written(lines: Lines) -> None:
    try:
        raise ValueError(NAME)
    except ValueError as problem:
        place = origin(problem)
    log.error("%d of %s at %s: %r", 3, NAME, place, NUMBER)
    assert lines.last()["event"] == f"3 of (withheld) at {place}: (withheld)"
    assert "test_logs.py" in place


def test_a_template_with_too_few_arguments_is_written_all_the_same(lines: Lines) -> None:
    log.info("%s and %s", NAME)
    assert lines.last()["event"] == "(withheld) and (withheld)"


def test_of_extra_only_listed_plain_fields_are_written(lines: Lines) -> None:
    log.info("done", extra={"operation": NAME, "resident": NAME, "code": "conflict"})
    line = lines.last()
    assert line["operation"] == "(withheld)"
    assert line["code"] == "conflict"
    assert "resident" not in line
    assert NAME not in lines.text


def test_an_exception_is_its_type_and_places_never_its_text(lines: Lines) -> None:
    def deep() -> None:
        raise KeyError(NAME, NUMBER)

    try:
        deep()
    except KeyError:
        log.exception("a request failed")
    line = lines.last()
    assert line["error"] == "KeyError"
    assert line["where"][-1].startswith("machine/test_logs.py:")
    assert line["where"][-1].endswith(" deep")
    assert NAME not in lines.text
    assert NUMBER not in lines.text


def test_what_is_logged_instead_of_a_template_is_only_named_by_its_type(lines: Lines) -> None:
    log.error(ValueError(NAME))
    assert lines.last()["event"] == "ValueError"


def test_a_mapping_of_arguments_is_withheld(lines: Lines) -> None:
    log.info("seen %(name)s", {"name": NAME})
    assert NAME not in lines.text


def test_warnings_of_libraries_come_as_lines_too(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logs.set_up(lines.stream)
        warnings.warn(NAME, stacklevel=1)
    assert lines.last()["from"] == "py.warnings"
    assert NAME not in lines.text


def test_a_broken_pipe_does_not_print_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    closed = io.StringIO()
    closed.close()
    try:
        logs.set_up(closed)
        log.error("no room for %s", NAME)
    finally:
        logging.captureWarnings(False)
        root.handlers[:], root.level, logging.raiseExceptions = before
    assert capsys.readouterr().err == ""


def test_every_log_call_of_ours_has_a_constant_template() -> None:
    """An f-string would be a template with values already in it."""
    bad = [
        f"{path}:{number}"
        for package in ("appliance", "plugins", "storage")
        for path in (Path(__file__).parents[3] / package).rglob("*.py")
        for number, text in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if re.search(
            r"\blog(?:ger)?\.(?:debug|info|warning|error|exception|critical)\((?:f\"|f')", text
        )
    ]
    assert bad == []
