"""自己点検: a yearly campaign, and one sheet for each office that has terminals (R174 to R177).

::

    asked ──answer──► answered ──confirm──► confirmed ──accept──► accepted
      利用担当者          │  セキュリティ責任者  │     システム管理者
                         └──send-back──► returned ◄──refuse──┘
"""

from plugins.compliance.book import (
    ADMINISTRATOR,
    CLERK,
    OFFICER,
    REGISTRAR,
    Book,
    Clock,
    Field,
    Kind,
    Spread,
    Step,
)

YEAR = Field(name="fiscal_year", title="年度", kind=Kind.NUMBER, most=9999)
DUE = Field(name="due_on", title="期限", kind=Kind.DATE)
REMARK = Field(name="remark", title="備考", required=False)
WHY = Field(name="why", title="理由")

CAMPAIGN = Book(
    name="self-check-campaign",
    title="自己点検の実施",
    basis="R174",
    states={"issued": "依頼済み"},
    ends=("issued",),
    steps=(
        Step(
            name="open",
            title="自己点検の依頼",
            roles=(ADMINISTRATOR,),
            to="issued",
            fields=(
                YEAR,
                DUE,
                Field(name="offices", title="対象の所属", kind=Kind.OFFICES, all_unless_given=True),
            ),
            opens=Spread(book="self-check", by="offices", carried=("fiscal_year", "due_on")),
        ),
    ),
)
SHEET = Book(
    name="self-check",
    title="自己点検簿",
    basis="R174 R175 R176 R177",
    states={
        "asked": "依頼済み",
        "answered": "記入済み",
        "returned": "差戻し",
        "confirmed": "責任者確認済み",
        "accepted": "受理済み",
    },
    ends=("accepted",),
    by_hand=False,
    steps=(
        Step(name="open", title="依頼", roles=(ADMINISTRATOR,), to="asked", fields=(YEAR, DUE)),
        Step(
            name="answer",
            title="記入",
            roles=(REGISTRAR, CLERK),
            since=("asked", "returned"),
            to="answered",
            own_office=True,
            fields=(
                Field(name="results", title="点検結果", kind=Kind.CHECKS, checklist="self-check"),
            ),
        ),
        Step(
            name="confirm",
            title="責任者の確認",
            roles=(OFFICER,),
            since=("answered",),
            to="confirmed",
            own_office=True,
            apart_from=("answer",),
            fields=(REMARK,),
        ),
        Step(
            name="send-back",
            title="責任者の差戻し",
            roles=(OFFICER,),
            since=("answered",),
            to="returned",
            own_office=True,
            fields=(WHY,),
        ),
        Step(
            name="accept",
            title="受理",
            roles=(ADMINISTRATOR,),
            since=("confirmed",),
            to="accepted",
            apart_from=("answer", "confirm"),
            fields=(REMARK,),
        ),
        Step(
            name="refuse",
            title="システム管理者の差戻し",
            roles=(ADMINISTRATOR,),
            since=("confirmed",),
            to="returned",
            fields=(WHY,),
        ),
    ),
    clocks=(Clock(name="hand-in", title="自己点検の提出", since="due_on", days=1),),
)
BOOKS = (CAMPAIGN, SHEET)
