"""The rules of the books: number, and what staff have to do next.

The numbers stand in refusals (``problems``) beside the field they are about, and in the tests. No
text repeats what was given.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from appliance.plugin_api import Problem, Rejected

RULES: Mapping[str, str] = MappingProxyType(
    {
        # what is written
        "C-01": "この様式にない項目があります。様式(compliance/books)を確認してください。",
        "C-02": "{title}が記入されていません。記入してください。",
        "C-03": "{title}の形式が違います。{form}で記入してください。",
        "C-04": "{title}が本日より後です。実施した日を記入してください。",
        "C-05": "{title}に、同じものが二つ以上あります。重複を除いてください。",
        "C-06": "{title}は、点検表の全ての項目に一回ずつ回答してください。",
        "C-07": "{title}に「不適」の項目がある場合は、その内容と対応を備考に記入してください。",
        "C-08": "{title}に、操作者名簿にない照合IDがあります。照合IDを確認してください。",
        "C-09": "{title}に、操作者名簿にない所属があります。所属の名称を確認してください。",
        # what can be done now
        "C-11": "現在の状態({state})では、この手続はできません。状態を確認してください。",
        "C-12": "この手続は済んでいます。登録内容を確認してください。",
        "C-13": "先に「{before}」を行ってください。",
        "C-14": "期限のある手続({clock})が済んでいません。先に行ってください。",
        "C-15": "この簿冊は、他の手続から自動的に登録されます。直接登録することはできません。",
        # 監査
        "C-21": "監査担当者は、監査を受ける所属の者であってはなりません。他の者を選んでください。",
        "C-22": "監査は、指定された監査担当者が登録してください。",
        # インシデント
        "C-31": (
            "不正の目的によるおそれがあるもの、又は対象者が100人を超えるものは、"
            "報告を要します。「報告を要する」としてください。"
        ),
        "C-32": "本人への通知が済んでいません。通知の方法を登録してから終了してください。",
        # 委託・作業
        "C-41": "立会者は、委託先の者であってはなりません。職員を選んでください。",
        "C-42": "作業の終わりが始まりより前です。期間を確認してください。",
        "C-43": "操作履歴を確認してから、「操作履歴の確認」を「はい」としてください。",
        "C-44": "この番号の委託先は登録されていないか、終了しています。番号を確認してください。",
        "C-45": "委託先の者は、作業の完了を確認できません。職員が確認してください。",
        # 研修
        "C-51": "再受講した者は、欠席した者の中から選んでください。",
        "C-52": "欠席した者の再受講が済んでいません。全員の再受講を登録してください。",
        "C-53": "今年度の確認は済んでいます。来年度に行ってください。",
        "C-54": "受講した者が記入されていません。照合ID又は委託先の従事者を記入してください。",
        "C-55": "内容を読んで理解した場合に、「はい」としてください。",
        "C-56": "委託先の研修には、委託先の番号を記入してください。",
        "C-57": "他の所属の者が含まれています。自らの所属の者だけを登録してください。",
    }
)
ABOUT: Mapping[str, str] = MappingProxyType(
    {
        "C-21": "auditors",
        "C-22": "step",
        "C-31": "reporting",
        "C-32": "step",
        "C-41": "witness",
        "C-42": "until_on",
        "C-43": "history_checked",
        "C-44": "contractor",
        "C-51": "made_up",
        "C-52": "step",
        "C-45": "step",
        "C-53": "book",
        "C-54": "attended",
        "C-55": "understood",
        "C-56": "contractor",
        "C-57": "attended",
    }
)
"""The field that the rule of one book is about."""


def problem(rule: str, item: str = "", **said: str) -> Problem:
    """Return what a rule says of a field; ``said`` fills what its text leaves open."""
    return Problem(rule, item or ABOUT[rule], RULES[rule].format(**said))


def broken(problems: Iterable[Problem]) -> Rejected:
    """Return the refusal of a step that breaks rules: all of them at once."""
    told = list(problems)
    return Rejected(f"against rule {told[0].rule}", problems=told)
