import tomllib
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from appliance.errors import StartupError
from appliance.items import ITEM_NAMES, ItemName
from appliance.model import OperationName, PurposeCode, Role, TerminalKind
from appliance.policy import PurposeRule, items_of, read_policy
from appliance.thresholds import USUAL

SHIPPED = Path(__file__).parents[2] / "firmware_config" / "policy"
ROLES = """
version = 3
[roles.clerk]
label = "操作者"
terminals = ["representative", "business"]
operations = ["search/find"]
items = ["name", "address"]
keys = ["four"]
"""
PURPOSES = """
version = 7
[purposes.tax]
label = "県税"
basis = "条例"
agency = "県税事務所"
operations = ["search/find"]
items = ["*"]
keys = ["four"]
reasons = { "01" = "住所の確認" }
valid_from = 2020-04-01
"""
OFFICE = """
version = 2
[office]
prefecture = "熊本県"
issuer = "熊本県知事"
agency = "市町村課行政班"
department = "市町村課"
address = "熊本市"
phone = "096"
fee_yen = 10
stamps = "熊本県収入証紙"
published_at = "情報プラザ"
"""
ACCESS = """
version = 4
[access]
fresh_minutes = 3
fresh = ["search/find"]
models = ["00000000-0000-0000-0000-000000000001"]
"""

WATCHING = """
version = 4
[flags]
open_days = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "roles.toml").write_text(ROLES, "utf-8")
    (tmp_path / "purposes.toml").write_text(PURPOSES, "utf-8")
    (tmp_path / "office.toml").write_text(OFFICE, "utf-8")
    (tmp_path / "access.toml").write_text(ACCESS, "utf-8")
    (tmp_path / "watching.toml").write_text(WATCHING, "utf-8")
    return tmp_path


def problems(folder: Path) -> tuple[str, ...]:
    with pytest.raises(StartupError) as refused:
        read_policy(folder)
    return refused.value.problems


def rewrite(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_the_files_make_the_policy(folder: Path) -> None:
    policy = read_policy(folder)
    clerk, tax = policy.roles[Role("clerk")], policy.purposes[PurposeCode("tax")]
    assert clerk.terminals == (TerminalKind.REPRESENTATIVE, TerminalKind.BUSINESS)
    assert (clerk.removed, clerk.history) == (False, False)
    assert tax.valid_from == date(2020, 4, 1)
    assert policy.version == (3, 7, 2, 4, 4)
    assert policy.access.freshness == timedelta(minutes=3)


def test_the_digest_covers_every_byte_of_all_files(folder: Path) -> None:
    before = read_policy(folder).digest
    texts = (ROLES, PURPOSES, OFFICE, ACCESS, WATCHING)
    assert before == sha256("\0".join(texts).encode()).digest()
    rewrite(folder, "purposes.toml", "県税事務所", "県税事務所 ")
    assert read_policy(folder).digest != before


def test_a_star_is_all_items(folder: Path) -> None:
    policy = read_policy(folder)
    assert items_of(policy.purposes[PurposeCode("tax")]) == ITEM_NAMES
    assert items_of(policy.roles[Role("clerk")]) == {ItemName("name"), ItemName("address")}


def test_every_problem_is_told_at_once(folder: Path) -> None:
    rewrite(folder, "roles.toml", 'label = "操作者"', 'label = "操作者"\ncolour = "red"')
    rewrite(folder, "roles.toml", "version = 3", "version = 0\nowner = 1")
    with (folder / "roles.toml").open("a", encoding="utf-8") as file:
        file.write('[roles.king]\nlabel = "王"\nterminals = ["throne"]\noperations = []\n')
    rewrite(folder, "purposes.toml", 'basis = "条例"\n', "")
    told = problems(folder)
    assert len(told) == 5
    for part in ("colour", "version", "'owner'", "[roles.king]", "basis"):
        assert any(part in problem for problem in told), part


@pytest.mark.parametrize("version", ["", 'version = "1"', "version = true", "version = -1"])
def test_a_file_has_a_version(folder: Path, version: str) -> None:
    rewrite(folder, "roles.toml", "version = 3", version)
    assert problems(folder) == ("roles.toml: version must be a whole number, 1 or more",)


def test_every_file_may_be_missing(tmp_path: Path) -> None:
    told = problems(tmp_path)
    files = ["roles.toml", "purposes.toml", "office.toml", "access.toml", "watching.toml"]
    assert [text.split(":")[0] for text in told] == files


def test_an_empty_file_is_a_problem_too(folder: Path) -> None:
    (folder / "roles.toml").write_bytes(b"")
    assert any("no [roles.*] tables" in text for text in problems(folder))


@pytest.mark.parametrize("rules", [b"version = 1\nroles = 3", b"version = 1\n[roles]"])
def test_a_file_without_rules_is_a_problem(folder: Path, rules: bytes) -> None:
    (folder / "roles.toml").write_bytes(rules)
    assert problems(folder) == ("roles.toml: there are no [roles.*] tables",)


@pytest.mark.parametrize("content", [b"version = ", b"\xff\xfe", b"a = 1\na = 2"])
def test_what_is_not_toml_is_named(folder: Path, content: bytes) -> None:
    (folder / "roles.toml").write_bytes(content)
    (told,) = problems(folder)
    assert told.startswith("roles.toml: ")


def test_an_office_is_whole(folder: Path) -> None:
    rewrite(folder, "office.toml", 'issuer = "熊本県知事"', "")
    (told,) = problems(folder)
    assert told.startswith("office.toml [office]: ")
    assert "issuer" in told
    rewrite(folder, "office.toml", "[office]", "[bureau]")
    assert "office.toml: unknown key 'bureau'" in problems(folder)


def test_what_does_not_exist_is_found(folder: Path) -> None:
    rewrite(folder, "roles.toml", '"search/find"', '"search/everything"')
    rewrite(folder, "roles.toml", '"name", ', '"nick_name", ')
    rewrite(folder, "purposes.toml", 'keys = ["four"]', 'keys = ["gut_feeling"]')
    assert read_policy(folder).problems([OperationName("search/find")]) == [
        "roles.toml [clerk] operations: 'search/everything' is not known",
        "roles.toml [clerk] items: 'nick_name' is not known",
        "purposes.toml [tax] keys: 'gut_feeling' is not known",
    ]


def test_a_step_of_a_job_must_be_allowed_to_the_appliance_itself(folder: Path) -> None:
    steps = [OperationName("test/step")]
    (told,) = read_policy(folder).unserved(steps)
    assert told == "roles.toml [service] operations: 'test/step' is missing, the step of a job"
    rewrite(folder, "roles.toml", "[roles.clerk]", SERVICE + "[roles.clerk]")
    assert read_policy(folder).unserved(steps) == []


SERVICE = """[roles.service]
label = "service"
terminals = ["service"]
operations = ["test/step"]

