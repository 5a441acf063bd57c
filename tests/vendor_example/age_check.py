"""成年の確認: whether somebody is of age on a day, without telling the date of birth."""

from datetime import date

from appliance import plugin_api as api
from appliance.plugin_api import ItemName, hookimpl

BIRTH_DATE, MY_NUMBER = ItemName("birth_date"), ItemName("my_number")


class OfAge(api.Arguments, frozen=True, kw_only=True):
    """Whom (from a search), and on which day."""

    ref: api.ShortText
    on: date


class Majority(api.Answer, frozen=True, kw_only=True):
    """Of age or not; null if the date of birth is not known well enough."""

    of_age: bool | None


def of_age(case: api.Case, asked: OfAge) -> Majority:
    """Open the date of birth, and tell only this much of it."""
    person = case.refs.resolve(asked.ref, case.actor.session, case.request.now)
    birth_date = case.registry.read(person, [BIRTH_DATE]).values[BIRTH_DATE]
    born, on = api.PartialDate.parse(str(birth_date)), api.PartialDate.of(asked.on)
    last_born = api.PartialDate(on.year - 18, on.month, on.day)
    if born.certainly_after(last_born):
        return Majority(of_age=False)
    return Majority(of_age=True if born.upper() <= last_born.upper() else None)


OF_AGE = api.Operation(
    name=api.OperationName("age/of-majority"),
    summary="Say whether a resident from a search is of age on a day.",
    asks=OfAge,
    answers=Majority,
    handler=of_age,
    records=("on",),
    drops=("ref",),
)


@hookimpl
def operations() -> list[api.AnyOperation]:
    return [OF_AGE]


@hookimpl
def veto(actor: api.Actor, request: api.Request) -> api.Deny | None:
    at_work = 8 <= request.now.astimezone(api.JST).hour < 18
    return api.Deny("outside office hours") if actor.operator and not at_work else None


@hookimpl
def withhold(actor: api.Actor, request: api.Request) -> frozenset[ItemName]:
    return frozenset({MY_NUMBER} if actor.terminal.kind is api.TerminalKind.BUSINESS else ())
