"""The rules of disclosure and correction: number, what it is about, what staff have to do next.

The numbers stand in refusals (``problems``) and in the tests. The law counts 三十日 from the day of
acceptance on, that day included (「受理した日から起算して」).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

from appliance.plugin_api import PartialDate, Problem, Rejected

DAYS = 30
"""開示の期限 (住民基本台帳法第30条の33第1項); for a correction the office's own aim."""
MOST_MORE_DAYS = 60
"""By how many days at most this office puts a disclosure off; the law bounds it by its reasons."""
MOST_DAYS_AGO = 365
"""How far back a request may be entered; what is older is a slip of the pen."""
MAJORITY = 18
"""成年 (民法第4条, since 2022-04-01)."""

RULES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "D-01": (
            "received_on",
            "受付日が正しい日付でないか、本日より後です。受付日を直してください。",
        ),
        "D-02": (
            "birth_date",
            "生年月日が正しい日付でありません。不詳の部分は00として入力してください。",
        ),
        "D-03": (
            "representative",
            "本人は受付日に成年に達しているため、未成年者の法定代理人による請求はできません。"
            "本人からの請求を案内してください。",
        ),
        "D-04": (
            "number",
            "この受付番号の事案では、この処理はできません。事案の種類を確認してください。",
        ),
        "D-05": ("number", "この事案は終了しています。新たに受け付けてください。"),
        "D-06": (
            "stamps_yen",
            "手数料の収入証紙が足りません。不足分を受け取り、補正で登録してください。",
        ),
        "D-07": ("number", "突合が済んでいません。突合を行ってください。"),
        "D-08": (
            "number",
            "請求書の記載が本人確認情報と一致しないため、出力できません。"
            "請求者に確認し、補正の後、再び突合してください。記載に誤りがないと確認したときは、"
            "確認済みとして再び突合してください。",
        ),
        "D-09": (
            "number",
            "突合の後に記録が更新されました。再び突合を行ってください。",
        ),
        "D-10": (
            "number",
            "既に発行しています。再び出力するときは、帳票番号を指定して再発行を行ってください。",
        ),
        "D-12": (
            "until",
            "期限の延長は、当初の期限までに、それより後で当初の期限から60日以内の日を定めて"
            "行わなければなりません。日付を直してください。",
        ),
        "D-13": (
            "number",
            "様式、発行者の記載又は残っている記録が変わったため、同じものを出力できません。"
            "新たに受け付けて発行してください。",
        ),
        "D-14": (
            "sheet",
            "この帳票は、現在の状態({state})ではこの処理を行えません。"
            "帳票管理簿で確認してください。",
        ),
        "D-15": (
            "disclosure",
            "訂正等の申出は、開示を受けた後に受け付けます。開示の交付を登録してください。",
        ),
        "D-16": (
            "number",
            "調査の結果が登録されていません。先に調査の結果を登録してください。",
        ),
        "D-17": ("number", "調査の結果が「誤りあり」でないため、通報は行いません。"),
        "D-18": (
            "number",
            "市町村からの新たな通知がまだありません。通知を受けてから登録してください。",
        ),
        "D-19": (
            "why",
            "交付が済んでいないため、完了とすることができません。先に交付を登録してください。",
        ),
        "D-20": (
            "municipality_code",
            "記録がないため、通報先の市町村を特定できません。市町村コードを指定してください。",
        ),
        "D-21": (
            "number",
            "通報が済んでいません。通報を行ってから結果を通知してください。",
        ),
        "D-22": ("witness", "廃棄の立会者は、廃棄する者以外の職員でなければなりません。"),
        "D-23": (
            "outcome",
            "市町村長の通知により記録が改められているため、「改めない」とする通知はできません。"
            "corrected 又は partly を選んでください。",
        ),
        "D-24": ("on", "交付日は、発行日以後で本日までの日としてください。"),
        "D-25": (
            "received_on",
            "申出の受付日は、開示の発行日以後で本日までの日としてください。",
        ),
        "D-26": (
            "number",
            "この受付番号の事案は、現在の状態({state})ではこの処理を行えません。"
            "事案で状態を確認してください。",
        ),
        "D-27": ("number", "通報が済んでいません。先に通報を行ってください。"),
        "D-28": (
            "outcome",
            "調査の結果が「誤りなし」のため、「改めた」とする通知はできません。",
        ),
        "D-29": ("number", "市町村からの通知を関連付けてください。"),
        "D-30": ("sheet", "この事案は終了しています。帳票は保管又は廃棄してください。"),
        "D-31": (
            "number",
            "交付も廃棄もしていない帳票があります(帳票番号{sheets})。"
            "先に交付又は廃棄を登録してください。",
        ),
        "D-32": ("sheet", "交付済みです。新たに請求を受け付けてください。"),
        "D-33": (
            "municipality_code",
            "この市町村コードは県内の市町村のものではありません。コードを確認してください。",
        ),
        "D-34": (
            "municipality_code",
            "記録のある方については市町村コードを指定できません。指定を外してください。",
        ),
        "D-35": (
            "received_on",
            "受付日が1年より前です。正しい受付日を入力してください。"
            "登録後に誤りが分かったときは、補正で直すことができます。",
        ),
        "D-36": (
            "again",
            "期限は既に延長しています。更に延長するときは、再度の理由(again)を入力してください。",
        ),
        "D-37": ("until", "延長後の期限が正しい日付でありません。日付を直してください。"),
        "D-38": (
            "sha256",
            "内容が変わりました。発行する内容(preview)をもう一度確認してから発行してください。",
        ),
        "D-39": (
            "shapes_seen",
            "{items}に、書体 IPAmj明朝 にない字形の文字({characters})があり、"
            "標準の字形で印字されます。字形を確認し、確認済み(shapes_seen)として発行してください。",
        ),
    }
)


def broken(rule: str, **said: str) -> Rejected:
    """Return the refusal that a rule gives; ``said`` fills what its text leaves open."""
    item, text = RULES[rule]
    return Rejected(f"against rule {rule}", problems=[Problem(rule, item, text.format(**said))])


def due_on(received: date) -> date:
    """Return the last day on which a request received on a day may be answered."""
    return received + timedelta(days=DAYS - 1)


def day_of(text: str, rule: str) -> date:
    """Return a day of the calendar.

    Raises:
        Rejected: it is none; ``rule`` says what is wrong.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise broken(rule) from None


def is_of_age(birth_date: str, day: date) -> bool:
    """Return whether somebody is certainly of age on a day.

    Raises:
        Rejected: the birth date is not a date (D-02).
    """
    try:
        written = PartialDate.parse(birth_date)
    except ValueError:
        raise broken("D-02") from None
    if not written.in_calendar:
        raise broken("D-02")
    born = written.upper()
    # A year is complete at the end of the day before the birthday (年齢計算ニ関スル法律).
    tomorrow = day + timedelta(days=1)
    return (tomorrow.year - MAJORITY, tomorrow.month, tomorrow.day) >= (
        born.year,
        born.month,
        born.day,
    )
