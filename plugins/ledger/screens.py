"""操作履歴 at a terminal: what was done, one entry whole, the state of the log, and a file of it.

What is asked by stands in the forms of the pages, never in a URL. Looking is itself entered.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from appliance.plugin_api import (
    Answered,
    Desk,
    Form,
    NotFound,
    OperationName,
    Page,
    Paper,
    Screen,
)
from plugins.ledger import screens_person
from plugins.ledger.exporting import MOST_LINES
from plugins.ledger.screens_words import GROUP, PACKAGE, WORDS, asked_by, carried, period, rows
from plugins.ledger.wording import FILTERS

SEARCH, PROOF, EXPORT = "ledger/search", "ledger/proof", "ledger/export"
PATH = "/screens/ledger/operations"
PAGE, AROUND = 50, 10


def show(desk: Desk) -> Page:
    """List the newest entries, and say how far the log is signed and witnessed."""
    found = desk.ask(SEARCH, {"limit": PAGE})
    return _page(desk, found, {}, _chain(desk, found))


def pick(desk: Desk, form: Form) -> Page:
    """List what fits; or what follows on a page that was full."""
    wanted = _wanted(form)
    before = form.number("before")
    more = {} if before is None else {"before": before}
    return _page(desk, desk.ask(SEARCH, {**wanted, **more, "limit": PAGE}), carried(form))


def around(desk: Desk, form: Form) -> Page:
    """List what was entered before and after one entry, by whomever."""
    index = form.number("index") or 0
    asked = {"before": index + AROUND + 1, "limit": 2 * AROUND + 1}
    return _page(desk, desk.ask(SEARCH, asked), {})


def entry(desk: Desk, form: Form) -> Page:
    """Show one entry whole, with what was asked by.

    Raises:
        NotFound: there is no such entry.
    """
    index = form.number("index")
    (found,) = rows([_one(desk, index)])
    return Page(
        template="entry.html",
        title=f"操作履歴 番号{index}",
        resident=True,
        data={
            **WORDS,
            "entry": found,
            "conditions": asked_by(found["conditions"]),
            "may_prove": desk.may(PROOF),
        },
    )


def prove(desk: Desk, form: Form) -> Paper:
    """Hand out the evidence that an entry is in the log, for whoever doubts it."""
    index = form.number("index") or 0
    proof: str = desk.ask(PROOF, {"index": index})["proof"]
    return Paper(
        content=proof.encode(), media_type="text/plain", name=f"{index}.tlog-proof", saved=True
    )


def export(desk: Desk, form: Form) -> Answered:
    """Hand out what fits as CSV; its digest is in the log, and another person has agreed."""
    before = form.number("export_before")
    told = desk.ask(
        EXPORT,
        {
            **_wanted(form),
            **({} if before is None else {"before": before}),
            "format": "csv",
            "conditions": form.ticked("with_conditions"),
        },
    )
    more = "" if told["next"] is None else f"-next-{told['next']}"
    name = f"operations-{told['count']}{more}-{told['sha256'][:12]}.csv"
    return Paper(content=told["file"], media_type="text/csv", name=name, saved=True)


def again(desk: Desk, form: Form) -> Page:
    """Return the form alone: what was asked for was refused."""
    return _page(desk, None, carried(form))


def _wanted(form: Form) -> dict[str, Any]:
    given = {name: form.text(name) for name in FILTERS}
    wanted: dict[str, Any] = {name: value for name, value in given.items() if value}
    if form.ticked("contractor"):
        wanted["contractor"] = True
    return {**wanted, **period(form)}


def _one(desk: Desk, index: int | None) -> Mapping[str, Any]:
    if index is not None:
        found = desk.ask(SEARCH, {"before": index + 1, "limit": 1})["entries"]
        if found and found[0]["index"] == index:
            one: Mapping[str, Any] = found[0]
            return one
    raise NotFound("the ledger has no entry of this number")


def _page(
    desk: Desk,
    found: Mapping[str, Any] | None,
    kept: Mapping[str, Any],
    chain: Mapping[str, Any] | None = None,
) -> Page:
    return Page(
        template="operations.html",
        data={
            **WORDS,
            "entries": None if found is None else rows(found["entries"]),
            "next": None if found is None else found["next"],
            "chain": chain,
            "carried": kept,
            "may_export": desk.may(EXPORT),
            "most_lines": MOST_LINES,
        },
    )


def _chain(desk: Desk, found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return how far the log was signed and witnessed when it was looked at.

    A proof leads to the newest checkpoint that a witness has cosigned if the entry lies below it,
    and to the newest signed one otherwise; both are the public format C2SP tlog-checkpoint.
    """
    if not found["entries"] or not desk.may(PROOF):
        return None
    newest: int = found["entries"][0]["index"]
    with suppress(NotFound):
        last = desk.ask(PROOF, {"index": newest})
        first = last if last["witnessed"] else desk.ask(PROOF, {"index": 0})
        origin, signed, root = _checkpoint(last["proof"])
        witnessed = _checkpoint(first["proof"])[1] if first["witnessed"] else 0
        return {"origin": origin, "signed": signed, "root": root, "witnessed": witnessed}
    return None


def _checkpoint(proof: str) -> tuple[str, int, str]:
    origin, size, root = proof.partition("\n\n")[2].split("\n")[:3]
    return origin, int(size), root


SCREENS = [
    Screen(
        path=PATH,
        title="操作履歴",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(SEARCH),
        show=show,
        acts={"list": pick, "around": around, "entry": entry, "proof": prove, "export": export},
        again=again,
    ),
    *screens_person.SCREENS,
]
