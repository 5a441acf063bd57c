"""From what the operations tell to the twelve plots of 利用状況・監査; nothing is asked here.

What another plugin tells comes as the data of its answer, as it would over the wire: no plugin
knows another. None means that whoever looks may not ask for it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from appliance.plugin_api import JST, Municipalities, plots
from plugins.watching.closeup import Closely
from plugins.watching.usage import FUNCTIONS, OfDay, OfPerson, Used

MOST_PEOPLE = 30
"""Rows of the heat map; the table has no more either, the search of the ledger has them all."""
MOST_DAYS = 62
"""Longer periods are shown by month."""
MOST_PURPOSES = 4
"""事務 with a part of their own; all others are one."""
FUNCTION_NAMES = {
    "search": "検索",
    "provision": "提供",
    "disclosure": "開示",
    "relay": "機構への照会",
    "session": "認証",
    "ledger": "操作履歴",
    "usebook": "使用簿",
    "watching": "監視",
}
PROOFS = {"device": "生体認証", "pin": "暗証番号", "failed": "失敗"}
MATCHED = {"matched": "一致", "unrecorded": "操作履歴のみ", "unfounded": "使用簿のみ"}
DIFFERING = {
    "differing": "項目の相違",
    "missing_here": "県に無い者",
    "missing_there": "市区町村に無い者",
}
REFUSED, OVERLAPS, OTHERS = "拒否", "同時利用", "その他の事務"
Data = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Everything that was asked for."""

    since: date
    until: date
    close_since: date
    """Since when the ledger was read entry by entry."""
    person: str | None
    uses: Used
    week: Closely
    months: Data | None
    """Of usebook/figures."""
    runs: Data | None
    """Of reconcile/runs."""
    years: Mapping[int, Data] | None
    """Lines of provision/yearly, by fiscal year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A plot, or some of a kind, and what for."""

    number: int
    title: str
    purpose: str
    requirement: str
    plots: tuple[plots.Plot, ...]
    hint: str = ""


def sections(told: Told) -> list[Section]:
    """Return the plots that may be seen, in their order."""
    made: list[Section] = []
    for number, (title, purpose, requirement, draw) in enumerate(PLOTS, 1):
        drawn = draw(told)
        if drawn is not None:
            hint = HINTS.get(number, "")
            made.append(
                Section(
                    number=number,
                    title=title,
                    purpose=purpose,
                    requirement=requirement,
                    plots=tuple(drawn),
                    hint=hint,
                )
            )
    return made


def _daily(told: Told) -> Iterator[plots.Plot]:
    days = told.uses.days
    labels = [f"{each.day:%m-%d}" for each in days]
    for function in FUNCTIONS:
        label = FUNCTION_NAMES[function]
        line = plots.Line(
            label,
            [each.uses.get(function, 0) if _is_counted(told, each) else None for each in days],
            [_range(each, function) for each in days],
        )
        yield plots.lines(f"daily-{function}", f"日ごとの{label}の件数", labels, [line])


def _hours(told: Told) -> Iterator[plots.Plot]:
    people = sorted(told.uses.persons, key=lambda each: (-sum(each.hours), each.person))
    people = [each for each in people if any(each.hours)][:MOST_PEOPLE]
    opens, closes = (_minute(each) for each in (told.uses.opens, told.uses.closes))
    yield plots.heat(
        "hours",
        "操作者と時刻ごとの件数",
        [str(hour) for hour in range(24)],
        [_who(each) for each in people],
        [each.hours for each in people],
        outlined=[hour for hour in range(24) if not opens <= hour * 60 < closes],
        outline="業務時間外",
        axis="照合ID(所属)",
    )


def _matching(told: Told) -> Iterator[plots.Plot] | None:
    if told.months is None:
        return None
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for month in told.months:
        for name in MATCHED:
            sums[month["office"]][name] += (month["matched"] or {}).get(name, 0)
    values = [[sums[office][name] for name in MATCHED] for office in sorted(sums)]
    parts = list(MATCHED.values())
    return iter([plots.bars("matching", "所属ごとの突合の結果", sorted(sums), parts, values)])


