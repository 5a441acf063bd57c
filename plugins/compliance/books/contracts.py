"""委託: whom the contract is with, and each piece of work on the machine (R142 to R151).

::

    contractor   engaged ──return──► returned        change-workers, subcontract, inspect meanwhile
    work-permit  requested ──permit──► permitted ──report──► reported ──accept──► accepted
                     └──refuse──► refused      ▲ by the witness  └──return──► returned ──report──►

Whoever attends reports what was done; somebody else, no contractor, accepts it, having looked at
the record of operations.
"""

from collections.abc import Iterator

from appliance.plugin_api import NotFound
from plugins.compliance import people
from plugins.compliance.book import (
    ADMINISTRATOR,
    AUDITOR,
    OFFICER,
    STAFF,
    Book,
    Clock,
    Field,
    Kind,
    Sheet,
    Step,
    register_of,
)

KEEPERS = (ADMINISTRATOR, OFFICER)
WHY = Field(name="why", title="理由")
WORKERS = Field(name="workers", title="従事者(氏名と役割)", kind=Kind.LINES)


def contractor_is_engaged(sheet: Sheet) -> Iterator[str]:
    """A contractor who is named is in the register, and has not ended his work."""
    if (number := sheet.given.get("contractor")) is not None:
        try:
            engaged = register_of(sheet.case.papers, "contractor").get(number)["ended"] == ""
        except NotFound:
            engaged = False
        if not engaged:
            yield "C-44"


def witness_is_staff(sheet: Sheet) -> Iterator[str]:
    """Whoever attends is no contractor."""
    if people.persons(sheet.case)[sheet.given["witness"]].contractor:
        yield "C-41"


def taken_by_staff(sheet: Sheet) -> Iterator[str]:
    """No contractor accepts the work of one."""
    operator = sheet.case.actor.operator
    person = people.persons(sheet.case).get(operator.person_id) if operator else None
    if person is None or person.contractor:
        yield "C-45"


def ends_after_it_begins(sheet: Sheet) -> Iterator[str]:
    """The last day is not before the first."""
    if sheet.given["until_on"] < sheet.given["from_on"]:
        yield "C-42"


def history_was_checked(sheet: Sheet) -> Iterator[str]:
    """The record of operations was looked at (R144)."""
    if not sheet.given["history_checked"]:
        yield "C-43"


