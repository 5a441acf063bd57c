"""研修: who was trained when, who was absent; and the yearly word of each operator.

R152 (contractor staff), R183 and R205 (operators, four topics), R184 and R185 (the ban on use
outside work is made known, and each acknowledges it himself).
"""

from collections.abc import Iterator
from datetime import date
from itertools import chain

from appliance.plugin_api import Case
from plugins.compliance import people
from plugins.compliance.book import (
    ADMINISTRATOR,
    AUDITOR,
    OFFICER,
    OVERSEERS,
    STAFF,
    Book,
    Clock,
    Field,
    Given,
    Kind,
    Sheet,
    Step,
)
from plugins.compliance.books.contracts import contractor_is_engaged
from plugins.compliance.clocks import fiscal_year

TRAINERS = (ADMINISTRATOR, AUDITOR, OFFICER)
ACKNOWLEDGED = (
    "事務外の利用、目的外の検索並びに本人確認情報の漏えい及び提供が禁止され、"
    "違反には罰則があることを理解しました。"
)


def somebody_was_there(sheet: Sheet) -> Iterator[str]:
    """A training has been attended; that of a contractor says of which."""
    if not sheet.given.get("attended") and not sheet.given.get("workers"):
        yield "C-54"
    if sheet.given["audience"] == "contractor" and not sheet.given.get("contractor"):
        yield "C-56"


def of_own_office(sheet: Sheet) -> Iterator[str]:
    """Whoever oversees no other office records those of his own."""
    case, given = sheet.case, sheet.given
    if case.actor.operator is None or case.actor.roles & OVERSEERS:
        return
    everybody, mine = people.persons(case), case.actor.operator.office
    named = chain(*(given.get(name) or () for name in ("attended", "absent", "made_up")))
    if any(everybody[person].office != mine for person in named):
        yield "C-57"


def was_absent(sheet: Sheet) -> Iterator[str]:
    """Whoever makes up for it was absent."""
    if not set(sheet.given["made_up"]) <= set(sheet.fields.get("absent", ())):
        yield "C-51"


def nobody_is_left(sheet: Sheet) -> Iterator[str]:
    """Everybody who was absent has made up for it."""
    made_up = chain.from_iterable(taken["given"].get("made_up", ()) for taken in sheet.steps)
    if set(sheet.fields.get("absent", ())) - set(made_up):
        yield "C-52"


def not_yet_this_year(sheet: Sheet) -> Iterator[str]:
    """Each acknowledges once in a fiscal year, having read."""
    operator, today = sheet.case.actor.operator, sheet.case.request.today
    if not sheet.given["understood"]:
        yield "C-55"
    elif operator is not None:
        last = people.noted_on(sheet.case, people.ACKNOWLEDGED, operator.person_id)
        if last is not None and fiscal_year(last) == fiscal_year(today):
            yield "C-53"


def note_training(case: Case, fields: Given) -> None:
    """Note of everybody, or of the contractor, that he was trained."""
    on = date.fromisoformat(fields["held_on"])
    for person in fields.get("attended", ()):
        people.mark_trained(case, person, on)
    if "contractor" in fields:
        people.note(case, people.CONTRACTOR_TRAINED, str(fields["contractor"]), on)


def note_made_up(case: Case, fields: Given) -> None:
    """Note of whoever made up for it that he was trained."""
    for person in fields["made_up"]:
        people.mark_trained(case, person, date.fromisoformat(fields["made_up_on"]))


def note_acknowledged(case: Case, fields: Given) -> None:
    """Note who acknowledged."""
    if case.actor.operator is not None:
        person, today = case.actor.operator.person_id, case.request.today
        people.note(case, people.ACKNOWLEDGED, person, today)


TRAINING = Book(
    name="training",
    title="研修簿",
    basis="R152 R183 R185 R205",
    states={"held": "実施済み", "closed": "確定"},
    ends=("closed",),
    steps=(
        Step(
            name="open",
            title="研修の登録",
            roles=TRAINERS,
            to="held",
            fields=(
                Field(name="title", title="研修の名称"),
                Field(
                    name="audience",
                    title="対象",
                    kind=Kind.CHOICE,
                    choices={
                        "operators": "操作者",
                        "security": "セキュリティ責任者等",
                        "contractor": "委託先",
                    },
                ),
                Field(name="held_on", title="実施日", kind=Kind.DATE, past=True),
                Field(
                    name="topics",
                    title="内容",
                    kind=Kind.CHOICES,
                    choices={
                        "overview": "住基ネットの概要",
                        "operation": "操作方法",
                        "security": "セキュリティ対策",
                        "emergency": "緊急時の対応",
                    },
                ),
                Field(name="attended", title="受講した者", kind=Kind.PERSONS, required=False),
                Field(name="absent", title="欠席した者", kind=Kind.PERSONS, required=False),
                Field(
                    name="contractor",
                    title="委託先の番号",
                    kind=Kind.NUMBER,
                    required=False,
                    most=999_999,
                ),
                Field(
                    name="workers",
                    title="受講した委託先の従事者",
                    kind=Kind.LINES,
                    required=False,
                ),
            ),
            rules=(somebody_was_there, of_own_office, contractor_is_engaged),
            effect=note_training,
        ),
        Step(
            name="make-up",
            title="欠席した者の再受講",
            roles=TRAINERS,
            since=("held",),
            again=True,
            fields=(
                Field(name="made_up", title="再受講した者", kind=Kind.PERSONS),
                Field(name="made_up_on", title="再受講の日", kind=Kind.DATE, past=True),
            ),
            rules=(was_absent, of_own_office),
            effect=note_made_up,
        ),
        Step(
            name="close",
            title="研修記録の確定",
            roles=TRAINERS,
            since=("held",),
            to="closed",
            rules=(nobody_is_left,),
        ),
    ),
    clocks=(
        Clock(name="make-up", title="欠席者の再受講と研修記録の確定", since="held_on", days=90),
    ),
)
ACKNOWLEDGEMENT = Book(
    name="acknowledgement",
    title="事務外利用等の禁止の確認",
    basis="R184",
    states={"acknowledged": "確認済み"},
    ends=("acknowledged",),
    steps=(
        Step(
            name="open",
            title="確認",
            roles=STAFF,
            to="acknowledged",
            fields=(Field(name="understood", title=ACKNOWLEDGED, kind=Kind.FLAG),),
            rules=(not_yet_this_year,),
            effect=note_acknowledged,
        ),
    ),
)
BOOKS = (TRAINING, ACKNOWLEDGEMENT)
