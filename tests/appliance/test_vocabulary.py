import msgspec
import pytest

from appliance.items import ITEM_NAMES, ItemName
from appliance.model import Resident
from appliance.vocabulary import Items, told
from storage.engine import PersonId


@pytest.mark.parametrize("written", [None, "平成２年４月５日"])
def test_a_spelling_is_told_only_if_there_is_one(written: str | None) -> None:
    values = {
        ItemName("birth_date"): "1990-04-05",
        ItemName("birth_date_as_written"): written,
        ItemName("kana"): None,
    }
    answer = told(Resident(PersonId(1), 1, values))
    assert ("birth_date_as_written" in answer) is (written is not None)
    assert answer["kana"] is None


def test_the_document_lists_every_item() -> None:
    schema = msgspec.json.schema(Items)
    assert set(schema["items"]["enum"]) == set(ITEM_NAMES)
    assert (schema["minItems"], schema["maxItems"]) == (1, 24)