CONTRACTORS = Book(
    name="contractor",
    title="委託先管理簿",
    basis="R142 R149 R150 R151 R204",
    states={"engaged": "委託中", "returned": "終了(資料返還済み)"},
    ends=("returned",),
    steps=(
        Step(
            name="open",
            title="委託先の登録",
            roles=KEEPERS,
            to="engaged",
            fields=(
                Field(name="company", title="委託先の名称"),
                Field(name="work", title="委託する業務"),
                Field(name="from_on", title="委託の始期", kind=Kind.DATE),
                Field(name="until_on", title="委託の終期", kind=Kind.DATE),
                WORKERS,
                Field(name="organisation", title="体制"),
                Field(name="clauses", title="契約の条項", kind=Kind.CHECKS, checklist="contract"),
            ),
            rules=(ends_after_it_begins,),
        ),
        Step(
            name="change-workers",
            title="従事者の変更",
            roles=KEEPERS,
            since=("engaged",),
            again=True,
            fields=(WORKERS, Field(name="organisation", title="体制")),
        ),
        Step(
            name="subcontract",
            title="再委託の承諾",
            roles=KEEPERS,
            since=("engaged",),
            again=True,
            fields=(
                Field(name="subcontractor", title="再委託先の名称"),
                Field(name="subcontracted", title="再委託する業務"),
                Field(
                    name="consent",
                    title="承諾",
                    kind=Kind.CHOICE,
                    choices={"granted": "書面により承諾", "refused": "不承諾"},
                ),
                Field(name="decided_on", title="決定日", kind=Kind.DATE, past=True),
                Field(name="document", title="文書番号"),
            ),
        ),
        Step(
            name="inspect",
            title="実地調査",
            roles=(*KEEPERS, AUDITOR),
            since=("engaged",),
            again=True,
            fields=(
                Field(name="inspected_on", title="調査日", kind=Kind.DATE, past=True),
                Field(name="inspected", title="調査の結果"),
            ),
        ),
        Step(
            name="return",
            title="資料の返還",
            roles=KEEPERS,
            since=("engaged",),
            to="returned",
            fields=(
                Field(name="returned_on", title="返還日", kind=Kind.DATE, past=True),
                Field(name="material", title="返還された資料"),
                Field(
                    name="how",
                    title="方法",
                    kind=Kind.CHOICE,
                    choices={"returned": "返還", "handed-over": "引渡し", "none": "資料なし"},
                ),
                Field(name="document", title="文書番号"),
            ),
        ),
    ),
    clocks=(Clock(name="return", title="委託先からの資料の返還", since="until_on", days=7),),
)
PERMITS = Book(
    name="work-permit",
    title="作業許可簿",
    basis="R143 R144 R145 R147",
    states={
        "requested": "届出済み",
        "permitted": "許可済み",
        "refused": "不許可",
        "reported": "完了報告済み",
        "returned": "再報告",
        "accepted": "確認済み",
    },
    ends=("refused", "accepted"),
    steps=(
        Step(
            name="open",
            title="作業の届出",
            roles=KEEPERS,
            to="requested",
            fields=(
                Field(name="contractor", title="委託先の番号", kind=Kind.NUMBER, most=999_999),
                Field(name="responsible", title="作業責任者"),
                WORKERS,
                Field(name="announced_on", title="書面の受領日", kind=Kind.DATE, past=True),
                Field(name="from_on", title="作業の始まり", kind=Kind.DATE),
                Field(name="until_on", title="作業の終わり", kind=Kind.DATE),
                Field(name="place", title="作業の場所"),
                Field(name="work", title="作業の内容"),
                Field(name="witness", title="立会者", kind=Kind.PERSON),
            ),
            rules=(contractor_is_engaged, ends_after_it_begins, witness_is_staff),
        ),
        Step(
            name="permit",
            title="作業の許可",
            roles=(*KEEPERS, AUDITOR),
            since=("requested",),
            to="permitted",
            apart_from=("open",),
            rules=(taken_by_staff,),
        ),
        Step(
            name="refuse",
            title="作業の不許可",
            roles=(*KEEPERS, AUDITOR),
            since=("requested",),
            to="refused",
            fields=(WHY,),
        ),
        Step(
            name="report",
            title="完了の報告",
            roles=STAFF,
            since=("permitted", "returned"),
            to="reported",
            by_field="witness",
            fields=(
                Field(name="done_on", title="作業した日", kind=Kind.DATE, past=True),
                Field(name="outcome", title="作業の結果"),
                Field(name="document", title="完了報告書の番号"),
            ),
        ),
        Step(
            name="accept",
            title="完了の確認",
            roles=(*KEEPERS, AUDITOR),
            since=("reported",),
            to="accepted",
            apart_from=("report", "witness"),
            fields=(
                Field(name="history_checked", title="操作履歴の確認", kind=Kind.FLAG),
                Field(name="remark", title="備考", required=False),
            ),
            rules=(history_was_checked, taken_by_staff),
        ),
        Step(
            name="return",
            title="再報告の指示",
            roles=(*KEEPERS, AUDITOR),
            since=("reported",),
            to="returned",
            fields=(WHY,),
        ),
    ),
    clocks=(
        Clock(name="permit", title="作業の許可", since="from_on", days=1, states=("requested",)),
        Clock(
            name="report",
            title="作業完了の報告",
            since="until_on",
            days=4,
            states=("permitted", "returned"),
        ),
        Clock(name="accept", title="作業完了の確認", since="report", days=14, states=("reported",)),
    ),
)
BOOKS = (CONTRACTORS, PERMITS)
