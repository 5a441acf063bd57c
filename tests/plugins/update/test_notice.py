"""What a notice becomes: the items that are told, and those the appliance adds."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from appliance.items import CELLS
from plugins.update.notice import READ, Notice, digest, record, told
from tests.plugins.update.making import NOW, TODAY, notice, wire


def test_a_record_has_every_item_of_the_file():
    values = record(told(notice()), removed=False, received=TODAY, now=NOW)
    assert set(values) == {item.name for item in CELLS}


def test_what_the_appliance_adds():
    given = notice(name="{gaiji:1:1}藤　太郎", name_gaiji_count=1, kana="サトウ　ジョウジ")
    values = record(
        told(given),
        removed=False,
        received=date(2026, 3, 31),
        now=datetime(2026, 4, 1, 1, 2, 3, 45, tzinfo=UTC),
    )
    added = {
        "kana": "さとう　じょうじ",
        "search_kana": "さとうしようし",
        "gaiji_flag": True,
        "removed_flag": False,
        "retention_flag": "0",
        "operator_id": "SYSTEM",
        "terminal_id": "SYSTEM",
        "recorded_at": "2026-04-01T01:02:03.000045Z",
        "notified_on": "2026-03-31",
    }
    assert {item: values[item] for item in added} == added


def test_the_retention_of_somebody_struck_off_runs_from_this_notice():
    values = record(told(notice(reason="21")), removed=True, received=TODAY, now=NOW)
    assert (values["removed_flag"], values["retention_flag"]) == (True, "1")


def test_a_foreigner_has_no_reading_and_no_search_kana():
    values = record(
        told(notice(name="SMITH JOHN", kana=None)), removed=False, received=TODAY, now=NOW
    )
    assert (values["kana"], values["search_kana"]) == (None, None)


def test_a_gaiji_in_the_address_sets_the_flag_too():
    given = notice(address="熊本県{gaiji:1:1}", address_gaiji_count=1, address_gaiji_serial=1)
    values = record(told(given), removed=False, received=TODAY, now=NOW)
    assert values["gaiji_flag"] is True


def test_text_is_stored_composed_but_never_folded():
    given = told(notice(name="か\u3099　﨑", address="熊本県か\u3099"))
    assert (given["name"], given["address"]) == ("が　﨑", "熊本県が")


def test_the_digest_is_of_the_content_not_of_its_spelling():
    again = msgspec.convert(dict(reversed(wire().items())), Notice)
    assert digest(notice()) == digest(again)
    assert digest(notice()) != digest(notice(sex="2"))


def test_the_rules_read_no_more_than_they_need():
    assert len(READ) == 17
    assert not {"search_kana", "operator_id", "terminal_id"} & set(READ)


@pytest.mark.parametrize("field", ["kana", "my_number", "town_code", "update_number", "name"])
def test_a_field_that_could_mean_deleting_cannot_be_left_out(field):
    plain = wire()
    del plain[field]
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(plain, Notice)
