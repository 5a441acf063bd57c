"""要注意: residents whom two persons open together (住民基本台帳事務におけるDV等支援措置).

What the mark does to everybody else's requests stands in ``appliance/protection.py``, in the one
place where residents are opened; here is who sets it, and who opens. A mark is asked for by one
and agreed to by another, and so is lifting it. Whoever must open such a person asks for it with his
reason; a second person agrees in a session of his own at another terminal, and for ten minutes the
session that asked may open this one person. Nobody's name is in anything these operations answer.

``book.py`` is the book of all requests, ``marks.py`` mark, extend, lift and list, ``openings.py``
ask and agree, ``screens/`` all of it at a terminal.
"""

from appliance.plugin_api import (
    Alarm,
    AnyOperation,
    Operation,
    OperationName,
    Power,
    Screen,
    Watch,
    hookimpl,
)
from plugins.protection import marks, openings
from plugins.protection.book import Asked
from plugins.protection.marks import Extend, Lift, ListMarks, Mark, MarkList, MarkState
from plugins.protection.openings import Agree, Agreed, AskOpening, Refuse, Refused
from plugins.protection.screens import SCREENS

USES: frozenset[Power] = frozenset({"protections"})

MARK = Operation(
    name=OperationName("protection/mark"),
    summary="Ask that a resident be opened by two persons only, until a day within a year.",
    asks=Mark,
    answers=Asked,
    handler=marks.mark,
    changes=True,
    purposed=False,
    uses=USES,
    records=("form_number", "until", "reason"),
    drops=("who",),
    example={
        "who": {"resident_code": "91234567898"},
        "form_number": "S-2026-12",
        "until": "2027-03-31",
        "reason": "domestic-violence",
    },
)
EXTEND = Operation(
    name=OperationName("protection/extend"),
    summary="Let a mark hold until another day within a year.",
    asks=Extend,
    answers=MarkState,
    handler=marks.extend,
    changes=True,
    purposed=False,
    uses=USES,
    records=Extend.__struct_fields__,
    example={"number": 3, "form_number": "S-2027-02", "until": "2028-03-31"},
)
LIFT = Operation(
    name=OperationName("protection/lift"),
    summary="Ask that a mark be taken off.",
    asks=Lift,
    answers=Asked,
    handler=marks.lift,
    changes=True,
    purposed=False,
    uses=USES,
    records=Lift.__struct_fields__,
)
LIST = Operation(
    name=OperationName("protection/list"),
    summary="List marks by number, and what waits for a second person; nobody is named.",
    asks=ListMarks,
    answers=MarkList,
    handler=marks.listed,
    purposed=False,
    records=("ended",),
)
ASK = Operation(
    name=OperationName("protection/ask-opening"),
    summary="Ask a second person to agree that this session opens one protected resident.",
    asks=AskOpening,
    answers=Asked,
    handler=openings.ask,
    changes=True,
    uses=USES,
    records=("why",),
    drops=("who",),
    example={"who": {"ref": "a-reference-of-a-search"}, "why": "本人来庁のため"},
)
AGREE = Operation(
    name=OperationName("protection/agree"),
    summary="Agree, as a second person, to what was asked under a number.",
    asks=Agree,
    answers=Agreed,
    handler=openings.agree,
    changes=True,
    purposed=False,
    uses=USES,
    records=Agree.__struct_fields__,
)
REFUSE = Operation(
    name=OperationName("protection/refuse"),
    summary="Refuse, as a second person, what was asked under a number, or take back one's own.",
    asks=Refuse,
    answers=Refused,
    handler=openings.refuse,
    changes=True,
    purposed=False,
    records=Refuse.__struct_fields__,
)


@hookimpl
def operations() -> list[AnyOperation]:
    return [MARK, EXTEND, LIFT, LIST, ASK, AGREE, REFUSE]


@hookimpl
def alarms(watch: Watch) -> list[Alarm]:
    return marks.alarms(watch)


@hookimpl
def screens() -> list[Screen]:
    return SCREENS
