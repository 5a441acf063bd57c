"""``juki person|operator``: 操作者名簿, who somebody is (照合ID) and what he may do (操作者ID).

What gives a right takes two persons: with ``--request`` a command asks for the other's agreement,
with ``--approval`` it is carried out.

Every command here is one HTTP call as the operator who is logged in, down the same line as any
request: permitted by role, entered in the ledger.
"""

import base64
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.cli.approvals import Second, ask_with, form_takes_two, takes_two
from appliance.cli.frame import Command, Exit, Group, Stop, as_json, rows, show
from appliance.cli.link import Seat, ask
from appliance.cli.people import at_a_terminal
from appliance.files import replace_file

F = TypeVar("F", bound=Callable[..., Any])
DAY = click.DateTime(["%Y-%m-%d"])
form = click.option("--form", required=True, help="Number of the paper: 照合ID付与申請書 etc.")
reason = click.option("--reason", required=True, help="Why, for the roster.")


def _day(given: datetime | None) -> str | None:
    return given.date().isoformat() if given else None


def _given(**named: Any) -> dict[str, Any]:
    return {name: value for name, value in named.items() if value is not None}


@click.group(cls=Group)
def person() -> None:
    """照合ID: who somebody is, and how he proves it."""


@person.command("list")
@at_a_terminal
@as_json
def people(seat: Seat, session: Path) -> None:
    """List everybody. State: active, not-enrolled (no proof yet), locked, over or suspended.

    Example:
      juki person list
    """
    columns = (
        *("person_id", "name", "office", "state"),
        *("operators", "expires_on", "pin_until", "trained_on"),
    )
    rows(ask(seat, "roster/people", {}), "people", columns)


@person.command()
@click.argument("person_id")
@click.option("--name", required=True, help="姓　名, as on the application.")
@click.option("--kana", default="", help="Its reading.")
@click.option("--office", required=True, help="所属")
@click.option("--contractor", is_flag=True, help="Of the 委託先.")
@click.option("--expires", type=DAY, required=True, help="The last day.")
@form
@form_takes_two
@at_a_terminal
@as_json
def grant(
    person_id: str,
    name: str,
    kana: str,
    office: str,
    contractor: bool,
    expires: datetime,
    form: str,
    seat: Seat,
    session: Path,
    second: Second,
) -> None:
    """Give somebody the 照合ID PERSON_ID; prints the one-use code to register his device with.

    Two persons: first with --request and --why; once another agreed, the same with --approval.

    Examples:
      juki person grant P-0002 --name "県税　花子" --office 県税事務所 --expires 2027-03-31
        --form 照合付-2026-12 --request --why 新任
      juki person grant P-0002 --name "県税　花子" --office 県税事務所 --expires 2027-03-31
        --form 照合付-2026-12 --approval 12
    """
    body: dict[str, Any] = {
        "person_id": person_id,
        "name": name,
        "kana": kana,
        "office": office,
        "contractor": contractor,
        "expires_on": _day(expires),
        "form": form,
    }
    show(ask_with(second, seat, "roster/grant", body))


@person.command("change")
@click.argument("person_id")
@click.option("--name", help="姓　名")
@click.option("--kana", help="Its reading.")
@click.option("--office", help="所属")
@click.option("--expires", type=DAY, help="The last day.")
@form
@form_takes_two
@at_a_terminal
@as_json
def change_person(
    person_id: str,
    name: str | None,
    kana: str | None,
    office: str | None,
    expires: datetime | None,
    form: str,
    seat: Seat,
    session: Path,
    second: Second,
) -> None:
    """Change what stands of PERSON_ID; what is not given stays as it is.

    Example:
      juki person change P-0002 --office 監査室 --form 異動-2027-3
    """
    changes = _given(name=name, kana=kana, office=office, expires_on=_day(expires))
    body = {"person_id": person_id, "form": form, **changes}
    show(ask_with(second, seat, "roster/change-person", body))


