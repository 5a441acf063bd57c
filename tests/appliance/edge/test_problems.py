"""Problem documents: what they hold, and what they never hold."""

import json

from appliance.edge.problems import document, malformed, origin
from appliance.errors import Problem


def test_a_problem_has_the_form_of_rfc_9457_and_ours() -> None:
    body = document(status=422, code="rejected", detail="no", request_id="r-1")
    assert json.loads(body) == {
        "type": "urn:juki:problem:rejected",
        "title": "Against a rule",
        "status": 422,
        "code": "rejected",
        "detail": "no",
        "detail_ja": "規則に合わないため、実行しませんでした。個々の理由を確認してください。",
        "request_id": "r-1",
        "problems": [],
    }


def test_rules_and_count_are_told() -> None:
    rules = [Problem("L-01", "reason", "転入 of a present resident")]
    body = document(status=422, code="x", detail="", request_id="", problems=rules, count=51)
    plain = json.loads(body)
    assert plain["title"] == "Refused"
    assert plain["count"] == 51
    assert plain["problems"][0]["rule"] == "L-01"


def test_where_a_fault_came_from_is_told_without_its_text() -> None:
    def deep() -> None:
        raise ValueError("山田太郎")

    try:
        deep()
    except ValueError as bug:
        where = origin(bug)
    assert where.startswith("ValueError at ")
    assert "test_problems.py:" in where
    assert "山田" not in where
    assert origin(KeyError("never raised")) == "KeyError"


def test_a_refusal_can_be_read_in_a_log() -> None:
    assert str(malformed("Host is missing")) == "400 malformed: Host is missing"
