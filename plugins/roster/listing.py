"""How a person stands in the 操作者名簿: what is told of him, and nothing that logs in as him."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal

from appliance.plugin_api import MAX_FAILURES, Answer, Case, LoginState, PersonRecord

State = Literal["active", "not-enrolled", "locked", "over", "suspended"]


class DeviceState(Answer, frozen=True, kw_only=True):
    """One line of the 照合情報認証管理簿: which device, and whether it is in use."""

    device_id: str
    label: str
    aaguid: str
    enrolled_at: datetime
    retired: str
    """Why not, or empty."""


class PersonState(Answer, frozen=True, kw_only=True):
    """One person; nothing that helps to log in as him."""

    person_id: str
    name: str
    kana: str
    office: str
    contractor: bool
    expires_on: date
    trained_on: date | None
    state: State
    """Whether he may log in, and if not, why."""
    suspended: str
    """Why, or empty."""
    devices: tuple[DeviceState, ...]
    pin_until: date | None
    """Until when he may log in by PIN; null: not at all."""
    pin_reason: str
    locked: bool
    """The PIN opens nothing after too many wrong ones."""
    operators: tuple[str, ...]
    """操作者ID that he holds."""
    last_login: datetime | None
    last_terminal: str
    last_method: str


class People(Answer, frozen=True, kw_only=True):
    """Everybody, in the order of 照合ID."""

    people: tuple[PersonState, ...]


def state_of(
    case: Case, person: PersonRecord, operators: Iterable[str] | None = None
) -> PersonState:
    """Return a person as he is listed; ``operators``: each 操作者ID of his, if they are known."""
    if operators is None:
        operators = (each.operator_id for each in case.roster.held_by(person.person_id))
    login = case.roster.login_state(person.person_id)
    today = case.request.today
    return PersonState(
        person_id=person.person_id,
        name=person.name,
        kana=person.kana,
        office=person.office,
        contractor=person.contractor,
        expires_on=person.expires_on,
        trained_on=person.trained_on,
        state=_state(person, login, today),
        suspended=person.suspended,
        devices=tuple(
            DeviceState(
                device_id=device.device_id,
                label=device.label,
                aaguid=device.aaguid,
                enrolled_at=device.enrolled_at,
                retired=device.retired,
            )
            for device in person.devices
        ),
        pin_until=person.pin.until if person.pin else None,
        pin_reason=person.pin.reason if person.pin else "",
        locked=login.failures >= MAX_FAILURES,
        operators=tuple(operators),
        last_login=login.last_login,
        last_terminal=login.last_terminal,
        last_method=login.last_method,
    )


def _state(person: PersonRecord, login: LoginState, today: date) -> State:
    if person.suspended:
        return "suspended"
    if person.expires_on < today:
        return "over"
    if any(not device.retired for device in person.devices):
        return "active"
    if not login.has_pin or not person.may_use_pin(today):
        return "not-enrolled"
    return "locked" if login.failures >= MAX_FAILURES else "active"
