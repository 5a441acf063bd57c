"""The main job, as the people do it: find, open, inquire, verify; and where the answer is no."""

from typing import Any

from scripts.demo.cast import Cast
from scripts.demo.people import CLERK, REGISTRAR, TAX
from scripts.demo.servers import DELIVERY_SECONDS, wait_for_outbox
from scripts.demo.stage import OK, Seat, Stage
from scripts.demo.steps import Step

UNIDENTIFIED, FORBIDDEN, NOT_FOUND, UNPROCESSABLE = 401, 403, 404, 422
NEVER_LISTED = ("resident_code", "my_number")


def work(stage: Stage, cast: Cast) -> None:
    """Do the main job."""
    _find(stage, cast)
    _open(stage, cast)
    _inquire(stage, cast)
    _verify(stage, cast)
    _refused(stage, cast)


def find(seat: Seat, **conditions: Any) -> list[dict[str, Any]]:
    """Return who is found.

    Raises:
        Failed: it was refused.
    """
    return list(seat.gets("search/find", conditions)["residents"])


def _find(stage: Stage, cast: Cast) -> None:
    clerk, sawako = stage.people[CLERK.name], cast.sawako
    born = {"birth_date": sawako.birth_date}
    for how, conditions, why in (
        ("her name as it is written", {"name": sawako.name, **born}, "exact"),
        ("the common form of the characters", {"name": "高崎沢子", **born}, "variant"),
        ("a reading", {"kana": "タカサキ サワコ", **born}, "kana"),
        (
            "the beginning of a reading",
            {"kana": "たかさ", "kana_match": "prefix", **born},
            "prefix",
        ),
        ("birth date, sex and municipality", _place_of(cast), "conditions"),
    ):
        with stage.steps.step(f"the clerk finds a resident by {how}") as step:
            step.asks(f"search/find {_shown(conditions)}")
            _finds_sawako(step, clerk, cast, conditions, why)


def _finds_sawako(
    step: Step, clerk: Seat, cast: Cast, conditions: dict[str, Any], why: str
) -> None:
    found = find(clerk, **conditions)
    mine = [each for each in found if each.get("name") == cast.sawako.name]
    step.must(f"{len(found)} found, {cast.sawako.name} among them", len(mine) == 1)
    step.saw(f"because: {mine[0]['why']}", mine[0]["why"] == why)
    step.saw("no number is in the list", not any(name in mine[0] for name in NEVER_LISTED))


def _place_of(cast: Cast) -> dict[str, str]:
    sawako = cast.sawako
    return {
        "birth_date": sawako.birth_date,
        "sex": sawako.sex,
        "municipality_code": sawako.municipality_code,
    }


def _open(stage: Stage, cast: Cast) -> None:
    clerk, registrar = stage.people[CLERK.name], stage.people[REGISTRAR.name]
    items = ["name", "kana", "address", "my_number", "reason", "update_number"]
    who = {"name": cast.sawako.name, "birth_date": cast.sawako.birth_date}
    with stage.steps.step("the clerk opens her record") as step:
        step.asks(f"search/detail {' '.join(items)}")
        opened = clerk.gets(
            "search/detail", {"ref": _ref(clerk, who), "items": items}, case="R8-17"
        )
        wanted = {name: getattr(cast.sawako, name) for name in items}
        step.saw(_shown(opened["resident"]), opened["resident"] == wanted)
    with stage.steps.step("the history is not for the clerk") as step:
        step.asks("search/detail with history")
        body = {"ref": _ref(clerk, who), "items": ["name"], "history": True}
        _is_no(step, clerk, "search/detail", body, FORBIDDEN)
    with stage.steps.step("the registrar opens her history") as step:
        step.asks("search/detail name, address, with history")
        body = {"ref": _ref(registrar, who), "items": ["name", "address"], "history": True}
        versions = registrar.gets("search/detail", body)["versions"]
        told = [(notice.name, notice.address) for notice in reversed(cast.sawako_told)]
        seen = [(v["resident"]["name"], v["resident"]["address"]) for v in versions]
        names = ", ".join(name for name, _ in seen)
        step.saw(f"{len(seen)} versions, newest first: {names}", seen == told)
    with stage.steps.step("a reference is good in its own session only") as step:
        step.asks("search/detail with the registrar's ref")
        body = {"ref": _ref(registrar, who), "items": ["name"]}
        _is_no(step, clerk, "search/detail", body, NOT_FOUND)


def _ref(seat: Seat, who: dict[str, str]) -> str:
    return str(find(seat, **who)[0]["ref"])


