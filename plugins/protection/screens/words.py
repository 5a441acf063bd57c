"""What the codes of this function are called on screens, and how numbers of papers are read."""

from collections.abc import Mapping
from typing import Any
from unicodedata import normalize

from appliance.plugin_api import Form

PACKAGE = "plugins.protection"
GROUP = "検索・提供"
BOOK, MARKING = "/screens/protection/marks", "/screens/protection/mark"
OPENING = "/screens/protection/opening"
KINDS = {"mark": "要注意の登録", "lift": "要注意の解除", "opening": "二人で開く"}
REASONS = {
    "domestic-violence": "配偶者からの暴力",
    "stalking": "ストーカー行為",
    "child-abuse": "児童虐待",
    "other": "その他",
}
STATES = {
    "asked": "承認待ち",
    "in-force": "有効",
    "over": "期間満了",
    "lifted": "解除",
    "refused": "却下又は取下げ",
}
CHIPS = {"asked": "wait", "in-force": "good"}
"""The colour of a state; ``plain`` without an entry."""
WORDS: Mapping[str, Any] = {
    "kinds": KINDS,
    "reasons": REASONS,
    "states": STATES,
    "chips": CHIPS,
}
"""For every template of this function."""


def narrow(form: Form, name: str) -> str | None:
    """Return what was typed in half-width letters, as numbers of papers are kept, or None."""
    return normalize("NFKC", form.raw(name)).replace("ー", "-").strip() or None
