from collections.abc import Iterable
from dataclasses import replace
from datetime import time, timedelta
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import pytest

from appliance import loading
from appliance.errors import StartupError
from appliance.jobs import Job, Nothing, Step
from appliance.loading import admit, catalogue, installed, timetable
from appliance.model import Change, Message, OperationName
from appliance.operation import Answer, AnyOperation, Arguments, Operation
from appliance.plugin_api import hookimpl


class Inner(Arguments, frozen=True, kw_only=True):
    code: str
    number: str


class Asked(Arguments, frozen=True, kw_only=True):
    by: Inner | None = None
    name: str = ""


def operation(name: str = "test/ask", **declared: Any) -> AnyOperation:
    return Operation(
        name=OperationName(name),
        summary="A test.",
        asks=Asked,
        answers=Answer,
        handler=lambda case, asked: Answer(),
        **({"records": ("by", "name")} | declared),
    )


class Offers:
    def __init__(self, *operations: AnyOperation) -> None:
        self._operations = operations

    @hookimpl
    def operations(self) -> Iterable[AnyOperation]:
        return self._operations


def problems(**plugins: object) -> tuple[str, ...]:
    with pytest.raises(StartupError) as refused:
        catalogue(admit(plugins))
    return refused.value.problems


def test_the_catalogue_says_who_offers_what() -> None:
    one, two = operation("one/ask"), operation("two/ask")
    offered = catalogue(admit({"first": Offers(one), "second": Offers(two)}))
    assert offered == {"one/ask": ("first", one), "two/ask": ("second", two)}


def test_nothing_is_offered_by_nobody() -> None:
    assert catalogue(admit({})) == {}


def test_two_plugins_cannot_offer_the_same() -> None:
    (told,) = problems(first=Offers(operation()), second=Offers(operation()))
    assert told.startswith("test/ask is offered by")
    assert "first" in told
    assert "second" in told


def test_one_plugin_cannot_offer_the_same_twice() -> None:
    (told,) = problems(first=Offers(operation(), operation()))
    assert told == "test/ask is offered by first and first"


@pytest.mark.parametrize("name", ["ask", "Test/ask", "test/ask/more", "test/", "/ask", "test/a b"])
def test_an_operation_is_named_function_and_operation(name: str) -> None:
    assert "function/operation" in problems(first=Offers(operation(name)))[0]


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"records": ()}, ["'by.code'", "'by.number'", "'name'"]),
        ({"records": ("by",)}, ["'name'"]),
        ({"records": ("by.code", "name")}, ["'by.number'"]),
        ({"records": ("by", "name"), "drops": ("by.number",)}, ["'by.number'"]),
        ({"records": ("by", "name", "other")}, ["'other'"]),
        ({"records": ("by", "name"), "drops": ("by.numbers",)}, ["'by.numbers'"]),
    ],
)
def test_every_argument_is_declared_for_the_ledger_once(
    declared: dict[str, Any], told: list[str]
) -> None:
    found = problems(first=Offers(operation(**declared)))
    assert [text.rsplit(" ", 1)[-1] if "say" in text else text.split()[5] for text in found] == told


def test_an_argument_may_be_kept_in_part() -> None:
    offered = operation(records=("by.code", "name"), drops=("by.number",))
    assert catalogue(admit({"first": Offers(offered)}))


def test_every_problem_is_told_at_once() -> None:
    assert len(problems(first=Offers(operation("bad"), operation(records=())))) == 4


def test_a_plugin_that_fails_to_say_what_it_offers_stops_the_start() -> None:
    class Fails:
        @hookimpl
        def operations(self) -> Iterable[AnyOperation]:
            raise RuntimeError("out of order")

    assert problems(first=Fails()) == (
        "plugin first: operations() failed: RuntimeError('out of order')",
    )


def test_an_unmarked_function_is_not_asked() -> None:
    class Forgets:
        def operations(self) -> Iterable[AnyOperation]:
            return [operation()]

    (told,) = problems(first=Forgets())
    assert "are its hooks marked?" in told


def test_a_question_nobody_asks_stops_the_start() -> None:
    class Mistypes:
        @hookimpl
        def vetto(self) -> None:
            return None

    (told,) = problems(first=Mistypes())
    assert "vetto" in told


def test_an_argument_that_is_not_given_stops_the_start() -> None:
    class AsksForMore:
        @hookimpl
        def veto(self, actor: object, request: object, password: str) -> None:
            return None

    (told,) = problems(first=AsksForMore())
    assert "password" in told


@pytest.mark.parametrize("power", [{"wrapper": True}, {"hookwrapper": True}, {"tryfirst": True}])
def test_nobody_stands_before_or_around_another(power: dict[str, bool]) -> None:
    class Wraps:
        @hookimpl(**power)
        def veto(self, actor: object, request: object) -> Any:
            answer = yield
            return answer

    class First:
        @hookimpl(tryfirst=True)
        def veto(self, actor: object, request: object) -> None:
            return None

    plugin = First() if "tryfirst" in power else Wraps()
    assert problems(first=plugin) == ("plugin first wraps veto; that is not allowed",)