def _several(told: Told) -> Iterator[plots.Plot]:
    seen = [(f"操作履歴 {each.index}番", each.persons) for each in told.week.residents]
    caption = (
        f"複数の操作者又は所属が閲覧した者({told.close_since:%m-%d}から{told.until:%m-%d}まで)"
    )
    yield plots.ranked("several", caption, seen, unit="人", axis="最初の閲覧", value="操作者の数")


def _looked_only(told: Told) -> Iterator[plots.Plot]:
    items = [(_who(each), each.looked_only, each.looks) for each in told.uses.persons]
    caption = "閲覧の後に提供・開示・照会がなかった割合"
    yield plots.shares(
        "looked-only", caption, items, part="閲覧のみ", whole="閲覧", axis="照合ID(所属)"
    )


def _hits(told: Told) -> Iterator[plots.Plot]:
    hits = told.uses.hits
    yield plots.columns(
        "hits",
        f"検索の該当件数(氏名・ふりがなだけの検索 {told.uses.by_name:,}件)",
        [f"{each}件" for each in hits],
        ["検索"],
        [[count] for count in hits.values()],
        axis="該当件数",
    )


def _events(told: Told) -> Iterator[plots.Plot]:
    events = [
        plots.Event(
            each.at.astimezone(JST),
            _function(each.operation),
            f"{each.operation}({each.index}番、{each.terminal})",
            REFUSED if each.refusal else "",
        )
        for each in told.week.entries
    ]
    whose = f"{told.person} の操作" if told.person else "一人の操作者の操作"
    yield plots.timeline("events", whose, events, *_moments(told.close_since, told.until))


def _lags(told: Told) -> Iterator[plots.Plot]:
    boxes = [plots.box_of(_place(each.municipality_code), each.lags) for each in told.uses.updates]
    yield plots.strip("lags", "異動年月日から反映までの日数", boxes)


def _reconciled(told: Told) -> Iterator[plots.Plot] | None:
    if told.runs is None:
        return None
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for run in told.runs:
        finished = datetime.fromisoformat(run["finished_at"]).astimezone(JST)
        for name in DIFFERING:
            sums[f"{finished:%Y-%m}"][name] += run[name]
    months = sorted(sums)
    series = [
        plots.Line(label, [sums[month][name] for month in months])
        for name, label in DIFFERING.items()
    ]
    return iter(
        [plots.lines("reconciled", "整合性確認の差異", months, series, unit="人", axis="月")]
    )


def _proofs(told: Told) -> Iterator[plots.Plot]:
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    long = len(told.uses.days) > MOST_DAYS
    for each in told.uses.days:
        sums[f"{each.day:%Y-%m}" if long else f"{each.day:%m-%d}"].update(each.proofs)
    values = [[counts[name] for name in PROOFS] for counts in sums.values()]
    axis = "月" if long else "日"
    yield plots.columns(
        "proofs", "認証の方法と失敗", list(sums), [*PROOFS.values()], values, axis=axis
    )


def _sessions(told: Told) -> Iterator[plots.Plot]:
    begin, end = _moments(told.until, told.until)
    spans = [
        plots.Span(
            each.terminal,
            each.begins.astimezone(JST),
            each.ends.astimezone(JST),
            f"{each.person}、{each.entries:,}件",
            OVERLAPS if each.overlaps else "",
        )
        for each in told.week.sessions
    ]
    yield plots.gantt("sessions", f"端末ごとの利用({told.until:%Y-%m-%d})", spans, begin, end)


def _yearly(told: Told) -> Iterator[plots.Plot] | None:
    if told.years is None:
        return None
    sums: dict[int, Counter[str]] = {}
    for year, lines in told.years.items():
        sums[year] = Counter()
        for line in lines:
            sums[year][line["label"]] += line["asked"]
    whole: Counter[str] = sum(sums.values(), Counter())
    parts = [name for name, _ in whole.most_common(MOST_PURPOSES)]
    values = [
        [*(counts[name] for name in parts), counts.total() - sum(counts[name] for name in parts)]
        for counts in sums.values()
    ]
    labels = [f"{year}年度" for year in sums]
    columns = plots.columns(
        "yearly", "年度ごとの利用件数", labels, [*parts, OTHERS], values, axis="年度"
    )
    return iter([columns])


