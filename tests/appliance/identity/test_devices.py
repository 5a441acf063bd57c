"""照合情報: what a device answers, and what it must not be believed for (R121, R122)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.errors import NotPermitted, Unavailable, Unidentified
from appliance.identity.login import WRONG
from appliance.identity.pins import Pins
from appliance.identity.webauthn import Challenges, Devices, NotProved, Occasion
from appliance.loaded import Identification, put_together
from appliance.pipeline import Pipeline
from appliance.roster import Roster
from appliance.testing import BROWSER_ORIGIN, PIN, PREPARED, Bench, Seat
from tests.simulators.device import AAGUID, Device, Maker

PERSON = "P-0001"


@dataclass
class Desk:
    """Somebody at a terminal with a registered device."""

    bench: Bench
    seat: Seat
    device: Device

    def write(self, work: Any) -> Any:
        def unit_of_work(unit: Any) -> Any:
            unit.enter(PREPARED)
            return work(Roster(unit, unit))

        return self.bench.vault.write(unit_of_work)

    def code(self) -> str:
        until = self.bench.now + timedelta(hours=1)
        return str(self.write(lambda roster: roster.issue_enrolment(PERSON, until, "device")))

    def register(self, device: Device, *, origin: str = BROWSER_ORIGIN) -> dict[str, Any]:
        code = self.code()
        drawn = self.seat.ask("session/enrol-challenge", {"code": code}).data
        answer = device.create(drawn["public_key"], origin)
        return dict(self.seat.ask("session/enrol", {"code": code, "device": answer}).data)

    def challenge(self, seat: Seat | None = None, person: str | None = PERSON) -> dict[str, Any]:
        asked = {} if person is None else {"person": person}
        return dict((seat or self.seat).ask("session/challenge", asked).data["public_key"])

    def open(self, answer: dict[str, Any], seat: Seat | None = None) -> Seat:
        seat = seat or self.seat
        opened = seat.ask("session/open", {"person": PERSON, "device": answer})
        return replace(seat, bearer=opened.data["token"])

    def refused(self, answer: dict[str, Any], seat: Seat | None = None) -> str:
        """Return what the ledger says of a login that must be refused."""
        with pytest.raises(Unidentified) as refusal:
            self.open(answer, seat)
        assert refusal.value.text == WRONG
        entry = self.bench.ledger()[-1]
        assert entry.refusal == "unidentified"
        return entry.note

    def log_in(self) -> Seat:
        return self.open(self.device.get(self.challenge(), BROWSER_ORIGIN))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Bench.open(tmp_path / "store", {}) as bench:
        bench.appoint("OP-0001", PERSON)
        desk = Desk(bench, bench.seat(), Device(tmp_path / "device.json"))
        desk.register(desk.device)
        yield desk


def test_a_device_opens_a_session_again_and_again(desk: Desk) -> None:
    for _ in range(3):
        inside = desk.log_in()
        inside.ask("session/close", {})
    opened = [entry for entry in desk.bench.ledger() if entry.operation == "session/open"]
    assert len(opened) == 3
    assert all(entry.note.startswith("device ") for entry in opened)


def test_what_the_browser_is_asked_is_what_the_standard_says(desk: Desk) -> None:
    public_key = desk.challenge()
    assert public_key["userVerification"] == "required"
    assert public_key["rpId"] == "juki.test"
    assert public_key["timeout"] == 60_000
    assert [each["type"] for each in public_key["allowCredentials"]] == ["public-key"]
    drawn = desk.seat.ask("session/enrol-challenge", {"code": desk.code()}).data["public_key"]
    assert drawn["authenticatorSelection"]["userVerification"] == "required"
    assert drawn["attestation"] == "direct"
    assert drawn["excludeCredentials"] == public_key["allowCredentials"]
    assert drawn["user"]["name"] == PERSON


@pytest.mark.requirement("R121")
def test_a_device_that_verified_nobody_neither_registers_nor_opens(
    desk: Desk, tmp_path: Path
) -> None:
    """Whatever the page asked for: a page can be changed, the flag in what is signed cannot."""
    blind = Device(desk.device.path, verifies=False)
    note = desk.refused(blind.get(desk.challenge(), BROWSER_ORIGIN))
    assert note == "wrong: User verification required, but user verified flag not set."
    with pytest.raises(NotPermitted, match="proves nobody"):
        desk.register(Device(tmp_path / "blind.json", verifies=False))
    assert "verif" in desk.bench.ledger()[-1].note


def test_an_answer_is_good_once(desk: Desk) -> None:
    answer = desk.device.get(desk.challenge(), BROWSER_ORIGIN)
    desk.open(answer)
    assert desk.refused(answer) == "wrong: no challenge waits for an answer"
    desk.challenge()
    assert desk.refused(answer) == "wrong: Wrong challenge in response."


def test_a_challenge_is_used_up_by_a_wrong_answer(desk: Desk) -> None:
    public_key = desk.challenge()
    desk.refused(desk.device.get(public_key, "https://evil.test"))
    note = desk.refused(desk.device.get(public_key, BROWSER_ORIGIN))
    assert note == "wrong: no challenge waits for an answer"


@pytest.mark.parametrize(
    "origin",
    [
        "https://juki.test",
        "https://juki.test:8444",
        "https://sub.juki.test:8443",
        "http://juki.test:8443",
        "https://juki.test:8443.evil.test",
        "https://JUKI.test:8443",
    ],
)
def test_the_origin_is_exactly_ours(desk: Desk, origin: str) -> None:
    note = desk.refused(desk.device.get(desk.challenge(), origin))
    assert note == "wrong: Invalid origin in CollectedClientData."
    with pytest.raises(NotPermitted, match="proves nobody"):
        desk.register(desk.device, origin=origin)


def test_a_page_inside_another_sites_page_proves_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fido2.webauthn import CollectedClientData

    from tests.simulators import device

    def framed(kind: str, public_key: Any, origin: str) -> CollectedClientData:
        return CollectedClientData.create(kind, public_key["challenge"], origin, cross_origin=True)

    monkeypatch.setattr(device, "_client_data", framed)
    note = desk.refused(desk.device.get(desk.challenge(), BROWSER_ORIGIN))
    assert note == "wrong: asked from inside another site's page"
    with pytest.raises(NotPermitted):
        desk.register(desk.device)


def test_a_challenge_waits_a_minute(desk: Desk) -> None:
    public_key = desk.challenge()
    desk.bench.now += timedelta(seconds=61)
    note = desk.refused(desk.device.get(public_key, BROWSER_ORIGIN))
    assert note == "wrong: no challenge waits for an answer"


def test_a_challenge_is_answered_at_the_terminal_it_was_drawn_at(desk: Desk) -> None:
    other = desk.bench.seat("TERM-0002")
    answer = desk.device.get(desk.challenge(), BROWSER_ORIGIN)
    assert desk.refused(answer, other) == "wrong: no challenge waits for an answer"


def test_a_challenge_of_one_session_verifies_nobody_in_another(desk: Desk) -> None:
    first = desk.log_in()
    public_key = desk.challenge(first, None)
    second = desk.log_in()
    with pytest.raises(Unidentified):
        second.ask("session/verify", {"device": desk.device.get(public_key, BROWSER_ORIGIN)})
    assert desk.bench.ledger()[-1].note == "wrong: the challenge was drawn for something else"


def test_a_challenge_to_verify_logs_nobody_in(desk: Desk) -> None:
    inside = desk.log_in()
    answer = desk.device.get(desk.challenge(inside, None), BROWSER_ORIGIN)
    assert desk.refused(answer) == "wrong: no challenge waits for an answer"


def test_somebody_proves_himself_again_by_his_device(desk: Desk) -> None:
    inside = desk.log_in()
    answer = desk.device.get(desk.challenge(inside, None), BROWSER_ORIGIN)
    assert inside.ask("session/verify", {"device": answer}).data["method"] == "device"


def test_a_device_of_somebody_else_proves_nobody(desk: Desk, tmp_path: Path) -> None:
    desk.bench.appoint("OP-0002", "P-0002")
    until = desk.bench.now + timedelta(hours=1)
    code = desk.write(lambda roster: roster.issue_enrolment("P-0002", until, "device"))
    theirs = Device(tmp_path / "theirs.json")
    drawn = desk.seat.ask("session/enrol-challenge", {"code": code}).data["public_key"]
    answer = theirs.create(drawn, BROWSER_ORIGIN)
    desk.seat.ask("session/enrol", {"code": code, "device": answer})
    mine = desk.challenge()
    public_key = {**mine, "allowCredentials": desk.challenge(person="P-0002")["allowCredentials"]}
    desk.challenge()
    assert desk.refused(theirs.get(public_key, BROWSER_ORIGIN)).startswith("wrong: ")


@pytest.mark.parametrize("broken", ["signature", "authenticatorData", "clientDataJSON"])
def test_a_byte_that_was_changed_is_found(desk: Desk, broken: str) -> None:
    answer = desk.device.get(desk.challenge(), BROWSER_ORIGIN)
    said = answer["response"][broken]
    middle = len(said) // 2
    swapped = "A" if said[middle] != "A" else "B"
    answer["response"][broken] = said[:middle] + swapped + said[middle + 1 :]
    assert desk.refused(answer).startswith("wrong: ")


@pytest.mark.parametrize(
    "answer", [{}, {"id": "x"}, {"id": 1, "rawId": [], "response": None}, {"response": {}}]
)
def test_what_is_no_answer_is_refused_and_no_bug(desk: Desk, answer: dict[str, Any]) -> None:
    desk.challenge()
    assert desk.refused(answer).startswith("wrong: ")


def test_a_copied_device_is_found_by_its_counter_and_opens_nothing_more(
    desk: Desk, tmp_path: Path
) -> None:
    copy = Device(tmp_path / "copy.json")
    copy.path.write_bytes(desk.device.path.read_bytes())
    desk.log_in()
    inside = desk.log_in()
    note = desk.refused(copy.get(desk.challenge(), BROWSER_ORIGIN))
    assert note.endswith("did not advance")
    with desk.bench.vault.view() as view:
        person = Roster(view, None).person(PERSON)
    assert person is not None
    assert "複製" in person.devices[0].retired
    with pytest.raises(Unidentified):
        inside.ask("session/close", {})
    public_key = desk.challenge()
    public_key["allowCredentials"][0]["id"] = next(iter(desk.device._kept()))
    assert desk.refused(desk.device.get(public_key, BROWSER_ORIGIN)).startswith("wrong: ")


def test_a_device_that_does_not_count_is_not_taken_for_a_copy(desk: Desk, tmp_path: Path) -> None:
    plain = Device(tmp_path / "plain.json", counts=False)
    desk.register(plain)
    for _ in range(2):
        desk.open(plain.get(desk.challenge(), BROWSER_ORIGIN))


def test_a_counter_that_stops_counting_is_a_copy_too(desk: Desk) -> None:
    desk.log_in()
    reset = desk.device._kept()
    for entry in reset.values():
        entry["counter"] = 0
    desk.device._keep(reset)
    stopped = Device(desk.device.path, counts=False)
    note = desk.refused(stopped.get(desk.challenge(), BROWSER_ORIGIN))
    assert note.endswith("did not advance")


@pytest.mark.parametrize(("models", "may"), [((str(AAGUID),), True), (("0" * 8,), False)])
def test_only_the_models_of_the_policy_are_registered(
    desk: Desk, tmp_path: Path, models: tuple[str, ...], may: bool
) -> None:
    parts = desk.bench.parts
    access = msgspec.structs.replace(parts.policy.access, models=models)
    object.__setattr__(parts, "policy", replace(parts.policy, access=access))
    other = Device(tmp_path / "other.json")
    if may:
        desk.register(other)
        return
    with pytest.raises(NotPermitted, match="proves nobody"):
        desk.register(other)
    assert "not among those allowed" in desk.bench.ledger()[-1].note


@pytest.mark.requirement("R121")
def test_a_model_is_believed_on_the_word_of_a_maker_that_the_policy_names(
    desk: Desk, tmp_path: Path
) -> None:
    """A program can call itself any model; it cannot sign as its maker."""
    maker, other = Maker(desk.bench.now), Maker(desk.bench.now)
    parts = desk.bench.parts
    access = msgspec.structs.replace(
        parts.policy.access, models=(str(AAGUID),), roots=(other.root, maker.root)
    )
    object.__setattr__(parts, "policy", replace(parts.policy, access=access))
    desk.register(Device(tmp_path / "attested.json", maker=maker))
    stranger = Maker(desk.bench.now)
    for number, unattested in enumerate((None, stranger)):
        with pytest.raises(NotPermitted, match="proves nobody"):
            desk.register(Device(tmp_path / f"{number}.json", maker=unattested))
    desk.log_in()


def test_a_device_that_attests_by_its_own_key_alone_has_no_maker(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = Maker(desk.bench.now)
    parts = desk.bench.parts
    access = msgspec.structs.replace(parts.policy.access, roots=(maker.root,))
    object.__setattr__(parts, "policy", replace(parts.policy, access=access))
    attest = maker.attest
    monkeypatch.setattr(maker, "attest", lambda signed: {**attest(signed), "x5c": []})
    with pytest.raises(NotPermitted, match="proves nobody"):
        desk.register(Device(tmp_path / "self.json", maker=maker))


def test_a_device_is_registered_once(desk: Desk) -> None:
    code = desk.code()
    drawn = desk.seat.ask("session/enrol-challenge", {"code": code}).data["public_key"]
    answer = desk.device.create(drawn, BROWSER_ORIGIN)
    desk.seat.ask("session/enrol", {"code": code, "device": answer})
    with pytest.raises(NotPermitted, match="used"):
        desk.seat.ask("session/enrol", {"code": code, "device": answer})


def test_nobody_learns_who_has_a_device(desk: Desk) -> None:
    """Somebody unknown, and somebody without a device, are asked as anybody is."""
    desk.bench.appoint("OP-0002", "P-0002")
    known = desk.challenge()
    for person in ("P-0002", "P-0099"):
        first, second = desk.challenge(person=person), desk.challenge(person=person)
        assert first.keys() == known.keys()
        assert first["allowCredentials"] == second["allowCredentials"]
        (only,) = first["allowCredentials"]
        assert len(only["id"]) == len(known["allowCredentials"][0]["id"])
        assert first["challenge"] != second["challenge"]


def test_a_locked_pin_does_not_lock_the_device_nor_the_device_unlock_it(desk: Desk) -> None:
    for _ in range(5):
        with pytest.raises(Unidentified):
            desk.seat.ask("session/open", {"person": PERSON, "pin": "00000000"})
    desk.log_in()
    with pytest.raises(Unidentified):
        desk.seat.ask("session/open", {"person": PERSON, "pin": PIN})


def test_an_appliance_without_an_address_registers_no_device(desk: Desk) -> None:
    bench = desk.bench
    loaded = put_together({}, Identification(bench.pins, Devices(None)))
    parts = replace(bench.parts, hook=loaded.hook, operations=loaded.operations)
    bench.pipeline = Pipeline(parts)
    for operation, body in (
        ("session/challenge", {"person": PERSON}),
        ("session/enrol-challenge", {"code": desk.code()}),
        ("session/open", {"person": PERSON, "device": {}}),
    ):
        with pytest.raises(Unavailable, match="browser"):
            desk.seat.ask(operation, body)
    assert isinstance(bench.pins, Pins)
    desk.seat.ask("session/open", {"person": PERSON, "pin": PIN})


def test_of_many_challenges_the_oldest_are_forgotten() -> None:
    from appliance.identity import webauthn
    from appliance.parts import utc_now

    challenges, now = Challenges(), utc_now()
    occasions = [Occasion("open", f"{n:064x}") for n in range(webauthn.MOST_CHALLENGES + 1)]
    for occasion in occasions:
        challenges.keep(occasion, {"challenge": "x"}, now)
    with pytest.raises(NotProved):
        challenges.take(occasions[0], now)
    assert challenges.take(occasions[-1], now) == {"challenge": "x"}
