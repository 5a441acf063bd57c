"""``juki watching``: what the watching of the ledger has raised, and what came of it."""

from pathlib import Path
from typing import Any

import click

from appliance.cli.frame import Group, as_json, show, table
from appliance.cli.link import Seat, ask
from appliance.cli.people import at_a_terminal

LISTED = ("number", "day", "detector", "persons", "operators", "offices", "figures", "decision")
WEEKS = ("week", "detector", "flags", "open")
DECISIONS = ("at", "by", "decision", "reason")


@click.group(cls=Group)
def watching() -> None:
    """Flags that the watching of the ledger has raised, for a person to decide."""


@watching.command("flags")
@click.option("--state", type=click.Choice(["open", "decided", "all"]), default="open")
@click.option("--detector", help="Such as own-name.")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only above this number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@at_a_terminal
@as_json
def list_flags(seat: Seat, session: Path, **filters: Any) -> None:
    """List flags, the oldest first: an auditor's all, others' those of their own office.

    Example:
      juki watching flags --detector canary --state all
    """
    body = {name: value for name, value in filters.items() if value is not None}
    answer = ask(seat, "watching/flags", body)
    show(answer, lambda: table([_plain(flag) for flag in answer["flags"]], LISTED))


@watching.command("show")
@click.argument("number", type=click.IntRange(min=1))
@at_a_terminal
@as_json
def show_flag(number: int, seat: Seat, session: Path) -> None:
    """Show flag NUMBER: which entries of the ledger it is about, and every decision so far.

    Example:
      juki watching show 12
    """
    _tell(ask(seat, "watching/flag", {"number": number}))


@watching.command()
@click.argument("number", type=click.IntRange(min=1))
@click.argument("decision", type=click.Choice(["justified", "misuse", "unclear"]))
@click.option("--reason", required=True, help="Why; kept with the flag, not in the ledger.")
@at_a_terminal
@as_json
def decide(number: int, decision: str, reason: str, seat: Seat, session: Path) -> None:
    """Enter what came of flag NUMBER. Nobody decides a flag about himself.

    It may be decided anew; every decision is kept.

    Example:
      juki watching decide 12 justified --reason "使用簿と一致。上司に確認した。"
    """
    body = {"number": number, "decision": decision, "reason": reason}
    _tell(ask(seat, "watching/decide", body))


@watching.command()
@click.option("--weeks", type=click.IntRange(1, 520), default=12, show_default=True)
@at_a_terminal
@as_json
def figures(weeks: int, seat: Seat, session: Path) -> None:
    """Count flags by detector and week, what came of them, and how long they have waited.

    Example:
      juki watching figures --weeks 52
    """
    answer = ask(seat, "watching/figures", {"weeks": weeks})

    def lines() -> str:
        age = answer["oldest_open_days"]
        waits = "" if age is None else f", the oldest for {age} days"
        came = ", ".join(f"{count} {what}" for what, count in sorted(answer["decisions"].items()))
        return "\n".join([table(answer["weeks"], WEEKS), came, f"{answer['open']} open{waits}"])

    show(answer, lines)


def _tell(answer: dict[str, Any]) -> None:
    def lines() -> str:
        named = ", ".join(f"{who} {name}" for who, name in answer["names"].items())
        entries = ", ".join(map(str, answer["evidence"]))
        return "\n".join(
            [
                table([_plain(answer["flag"])], LISTED),
                *([named] if named else []),
                f"ledger entries: {entries}",
                f"to be decided by {answer['decide_by']}; thresholds {answer['thresholds']}",
                *([table(answer["decisions"], DECISIONS)] if answer["decisions"] else []),
            ]
        )

    show(answer, lines)


def _plain(flag: dict[str, Any]) -> dict[str, Any]:
    figures = " ".join(f"{name}={value:g}" for name, value in flag["figures"].items())
    several = {name: " ".join(flag[name]) for name in ("persons", "operators", "offices")}
    return {**flag, **several, "figures": figures}