@person.command()
@click.argument("person_id")
@takes_two
@at_a_terminal
@as_json
def enrol(
    person_id: str,
    seat: Seat,
    session: Path,
    second: Second,
) -> None:
    """Issue a new one-use code to PERSON_ID, for another device.

    Example:
      juki person enrol P-0002
    """
    show(ask_with(second, seat, "roster/enrol-person", {"person_id": person_id}))


@person.command("issue-pin")
@click.argument("person_id")
@reason
@click.option("--until", type=DAY, required=True, help="The last day on which it opens anything.")
@takes_two
@at_a_terminal
@as_json
def issue_pin(
    person_id: str, reason: str, until: datetime, seat: Seat, session: Path, second: Second
) -> None:
    """Let PERSON_ID log in by 操作者照合暗証番号; prints the code with which he sets it.

    Example:
      juki person issue-pin P-0002 --reason "指の負傷" --until 2026-12-20
    """
    body = {"person_id": person_id, "reason": reason, "until": _day(until)}
    show(ask_with(second, seat, "roster/issue-pin", body))


@person.command("retire-device")
@click.argument("person_id")
@click.argument("device_id")
@reason
@at_a_terminal
@as_json
def retire_device(person_id: str, device_id: str, reason: str, seat: Seat, session: Path) -> None:
    """Let DEVICE_ID of PERSON_ID open nothing any more.

    Example:
      juki person retire-device P-0002 5e1f0c93a77b24d8 --reason 故障
    """
    body = {"person_id": person_id, "device_id": device_id, "reason": reason}
    show(ask(seat, "roster/retire-device", body))


@person.command("suspend")
@click.argument("person_id")
@reason
@form
@at_a_terminal
@as_json
def suspend_person(person_id: str, reason: str, form: str, seat: Seat, session: Path) -> None:
    """Shut PERSON_ID out, at once, until resumed; sessions end (照合ID無効化依頼書).

    Example:
      juki person suspend P-0002 --reason 退職 --form 照合無-2027-4
    """
    body = {"person_id": person_id, "reason": reason, "form": form}
    show(ask(seat, "roster/suspend-person", body))


@person.command("resume")
@click.argument("person_id")
@reason
@form
@form_takes_two
@at_a_terminal
@as_json
def resume_person(
    person_id: str, reason: str, form: str, seat: Seat, session: Path, second: Second
) -> None:
    """Let PERSON_ID, who was suspended, come back; prints a code for another device.

    Example:
      juki person resume P-0002 --reason 復職 --form 照合付-2027-31
    """
    body = {"person_id": person_id, "reason": reason, "form": form}
    show(ask_with(second, seat, "roster/resume-person", body))


@click.group(cls=Group)
def operator() -> None:
    """操作者ID: what for, with which roles and 事務, and who holds it."""


@operator.command("list")
@at_a_terminal
@as_json
def operators(seat: Seat, session: Path) -> None:
    """List every authority. State: active, over or suspended.

    Example:
      juki operator list
    """
    columns = ("operator_id", "office", "state", "roles", "purposes", "holders", "expires_on")
    rows(ask(seat, "roster/operators", {}), "operators", columns)


@operator.command()
@click.argument("operator_id")
@click.option("--holder", "holders", multiple=True, required=True, help="照合ID; repeatedly.")
@click.option("--office", required=True, help="所属")
@click.option("--role", "roles", multiple=True, required=True, help="May be given repeatedly.")
@click.option("--purpose", "purposes", multiple=True, help="事務 code; may be given repeatedly.")
@click.option("--expires", type=DAY, required=True, help="The last day.")
@form
@form_takes_two
@at_a_terminal
@as_json
def add(
    operator_id: str,
    holders: tuple[str, ...],
    office: str,
    roles: tuple[str, ...],
    purposes: tuple[str, ...],
    expires: datetime,
    form: str,
    seat: Seat,
    session: Path,
    second: Second,
) -> None:
    """Make the authority OPERATOR_ID, held by one person or more.

    Two persons: first with --request and --why; once another agreed, the same with --approval.

    Example:
      juki operator add OP-0002 --holder P-0002 --office 県税事務所 --role clerk
        --purpose prefectural-tax --expires 2027-03-31 --form 照合付-2026-12 --approval 13
    """
    body = {
        "operator_id": operator_id,
        "holders": list(holders),
        "office": office,
        "roles": list(roles),
        "purposes": list(purposes),
        "expires_on": _day(expires),
        "form": form,
    }
    show(ask_with(second, seat, "roster/add-operator", body))