def _inquire(stage: Stage, cast: Cast) -> None:
    tax = stage.people[TAX.name]
    items = ["name", "address", "effective_date"]
    minoru, kenichi = cast.minoru[0], cast.kenichi
    # Only then the national server knows of whoever moved out.
    wait_for_outbox(stage, seconds=DELIVERY_SECONDS)
    for name, by, result in (
        ("is answered about one person", {"my_number": cast.sawako.my_number}, "one"),
        ("about nobody", {"name": "存在　せぬ男", "birth_date": "1970-01-01"}, "none"),
        ("about several", {"name": minoru.name, "sex": minoru.sex}, "several"),
        (
            "about who moved out, passed on to the national server",
            {"my_number": kenichi.my_number},
            "one",
        ),
    ):
        with stage.steps.step(f"another office's inquiry {name}") as step:
            step.asks(f"provision/inquire by {_shown(by)}: {' '.join(items)}")
            answer = tax.gets("provision/inquire", {"by": by, "items": items}, case="R8-2048")
            step.saw(answer["result"], answer["result"] == result)
            resident = answer["resident"]
            whom = kenichi if by.get("my_number") == kenichi.my_number else cast.sawako
            wanted = {name: getattr(whom, name) for name in items}
            if result == "one":
                step.saw(_shown(resident or {}), resident == wanted)
            else:
                step.saw("no item", resident is None)
            step.saw(f"provision {answer['provision_id']}", bool(answer["provision_id"]))


def _verify(stage: Stage, cast: Cast) -> None:
    tax, sawako = stage.people[TAX.name], cast.sawako
    with stage.steps.step("another office verifies, and sees no value") as step:
        claims = {"address": sawako.address, "sex": "1"}
        step.asks(f"provision/verify {_shown(claims)}")
        body = {"by": {"my_number": sawako.my_number}, "claims": claims}
        answer = tax.gets("provision/verify", body)
        step.saw(
            _shown(answer["claims"]), answer["claims"] == {"address": "match", "sex": "mismatch"}
        )
        step.saw("no value", sawako.name not in str(answer) and sawako.address not in str(answer))


def _refused(stage: Stage, cast: Cast) -> None:
    clerk, tax, sawako = stage.people[CLERK.name], stage.people[TAX.name], cast.sawako
    home = cast.home[0].address
    by = {"my_number": sawako.my_number}
    with stage.steps.step("asking for more than the 事務 allows is refused") as step:
        step.asks("provision/inquire resident_code")
        body = {"by": by, "items": ["name", "resident_code"]}
        _is_no(step, tax, "provision/inquire", body, FORBIDDEN)
    with stage.steps.step("a key the 事務 does not allow is refused") as step:
        step.asks("provision/inquire by resident_code")
        body = {"by": {"resident_code": sawako.resident_code}, "items": ["name"]}
        _is_no(step, tax, "provision/inquire", body, FORBIDDEN)
    with stage.steps.step("another office's 事務 is refused") as step:
        step.asks("provision/inquire under passport")
        body = {"by": by, "items": ["name"]}
        _is_no(step, tax, "provision/inquire", body, FORBIDDEN, purpose="passport")
    with stage.steps.step("too wide a search is refused") as step:
        step.asks("search/find name 田, prefix")
        body = {"name": "田", "name_match": "prefix"}
        problem = _is_no(step, clerk, "search/find", body, UNPROCESSABLE)
        step.saw("says what to add", problem["code"] == "add-conditions")
    with stage.steps.step("of too many only the count is told") as step:
        step.asks(f"search/find address {home}")
        problem = _is_no(step, clerk, "search/find", {"address": home}, UNPROCESSABLE)
        step.saw(f"count {problem.get('count')}", problem.get("count") == len(cast.home))
        step.saw("nobody is listed", "data" not in problem and "residents" not in problem)
    with stage.steps.step("a session of another terminal is refused") as step:
        step.asks("search/find at TERM-0003 with the clerk's session")
        thief = stage.seat("thief", "TERM-0003", CLERK.purpose, CLERK.reason)
        thief.resumes(clerk.token)
        _is_no(step, thief, "search/find", {"name": sawako.name}, UNIDENTIFIED)


def _is_no(
    step: Step, seat: Seat, operation: str, body: dict[str, Any], status: int, **more: Any
) -> dict[str, Any]:
    """See a refusal; return its problem document."""
    answer = seat.asks(operation, body, **more)
    problem = dict(answer.body) if isinstance(answer.body, dict) else {}
    if answer.status == OK:
        step.saw("it was answered", right=False)
        return problem
    said = f"{answer.status} {problem.get('code')}: {problem.get('detail')}"
    step.saw(said, answer.status == status)
    return problem


def _shown(conditions: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in conditions.items())
