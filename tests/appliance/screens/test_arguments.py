"""What an operation is asked with, in words: for whoever is to agree to it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.certificates import CertificateAuthority, peer_from_pem
from appliance.forms import titles
from appliance.loaded import put_together
from appliance.operation import AnyOperation, argument_paths
from appliance.screens.arguments import labels, lines
from appliance.testing import identified, ours

NOW = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
PEM = (
    CertificateAuthority.create("test CA", NOW)
    .issue_client("CS-1", now=NOW, days=10)
    .certificate_pem.decode()
)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"contractor": False}, ("委託先かどうか", "いいえ")),
        ({"until": "2026-04-30"}, ("有効期限", "令和8年4月30日 (2026年4月30日)")),
        ({"since": "2026-03-31T23:30:00Z"}, ("期間の始まり", "令和8年4月1日 (2026年4月1日) 08:30")),
        ({"note": "2026-13-45"}, ("備考", "2026-13-45")),
        ({"holders": ["P-1", "P-2"]}, ("保有者の照合ID", "P-1、P-2")),
        ({"holders": []}, ("保有者の照合ID", "(なし)")),
        ({"place": ""}, ("場所", "(なし)")),
        ({"kind": "municipality"}, ("種別", "市町村CS (municipality)")),
        ({"municipality_code": "432024"}, ("市町村コード", "八代市 (432024)")),
        ({"subject": {"days": 3}}, ("請求者 / 日数", "3")),
        ({"records": [{"days": 3}, {"days": None}]}, ("記録", "日数: 3、日数: (なし)")),
        ({"certificate": "-----BEGIN CERTIFICATE-----"}, ("証明書", "-----BEGIN CERTIFICATE-----")),
        ({"unheard_of": 1}, ("unheard_of", "1")),
    ],
)
def test_a_value_is_told_in_words(given: dict[str, Any], told: tuple[str, str]) -> None:
    assert lines(given, {}, {}) == [told]


def test_a_certificate_is_told_by_what_is_compared_with_the_paper() -> None:
    (mark, shown), (_, term) = lines({"certificate": PEM}, {}, {})
    assert mark == "証明書の拇印(SHA-256)"
    assert shown.replace(" ", "") == peer_from_pem(PEM).fingerprint
    assert term.endswith("令和8年4月11日 (2026年4月11日) 10:00 まで")


def seconded() -> list[AnyOperation]:
    offered = put_together(ours(), identified()).operations.values()
    return [operation for _, operation in offered if operation.seconded]


@pytest.mark.parametrize("operation", seconded(), ids=lambda each: str(each.name))
def test_whatever_takes_two_and_every_argument_of_it_has_a_japanese_name(
    operation: AnyOperation,
) -> None:
    paths = [*argument_paths(operation.asks)]
    named = [operation.title, *labels(paths, titles(operation.asks))]
    assert [each for each in named if not each or each.isascii()] == []