Draw = Callable[[Told], Iterable[plots.Plot] | None]
PLOTS: tuple[tuple[str, str, str, Draw], ...] = (
    (
        "日ごとの利用件数",
        "曜日の区分(月曜、火から木、金曜、閉庁日)ごとの平常の範囲から外れた日を探します。",
        "R137 不要な検索の定期的な確認",
        _daily,
    ),
    (
        "操作者と時刻",
        "業務時間外の利用や、一人に偏った利用を探します。",
        "R137 不要な検索の定期的な確認",
        _hours,
    ),
    (
        "使用簿の突合",
        "使用簿に記入のない利用と、操作履歴のない記入を所属ごとに比べます。",
        "R136 操作履歴と使用簿の突合",
        _matching,
    ),
    (
        "複数の操作者が閲覧した者",
        "同じ人を多くの操作者や所属が閲覧していないか確認します。",
        "R138 不正な利用の発見",
        _several,
    ),
    (
        "閲覧のみの割合",
        "閲覧した後に提供も開示もしていない操作者を探します。",
        "R137 不要な検索の定期的な確認",
        _looked_only,
    ),
    (
        "検索の広さ",
        "氏名だけの検索や、該当者の多い検索が増えていないか確認します。",
        "R137 不要な検索の定期的な確認",
        _hits,
    ),
    (
        "操作の時系列",
        "一人の操作者が何をしたかを順に確認します。",
        "R134 全ての操作の記録",
        _events,
    ),
    (
        "更新の遅れ",
        "異動から反映までに日数のかかっている市区町村を確認します。",
        "R24 市区町村からの通知の反映",
        _lags,
    ),
    (
        "整合性確認の差異",
        "市区町村のファイルとの差異が増えていないか確認します。",
        "R95 整合性確認の定期的な実施",
        _reconciled,
    ),
    (
        "認証の方法と失敗",
        "暗証番号による認証や、認証の失敗が増えていないか確認します。",
        "R121 生体認証、R124 暗証番号による代替",
        _proofs,
    ),
    (
        "端末ごとの利用",
        "同じ端末や同じ操作者の利用が重なっていないか確認します。",
        "R138 不正な利用の発見",
        _sessions,
    ),
    (
        "年度ごとの利用",
        "事務ごとの利用件数を年度で比べます。",
        "R172 更新と提供の集計",
        _yearly,
    ),
)
"""Title, what for, requirement and how it is drawn."""
HINTS = {
    4: "「操作履歴」の番号から、閲覧した操作者と目的を確認してください。氏名等は表示しません。",
    5: "閲覧の後に何があったかは、数日後に確定します。",
    7: "「照合ID」を入力すると、期間の最後の7日間の操作を表示します。",
    11: "期間の最後の日を表示します。",
}


def _is_counted(told: Told, day: OfDay) -> bool:
    return told.uses.counted_until is not None and day.day <= told.uses.counted_until


def _range(day: OfDay, function: str) -> tuple[float, float] | None:
    usual = day.usual.get(function)
    return (usual.low, usual.high) if usual else None


def _who(person: OfPerson) -> str:
    return f"{person.person}({person.office})"


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def _function(operation: str) -> str:
    function = operation.partition("/")[0]
    return FUNCTION_NAMES.get(function, function)


def _place(code: str) -> str:
    found = Municipalities.load().lookup(code)
    return found.full_name if found else code


def _moments(since: date, until: date) -> tuple[datetime, datetime]:
    """Return when the first day begins and the last one ends."""
    end = datetime.combine(until + timedelta(days=1), time(0), JST)
    return datetime.combine(since, time(0), JST), end
