import nacl.pwhash
import pytest

from appliance.errors import Malformed
from appliance.identity.pins import Pins

PIN = "27182818"


@pytest.fixture(scope="module")
def pins() -> Pins:
    return Pins(nacl.pwhash.argon2id.OPSLIMIT_MIN, nacl.pwhash.argon2id.MEMLIMIT_MIN)


def test_a_pin_is_kept_as_argon2id_and_salted(pins: Pins) -> None:
    one, two = pins.enrol(PIN), pins.enrol(PIN)
    assert one.startswith("$argon2id$")
    assert one != two
    assert PIN not in one


@pytest.mark.parametrize(
    "pin",
    [
        "11111111",
        "12121212",
        "123123123",
        "12341234",
        "1234123412",
        "12345678",
        "87654321",
        "78901234",
        "0987654321",
    ],
)
def test_a_pin_that_anybody_tries_first_is_refused(pins: Pins, pin: str) -> None:
    with pytest.raises(Malformed, match="too easy"):
        pins.enrol(pin)


@pytest.mark.parametrize("pin", ["11112222", "12345670", "20261001", "13579135"])
def test_other_pins_are_taken(pins: Pins, pin: str) -> None:
    assert pins.enrol(pin)


def test_the_right_pin_and_no_other(pins: Pins) -> None:
    kept = pins.enrol(PIN)
    assert pins.verify(kept, PIN)
    assert not pins.verify(kept, "27182819")
    assert not pins.verify(kept, "")


def test_who_has_no_pin_proves_nothing(pins: Pins) -> None:
    assert not pins.verify("", PIN)


def test_in_earnest_a_pin_costs_64_mib() -> None:
    assert "m=65536" in Pins().enrol(PIN)
