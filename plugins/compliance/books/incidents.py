"""事故: discovered, stopped, reported in time, told to whom it concerns, learned from (R168).

番号法第29条の4: 速報 promptly, here within five days; 確報 within 30 days, within 60 if an unlawful
purpose is likely. Until an incident is classified it is taken for one that must be reported.
"""

from collections.abc import Iterator

from plugins.compliance.book import (
    ADMINISTRATOR,
    AUDITOR,
    STAFF,
    Book,
    Clock,
    Field,
    Kind,
    Sheet,
    Step,
)

MANY = 100
"""Persons beyond whom an incident is reported whatever its cause."""
OVERSIGHT = (AUDITOR, ADMINISTRATOR)
OPEN = ("discovered", "classified")


def serious_ones_are_reported(sheet: Sheet) -> Iterator[str]:
    """What is likely malicious, or about more than a hundred persons, is reported.

    Written or counted in the ledger, whichever is more; it may be counted anew, and narrower.
    """
    affected = max(sheet.given["affected"], sheet.fields.get("counted", 0))
    serious = sheet.given["cause"] == "malicious" or affected > MANY
    if serious and sheet.given["reporting"] != "required":
        yield "C-31"


def persons_were_told(sheet: Sheet) -> Iterator[str]:
    """What is reported is also told to the persons."""
    told = any(taken["step"] == "notify" for taken in sheet.steps)
    if sheet.fields["reporting"] == "required" and not told:
        yield "C-32"


COUNT = Step(
    name="count", title="操作履歴による対象者数の確認", roles=OVERSIGHT, since=OPEN, again=True
)
"""Taken by ``compliance/count-affected`` alone: the number comes from the ledger."""
INCIDENTS = Book(
    name="incident",
    title="事故簿",
    basis="R168",
    states={"discovered": "発覚", "classified": "区分済み", "closed": "終了"},
    ends=("closed",),
    steps=(
        Step(
            name="open",
            title="事故の登録",
            roles=STAFF,
            to="discovered",
            fields=(
                Field(name="discovered_on", title="知った日", kind=Kind.DATE, past=True),
                Field(name="what", title="概要"),
                Field(name="place", title="場所"),
            ),
        ),
        Step(
            name="classify",
            title="区分",
            roles=OVERSIGHT,
            since=OPEN,
            to="classified",
            fields=(
                Field(
                    name="cause",
                    title="原因",
                    kind=Kind.CHOICE,
                    choices={
                        "malicious": "不正の目的のおそれ",
                        "mistake": "誤操作又は誤送付",
                        "loss": "紛失",
                        "fault": "システムの障害",
                    },
                ),
                Field(name="affected", title="対象者数", kind=Kind.NUMBER, most=100_000_000),
                Field(name="my_number", title="個人番号を含むか", kind=Kind.FLAG),
                Field(
                    name="reporting",
                    title="報告の要否",
                    kind=Kind.CHOICE,
                    choices={"required": "報告を要する", "not-required": "報告を要しない"},
                ),
                Field(name="remark", title="区分の理由"),
            ),
            rules=(serious_ones_are_reported,),
        ),
        Step(
            name="contain",
            title="被害拡大の防止",
            roles=STAFF,
            since=OPEN,
            again=True,
            fields=(
                Field(name="contained_on", title="措置した日", kind=Kind.DATE, past=True),
                Field(name="measures", title="措置の内容"),
            ),
        ),
        Step(
            name="preliminary",
            title="速報",
            roles=OVERSIGHT,
            since=OPEN,
            fields=(
                Field(name="preliminary_on", title="速報した日", kind=Kind.DATE, past=True),
                Field(name="preliminary_document", title="速報の文書番号"),
            ),
        ),
        Step(
            name="final",
            title="確報",
            roles=OVERSIGHT,
            since=("classified",),
            after=("preliminary",),
            fields=(
                Field(name="final_on", title="確報した日", kind=Kind.DATE, past=True),
                Field(name="final_document", title="確報の文書番号"),
            ),
        ),
        Step(
            name="notify",
            title="本人への通知",
            roles=OVERSIGHT,
            since=("classified",),
            again=True,
            fields=(
                Field(name="notified_on", title="通知した日", kind=Kind.DATE, past=True),
                Field(name="notified", title="通知した人数", kind=Kind.NUMBER, most=100_000_000),
                Field(
                    name="how",
                    title="方法",
                    kind=Kind.CHOICE,
                    choices={"letter": "書面", "counter": "窓口", "published": "公表"},
                ),
            ),
        ),
        Step(
            name="close",
            title="終了",
            roles=(AUDITOR,),
            since=("classified",),
            to="closed",
            after=("contain",),
            settles=True,
            fields=(
                Field(name="lessons", title="教訓"),
                Field(name="prevention", title="再発防止策"),
            ),
            rules=(persons_were_told,),
        ),
    ),
    clocks=(
        Clock(
            name="preliminary",
            title="速報",
            since="discovered_on",
            days=5,
            until=("preliminary",),
            when={"reporting": ("required", None)},
        ),
        Clock(
            name="final",
            title="確報",
            since="discovered_on",
            days=30,
            until=("final",),
            when={
                "reporting": ("required", None),
                "cause": ("mistake", "loss", "fault", None),
            },
        ),
        Clock(
            name="final-malicious",
            title="確報(不正の目的のおそれ)",
            since="discovered_on",
            days=60,
            until=("final",),
            when={"reporting": ("required", None), "cause": ("malicious",)},
        ),
    ),
)
BOOKS = (INCIDENTS,)
