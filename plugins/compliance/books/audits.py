"""内部監査: the plan of a year, the audit of an office by two, and what became of each finding.

R178 (every office within three years), R179 (two auditors), R180 and R199 (what is looked at), R181
(what is improved)::

    audit    planned ──assign──► assigned ──carry-out──► carried-out ──close──► closed
    finding                       found ──plan──► planned ──done──► done ──confirm──► closed
                                                     ▲                └─return─► returned ─done─►
"""

from collections.abc import Iterator

from plugins.compliance import people
from plugins.compliance.book import AUDITOR, OFFICER, Book, Clock, Field, Kind, Sheet, Spread, Step

YEAR = Field(name="fiscal_year", title="年度", kind=Kind.NUMBER, most=9999)
WHY = Field(name="why", title="理由")
REMARK = Field(name="remark", title="備考", required=False)


def auditors_are_strangers(sheet: Sheet) -> Iterator[str]:
    """Nobody audits his own office."""
    everybody = people.persons(sheet.case)
    if any(everybody[person].office == sheet.office for person in sheet.given["auditors"]):
        yield "C-21"


def entered_by_an_auditor(sheet: Sheet) -> Iterator[str]:
    """What was found is entered by one of the two who looked."""
    operator = sheet.case.actor.operator
    if operator is None or operator.person_id not in sheet.fields["auditors"]:
        yield "C-22"


PLAN = Book(
    name="audit-plan",
    title="内部監査計画",
    basis="R178",
    states={"issued": "決定済み"},
    ends=("issued",),
    steps=(
        Step(
            name="open",
            title="計画の決定",
            roles=(AUDITOR,),
            to="issued",
            fields=(
                YEAR,
                Field(name="offices", title="監査を受ける所属", kind=Kind.OFFICES),
                REMARK,
            ),
            opens=Spread(book="audit", by="offices", carried=("fiscal_year",)),
        ),
    ),
)
AUDIT = Book(
    name="audit",
    title="内部監査",
    basis="R178 R179 R180 R199",
    states={
        "planned": "計画済み",
        "assigned": "担当者決定済み",
        "carried-out": "実施済み",
        "closed": "終了",
        "called-off": "中止",
    },
    ends=("closed", "called-off"),
    by_hand=False,
    steps=(
        Step(name="open", title="計画", roles=(AUDITOR,), to="planned", fields=(YEAR,)),
        Step(
            name="assign",
            title="監査担当者の指定",
            roles=(AUDITOR,),
            since=("planned", "assigned"),
            to="assigned",
            fields=(
                Field(name="auditors", title="監査担当者", kind=Kind.PERSONS, least=2, most=2),
                Field(name="planned_on", title="実施予定日", kind=Kind.DATE),
            ),
            rules=(auditors_are_strangers,),
        ),
        Step(
            name="carry-out",
            title="監査結果の登録",
            roles=(AUDITOR,),
            since=("assigned",),
            to="carried-out",
            fields=(
                Field(name="held_on", title="実施日", kind=Kind.DATE, past=True),
                Field(name="results", title="監査結果", kind=Kind.CHECKS, checklist="audit"),
            ),
            rules=(entered_by_an_auditor,),
            opens=Spread(book="finding", by="results", carried=("fiscal_year",)),
        ),
        Step(
            name="close",
            title="監査の終了",
            roles=(AUDITOR,),
            since=("carried-out",),
            to="closed",
            fields=(Field(name="improvement", title="体制又は規程の改善"),),
        ),
        Step(
            name="call-off",
            title="監査の中止",
            roles=(AUDITOR,),
            since=("planned", "assigned"),
            to="called-off",
            fields=(WHY,),
        ),
    ),
    clocks=(
        Clock(name="assign", title="監査担当者の指定", since="open", days=90, states=("planned",)),
        Clock(name="audit", title="監査の実施", since="planned_on", days=1, states=("assigned",)),
        Clock(name="close", title="監査の終了", since="held_on", days=90, states=("carried-out",)),
    ),
)
FINDING = Book(
    name="finding",
    title="監査指摘事項",
    basis="R181",
    states={
        "found": "指摘",
        "planned": "改善計画提出済み",
        "done": "改善報告済み",
        "returned": "再改善",
        "closed": "改善確認済み",
    },
    ends=("closed",),
    by_hand=False,
    steps=(
        Step(
            name="open",
            title="指摘",
            roles=(AUDITOR,),
            to="found",
            fields=(
                YEAR,
                Field(name="item", title="監査項目の番号"),
                Field(name="finding", title="指摘の内容"),
            ),
        ),
        Step(
            name="plan",
            title="改善計画の提出",
            roles=(OFFICER,),
            since=("found",),
            to="planned",
            own_office=True,
            fields=(
                Field(name="action", title="改善の内容"),
                Field(name="due_on", title="改善の期限", kind=Kind.DATE),
            ),
        ),
        Step(
            name="done",
            title="改善の報告",
            roles=(OFFICER,),
            since=("planned", "returned"),
            to="done",
            own_office=True,
            fields=(
                Field(name="done_on", title="改善した日", kind=Kind.DATE, past=True),
                Field(name="outcome", title="改善の結果"),
            ),
        ),
        Step(
            name="confirm",
            title="改善の確認",
            roles=(AUDITOR,),
            since=("done",),
            to="closed",
            apart_from=("plan", "done"),
            fields=(REMARK,),
        ),
        Step(
            name="return",
            title="再改善の指示",
            roles=(AUDITOR,),
            since=("done",),
            to="returned",
            fields=(WHY,),
        ),
    ),
    clocks=(
        Clock(name="plan", title="改善計画の提出", since="open", days=30, states=("found",)),
        Clock(
            name="action",
            title="指摘事項の改善",
            since="due_on",
            days=1,
            states=("planned", "returned"),
        ),
        Clock(name="confirm", title="改善の確認", since="done", days=30, states=("done",)),
    ),
)
BOOKS = (PLAN, AUDIT, FINDING)
