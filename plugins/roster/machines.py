"""端末管理簿: which certificates are let in, as what, and where they stand."""

from typing import Annotated, Literal

from msgspec import Meta

from appliance.plugin_api import (
    SYSTEM,
    Answer,
    AreaText,
    Arguments,
    BadCertificate,
    Case,
    Conflict,
    Malformed,
    ShortText,
    TerminalKind,
    TerminalRecord,
    peer_from_pem,
)

TerminalId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=16,
        pattern="^[A-Z0-9-]+$",
        description="1 to 16 of A-Z 0-9 -",
        examples=["TERM-0002"],
    ),
]
Kind = Literal["representative", "business", "municipality", "national"]
"""Every kind but the appliance itself."""


class ListTerminals(Arguments, frozen=True, kw_only=True):
    """Nothing."""


class TerminalState(Answer, frozen=True, kw_only=True):
    """One line of the register."""

    terminal_id: str
    kind: str
    place: str
    municipality_code: str | None
    fingerprint: str
    revoked: str
    """Why, or empty."""


class TerminalList(Answer, frozen=True, kw_only=True):
    """The register."""

    terminals: tuple[TerminalState, ...]


class EnrolTerminal(Arguments, frozen=True, kw_only=True):
    """操作端末ID, what it is, where it stands, and its certificate (PEM)."""

    terminal_id: TerminalId
    kind: Kind
    place: Annotated[str, Meta(max_length=200)] = ""
    certificate: Annotated[str, Meta(max_length=16384)]
    municipality_code: AreaText | None = None
    """Whose server it is; of a 指定都市 the city's, which covers its wards."""


class RevokeTerminal(Arguments, frozen=True, kw_only=True):
    """Which, and why."""

    terminal_id: TerminalId
    reason: Annotated[ShortText, Meta(title="理由")]


def listed(case: Case, asked: ListTerminals) -> TerminalList:
    """List the register, in the order of 操作端末ID."""
    states = sorted(map(_state, case.roster.terminals()), key=lambda state: state.terminal_id)
    return TerminalList(terminals=tuple(states))


def enrol(case: Case, asked: EnrolTerminal) -> TerminalState:
    """Register a certificate.

    Raises:
        Malformed: not one certificate in force of an authority that the main port believes, a
            municipality that does not fit the kind, or no place where people sit.
        Conflict: the certificate, or a live terminal of this 操作端末ID, is registered.
    """
    _check_municipality(case, asked)
    if asked.terminal_id == SYSTEM:
        raise Conflict("this terminal_id is the appliance's own; choose another")
    if TerminalKind(asked.kind).is_staffed and not asked.place.strip():
        raise Malformed(f"place is needed for kind {asked.kind}: where people sit (設置場所)")
    try:
        peer = peer_from_pem(asked.certificate)
    except BadCertificate:
        raise Malformed("certificate must be exactly one X.509 certificate in PEM form") from None
    if not peer.is_in_force(case.request.now):
        raise Malformed("certificate is not in force")
    if not case.is_ours(asked.certificate):
        raise Malformed(
            "certificate is of another authority: with it no connection could be opened "
            "(tls.client_ca)"
        )
    record = TerminalRecord(
        fingerprint=peer.fingerprint,
        terminal_id=asked.terminal_id,
        kind=TerminalKind(asked.kind),
        place=asked.place,
        municipality_code=asked.municipality_code,
    )
    case.roster.enrol_terminal(record)
    case.note.result = peer.fingerprint
    return _state(record)


def revoke(case: Case, asked: RevokeTerminal) -> TerminalState:
    """Refuse a terminal from the next request on; whoever is logged in there is out.

    Raises:
        Conflict: it is the terminal this is asked from.
        NotFound: no live terminal has this 操作端末ID.
    """
    if asked.terminal_id == case.actor.terminal.terminal_id:
        raise Conflict("a terminal cannot revoke itself; use another one")
    revoked = case.roster.revoke_terminal(asked.terminal_id, asked.reason)
    case.note.result = revoked.fingerprint
    return _state(revoked)


def _check_municipality(case: Case, asked: EnrolTerminal) -> None:
    if asked.kind != "municipality":
        if asked.municipality_code is not None:
            raise Malformed("municipality_code goes with kind municipality only")
        return
    code = asked.municipality_code
    known = None if code is None else case.registry.municipalities.lookup(code)
    if known is None or known.is_prefecture:
        raise Malformed("municipality_code must be that of a municipality")


def _state(record: TerminalRecord) -> TerminalState:
    return TerminalState(
        terminal_id=record.terminal_id,
        kind=record.kind.value,
        place=record.place,
        municipality_code=record.municipality_code,
        fingerprint=record.fingerprint,
        revoked=record.revoked,
    )
