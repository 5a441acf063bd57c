"""住民票コード and 個人番号 that nobody has.

Every generated number begins with 9 and has the right check digit. The rest is a permutation of a
counter: unique without remembering what was given out, and without visible order, as the law asks
of the real ones (住民基本台帳法施行規則1条).
"""

from random import Random
from typing import Final

from appliance.values.identifiers import (
    is_my_number,
    is_resident_code,
    my_number_from,
    resident_code_from,
)

CODES: Final = 10**9
NUMBERS: Final = 10**10

# Both are prime to 10, so multiplying by them permutes the counters below.
_CODE_STEP: Final = 618_033_989
_NUMBER_STEP: Final = 7_236_067_977


class Numbers:
    """The numbers of one seed; counters up to 10**9 give different ones."""

    def __init__(self, seed: int) -> None:
        rng = Random(f"numbers/{seed}")
        self._code_start = rng.randrange(CODES)
        self._number_start = rng.randrange(NUMBERS)

    def resident_code(self, counter: int) -> str:
        """Return the 住民票コード of this counter."""
        return resident_code_from(f"9{(self._code_start + counter * _CODE_STEP) % CODES:09d}")

    def my_number(self, counter: int) -> str:
        """Return the 個人番号 of this counter."""
        return my_number_from(f"9{(self._number_start + counter * _NUMBER_STEP) % NUMBERS:010d}")


def wrong_resident_code(code: str) -> str:
    """Return the code with a check digit that is wrong."""
    return next(text for text in _other_last_digits(code) if not is_resident_code(text))


def wrong_my_number(number: str) -> str:
    """Return the number with a check digit that is wrong."""
    return next(text for text in _other_last_digits(number) if not is_my_number(text))


def _other_last_digits(text: str) -> list[str]:
    return [text[:-1] + str((int(text[-1]) + step) % 10) for step in range(1, 10)]
