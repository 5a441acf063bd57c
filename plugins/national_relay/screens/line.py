"""全国サーバとの通信: how much waits for it, and the line taken out of use on purpose."""

import re
from collections.abc import Iterable
from unicodedata import normalize

from appliance.plugin_api import Desk, Form, OperationName, Page, Screen, Waiting
from plugins.national_relay.upkeep import LONGEST

OUTBOX, MAINTENANCE = "relay/outbox", "relay/maintenance"
PATH = "/screens/relay/line"
CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def show(desk: Desk) -> Page:
    """Tell how far the national server is."""
    return _page(desk)


def pause(desk: Desk, form: Form) -> Page:
    """Take the line out of use until a time."""
    form.need(reason="保守の理由", until="終了日", clock="終了時刻")
    day, clock = form.day("until"), _clock(form)
    until = f"{day}T{clock}:00+09:00"
    asked = {"on": True, "reason": form.text("reason"), "until": until}
    desk.ask(MAINTENANCE, asked)
    return _page(desk, f"全国サーバとの通信を{day} {clock}まで停止します。")


def resume(desk: Desk, form: Form) -> Page:
    """Take it back into use."""
    desk.ask(MAINTENANCE, {"on": False})
    return _page(desk, "全国サーバとの通信を再開しました。")


def waiting(desk: Desk) -> Iterable[Waiting]:
    """Say whether the line is out of use."""
    stopped = int(desk.ask(OUTBOX, {})["paused_until"] is not None)
    return [Waiting("全国サーバとの通信の停止(保守)", stopped)]


def _page(desk: Desk, notice: str = "") -> Page:
    data = {"outbox": desk.ask(OUTBOX, {}), "may": desk.may(MAINTENANCE), "longest": LONGEST.days}
    return Page(template="line.html", notice=notice, data=data)


def _clock(form: Form) -> str:
    text = normalize("NFKC", form.raw("clock")).strip()
    if text and not CLOCK.fullmatch(text):
        form.wrong("clock", "17:30のように、時と分を入力してください。")
    return text.zfill(len("hh:mm"))


SCREEN = Screen(
    path=PATH,
    title="全国サーバとの通信",
    group="システム",
    package="plugins.national_relay",
    needs=OperationName(OUTBOX),
    show=show,
    acts={"pause": pause, "resume": resume},
    waiting=waiting,
)
