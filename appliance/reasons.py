"""異動事由: the project's codes, with 区分 and name (R106)."""

from collections.abc import Mapping
from types import MappingProxyType

ENTERED, STRUCK_OFF, AMENDED = "記載", "消除", "修正"
REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "11": (ENTERED, "転入等"),
        "12": (ENTERED, "出生"),
        "13": (ENTERED, "職権記載等"),
        "21": (STRUCK_OFF, "転出"),
        "22": (STRUCK_OFF, "死亡"),
        "23": (STRUCK_OFF, "職権消除等"),
        "31": (AMENDED, "転居"),
        "32": (AMENDED, "軽微な修正"),
        "33": (AMENDED, "職権修正等"),
        "41": (AMENDED, "住民票コードの記載の変更請求"),
        "42": (AMENDED, "住民票コードの職権記載等"),
        "51": (AMENDED, "個人番号の変更請求"),
        "52": (AMENDED, "個人番号の職権修正等"),
        "53": (AMENDED, "個人番号の職権記載等"),
    }
)
"""By code: 区分 and 異動事由."""