@pytest.mark.parametrize("name", ["core", "Core", "a.b", "", "a/b", "1st", "x" * 33])
def test_a_plugins_name_reaches_no_papers_but_its_own(name: str) -> None:
    with pytest.raises(StartupError, match="not one a plugin can have"):
        admit({name: Offers()})


def test_one_plugin_has_one_name() -> None:
    plugin = Offers()
    with pytest.raises(StartupError, match="second"):
        admit({"first": plugin, "second": plugin})


def test_messages_of_all_plugins_are_sent() -> None:
    class Tells:
        def __init__(self, destination: str) -> None:
            self._destination = destination

        @hookimpl
        def messages(self, change: Change) -> Iterable[Message]:
            return [Message(self._destination, "update")]

    hook = admit({"first": Tells("here"), "second": Tells("there")}).hook
    told = hook.messages(change=None)
    assert {message.destination for each in told for message in each} == {"here", "there"}


def test_plugins_come_from_installed_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints([EntryPoint("search", "plugins.search", loading.GROUP)])
    monkeypatch.setattr(loading, "entry_points", lambda group: points.select(group=group))
    from plugins import search

    assert installed(["search"]) == {"search": search}
    with pytest.raises(StartupError) as refused:
        installed(["search", "magic", "update"])
    assert refused.value.problems == (
        "plugin magic is not installed (there: search)",
        "plugin update is not installed (there: search)",
    )


def test_where_nothing_is_installed_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "entry_points", lambda group: EntryPoints())
    with pytest.raises(StartupError, match="there: none"):
        installed(["search"])


def test_an_operation_uses_only_what_its_plugin_was_given() -> None:
    offers = Offers(operation(uses=frozenset({"roster", "ledger"})))
    assert catalogue(admit({"first": offers}))
    assert catalogue(admit({"first": offers}), {"first": ("ledger", "roster")})
    for powers, missing in (({}, {"ledger", "roster"}), ({"first": ("roster",)}, {"ledger"})):
        with pytest.raises(StartupError) as refused:
            catalogue(admit({"first": offers}), powers)
        assert {told.split()[2].strip(",") for told in refused.value.problems} == missing


def test_what_nobody_has_cannot_be_used() -> None:
    (told,) = problems(first=Offers(operation(uses=frozenset({"vault"}))))
    assert "uses vault" in told


# --- jobs ---

PLAIN = replace(operation("test/step"), asks=Nothing, answers=Step, records=())
STEP = replace(PLAIN, changes=True, purposed=False)
DAY = timedelta(days=1)


def job(name: str = "test/job", step: str = "test/step", **when: Any) -> Job:
    return Job(
        name=name, summary="A test.", operation=OperationName(step), **(when or {"every": DAY})
    )


class Works(Offers):
    def __init__(self, *jobs: Job, step: AnyOperation = STEP) -> None:
        super().__init__(step)
        self._jobs = jobs

    @hookimpl
    def jobs(self) -> Iterable[Job]:
        return self._jobs


def times(**plugins: object) -> list[tuple[str, str]]:
    manager = admit(plugins)
    return [(each.owner, each.job.name) for each in timetable(manager, catalogue(manager))]


def test_jobs_are_listed_by_name_with_whose_they_are() -> None:
    assert times(first=Works(job("test/b"), job("test/a"))) == [
        ("first", "test/a"),
        ("first", "test/b"),
    ]


@pytest.mark.parametrize(
    ("works", "told"),
    [
        (Works(job("job")), "not of the form function/what"),
        (Works(job(), job()), "is offered by first already"),
        (Works(job(step="test/none")), "the plugin offers no test/none"),
        (Works(job(), step=operation("test/step")), "must ask Nothing and answer a Step"),
        (
            Works(job(), step=PLAIN),
            "must change data and need no 事務",
        ),
        (Works(job(every=-DAY)), "every must be positive"),
        (Works(job(every=DAY, at=time(1))), "stand without at"),
        (Works(job(every=timedelta(minutes=5))), "must say by due whether"),
    ],
)
def test_a_job_that_cannot_be_one_stops_the_start(works: Works, told: str) -> None:
    with pytest.raises(StartupError) as refused:
        times(first=works)
    assert any(told in problem for problem in refused.value.problems)


def test_a_job_may_only_step_through_its_own_plugin() -> None:
    with pytest.raises(StartupError) as refused:
        times(
            first=Works(), second=Works(job(), step=replace(STEP, name=OperationName("other/step")))
        )
    assert "the plugin offers no test/step" in refused.value.problems[0]


def test_a_job_may_be_often_if_it_says_when_there_is_something_to_do() -> None:
    often = job(every=timedelta(seconds=1), due=lambda watch: False)
    assert times(first=Works(often)) == [("first", "test/job")]


def test_jobs_that_cannot_be_told_stop_the_start() -> None:
    class Broken(Works):
        @hookimpl
        def jobs(self) -> Iterable[Job]:
            raise ZeroDivisionError

    with pytest.raises(StartupError, match=r"jobs\(\) failed"):
        times(first=Broken())