@operator.command()
@click.argument("operator_id")
@click.option("--office", help="所属")
@click.option("--role", "roles", multiple=True, help="All it has from now on; repeatedly.")
@click.option("--purpose", "purposes", multiple=True, help="All it has from now on; repeatedly.")
@click.option("--no-purpose", is_flag=True, help="It has no 事務 from now on.")
@click.option("--holder", "holders", multiple=True, help="All who hold it from now on.")
@click.option("--expires", type=DAY, help="The last day.")
@form
@form_takes_two
@at_a_terminal
@as_json
def change(
    operator_id: str,
    office: str | None,
    roles: tuple[str, ...],
    purposes: tuple[str, ...],
    no_purpose: bool,
    holders: tuple[str, ...],
    expires: datetime | None,
    form: str,
    seat: Seat,
    session: Path,
    second: Second,
) -> None:
    """Change the authority OPERATOR_ID (人事異動): what is not given stays as it is.

    It counts from the next request on. How it was before stays on record.

    Examples:
      juki operator change OP-0002 --office パスポートセンター --purpose passport --form 異動-3
      juki operator change OP-0002 --holder P-0002 --holder P-0009 --form 照合付-2026-20
    """
    if no_purpose and purposes:
        raise Stop(Exit.NOT_UNDERSTOOD, "purposes", "give --purpose or --no-purpose, not both")
    changes = _given(
        office=office,
        roles=list(roles) or None,
        purposes=[] if no_purpose else list(purposes) or None,
        holders=list(holders) or None,
        expires_on=_day(expires),
    )
    show(
        ask_with(
            second,
            seat,
            "roster/change-operator",
            {"operator_id": operator_id, "form": form, **changes},
        )
    )


@operator.command()
@click.argument("operator_id")
@reason
@at_a_terminal
@as_json
def suspend(operator_id: str, reason: str, seat: Seat, session: Path) -> None:
    """Let nobody work under OPERATOR_ID, at once, until resumed.

    Example:
      juki operator suspend OP-0002 --reason "事務の廃止"
    """
    show(ask(seat, "roster/suspend-operator", {"operator_id": operator_id, "reason": reason}))


@operator.command()
@click.argument("operator_id")
@reason
@takes_two
@at_a_terminal
@as_json
def resume(
    operator_id: str,
    reason: str,
    seat: Seat,
    session: Path,
    second: Second,
) -> None:
    """Let those who hold OPERATOR_ID work under it again.

    Example:
      juki operator resume OP-0002 --reason "事務の再開"
    """
    show(
        ask_with(
            second, seat, "roster/resume-operator", {"operator_id": operator_id, "reason": reason}
        )
    )


@click.command("print", cls=Command)
@click.argument("register", type=click.Choice(["people", "operators", "terminals"]))
@click.option("--office", help="Of one 所属 only.")
@click.option("--history", is_flag=True, help="With every earlier line.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True)
@at_a_terminal
@as_json
def print_register(
    register: str, office: str | None, history: bool, out: Path, seat: Seat, session: Path
) -> None:
    """Print a register as PDF: 操作者名簿, 照合情報認証管理簿, 端末管理簿.

    Examples:
      juki roster print operators --history --out roster.pdf
      juki roster print people --office 県税事務所 --out people.pdf
    """
    body = {"register": register, "history": history, **_given(office=office)}
    answer = ask(seat, "roster/print", body)
    replace_file(out, base64.b64decode(answer.pop("pdf")), 0o600)
    show({**answer, "file": str(out)})


@click.group(cls=Group)
def roster() -> None:
    """The registers on paper."""


roster.add_command(print_register)