"""


def test_a_purpose_may_end(folder: Path) -> None:
    rewrite(folder, "purposes.toml", "2020-04-01", "2020-04-01\nvalid_until = 2021-03-31")
    rule: PurposeRule = read_policy(folder).purposes[PurposeCode("tax")]
    assert rule.valid_until == date(2021, 3, 31)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("fresh_minutes = 3", "fresh_minutes = 0"),
        ("fresh_minutes = 3", "pin_days = 0"),
        ("fresh_minutes = 3", "fresh_hours = 1"),
        ("fresh_minutes = 3", "roots = ['no certificate']"),
        ("-000000000001", ""),
        ("[access]", "[acces]"),
    ],
)
def test_how_people_prove_who_they_are_is_understood_whole(
    folder: Path, old: str, new: str
) -> None:
    rewrite(folder, "access.toml", old, new)
    assert problems(folder)[0].startswith("access.toml")


def test_a_recent_proof_is_asked_for_what_there_is(folder: Path) -> None:
    rewrite(folder, "access.toml", "search/find", "search/fnd")
    policy = read_policy(folder)
    told = policy.unknown_operations([OperationName("search/find")])
    assert told == ["access.toml [access] fresh: 'search/fnd' is not known"]


def test_thresholds_are_part_of_the_policy(folder: Path) -> None:
    watching = read_policy(folder).watching
    assert (watching.version, watching.flags.open_days) == (4, 3)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("open_dayz = 3", "unknown field `open_dayz`"),
        ("open_days = 0", "`int` >= 1"),
        ('open_days = "3"', "Expected `int`"),
    ],
)
def test_a_threshold_that_is_not_understood_is_named(folder: Path, line: str, told: str) -> None:
    rewrite(folder, "watching.toml", "open_days = 3", line)
    (problem,) = problems(folder)
    assert problem.startswith("watching.toml: ")
    assert told in problem
    assert "flags" in problem


def test_the_shipped_thresholds_name_every_key_and_are_the_usual_ones() -> None:
    text = (SHIPPED / "watching.toml").read_text("utf-8")
    written = tomllib.loads(text)
    usual = msgspec.to_builtins(USUAL)
    for table, keys in usual.items():
        if table != "version":
            assert written[table].keys() == keys.keys(), table
    shipped = read_policy(SHIPPED).watching
    hours = msgspec.structs.replace(shipped.hours, holidays=())
    assert msgspec.structs.replace(shipped, hours=hours, version=1) == USUAL
