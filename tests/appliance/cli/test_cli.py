import errno
import json
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import click
import pytest
from click.testing import CliRunner, Result

from appliance.cli import dev, frame, link, machine, session
from appliance.cli import juki as group
from appliance.cli.frame import Exit, Stop, shown, stopped_by, table
from appliance.errors import Failed, StartupError
from appliance.machine import boot, checking, logs
from appliance.machine.opening import open_store
from appliance.machine.store import Layout
from storage.cosignature import Cosigner
from storage.errors import (
    DiskFull,
    LedgerBroken,
    OutcomeUnknown,
    SharesRefused,
    StoreInUse,
    Tampered,
    WrongKey,
)
from storage.lock import FolderLock
from storage.merkle import Tree
from storage.proof import prove
from storage.tiles import FolderReader
from tests.appliance.founding import NOW, Site, make_site, root_of


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("URL", "CERTIFICATE", "KEY", "CA", "SESSION"):
        monkeypatch.delenv(f"JUKI_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def juki(*words: object, given: str | None = None) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words], given)


def as_json(result: Result) -> Any:
    return json.loads(result.stdout)


def init(site: Site, *more: object) -> Result:
    return juki(
        "init", "--config", site.config, "--terminal", site.tls / "terminal.pem",
        "--shares-to", site.custodians, "--json", *more,
    )  # fmt: skip


# --- what all commands have in common ---


@pytest.mark.parametrize(
    ("problem", "exit_code"),
    [
        (Stop(Exit.WRONG, "word", "line"), 1),
        (StartupError("a", "b"), 2),
        (SharesRefused(""), 3),
        (StoreInUse(""), 3),
        (Tampered(""), 4),
        (LedgerBroken(""), 4),
        (WrongKey(""), 4),
        (OutcomeUnknown(""), 4),
        (DiskFull(""), 1),
        (OSError(28, "No space left on device", "/x"), 1),
        (OSError(), 1),
        (Failed("a bug"), 4),
    ],
)
def test_every_error_has_an_exit_code(problem: Exception, exit_code: int) -> None:
    assert stopped_by(problem).exit_code == exit_code


def test_a_fault_of_a_command_tells_where_and_not_what(
    monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    def fail(path: Path) -> None:
        raise KeyError("肥後　太郎")

    monkeypatch.setattr("appliance.cli.machine.read_settings", fail)
    result = juki("config", "show", "--config", site.config, "--json")
    assert result.exit_code == 4
    assert as_json(result)["error"]["code"] == "internal"
    assert "test_cli.py" in result.stderr
    assert "肥後" not in result.output


def commands(each_of: click.Command, path: str = "juki") -> Iterator[tuple[str, click.Command]]:
    if isinstance(each_of, click.Group):
        context = click.Context(each_of)
        for name in each_of.list_commands(context):
            each = each_of.get_command(context, name)
            assert each is not None, name
            yield from commands(each, f"{path} {name}")
    else:
        yield path, each_of


def test_every_command_has_json_and_an_example() -> None:
    for path, command in commands(group):
        options = {option for each in command.params for option in each.opts}
        assert "--json" in options, path
        shown_help = juki(*path.split()[1:], "--help").stdout
        assert "Example" in shown_help, path
        assert f"    {path}" in shown_help, path


def test_no_secret_can_be_given_as_an_argument() -> None:
    secrets = ("pin", "share", "code", "token", "password", "secret")
    for path, command in commands(group):
        names = {each.name for each in command.params}
        assert not names & set(secrets), path


def test_what_is_not_understood_exits_with_2(site: Site) -> None:
    assert juki("nonsense").exit_code == 2
    assert juki("status", "--nonsense").exit_code == 2
    site.config.write_text("colour = 1")
    result = juki("config", "show", "--config", site.config)
    assert result.exit_code == 2
    assert "colour: there is no such key" in result.stderr
    assert "origin: is missing" in result.stderr


def test_tables_count_full_width_characters_twice() -> None:
    rows = [{"a": "県税", "b": None}, {"a": "x", "b": ["y", "z"]}, {"a": True, "b": False}]
    assert table(rows, ("a", "b")).split("\n") == [
        "a     b",
        "----- ----",
        "県税  none",
        "x     y, z",
        "yes   no",
    ]
    assert shown([]) == "none"


def test_what_is_answered_in_parts_and_in_utc_is_told_for_people(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        device = {"label": "指紋 1号", "enrolled_at": "2026-11-30T20:45:24.059633Z", "retired": ""}
        told = "label 指紋 1号, enrolled_at 2026-12-01 05:45:24+09:00, retired none"
        assert shown([device, {"label": "2号"}]) == f"{told}; label 2号"
        assert shown("2026-11-30T20:45") == "2026-11-30T20:45"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_whoever_reads_the_output_may_stop_reading() -> None:
    def stopped() -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    group = frame.Juki("vendor", commands={"list": frame.Command("list", callback=stopped)})
    result = CliRunner().invoke(group, ["list"])
    assert (result.exit_code, result.stderr) == (1, "")


def test_whoever_enrolled_and_holds_no_authority_yet_need_not_say_again_where_to_connect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(_: object, operation: str, *__: object, **___: object) -> dict[str, Any]:
        if operation == "session/open":
            raise Stop(Exit.REFUSED, "not-permitted", "say under which authority")
        return {"person": "P-0002"}

    monkeypatch.setattr(session, "ask", ask)
    kept = tmp_path / "session.json"
    where = ("--url", "https://127.0.0.1:1", "--certificate", "c", "--key", "k", "--ca", "a")
    given = "code\n27182818\n"
    refused = juki("login", "P-0002", "--enrol", *where, "--session", kept, given=given)
    assert refused.exit_code == 3
    assert "registered; from now on: juki login P-0002" in refused.stderr
    assert json.loads(kept.read_text("utf-8"))["url"] == "https://127.0.0.1:1"


def test_a_wide_table_is_wrapped_to_the_screen_and_loses_nothing() -> None:
    purposes = ["register-administration", "prefectural-tax", "passport"]
    lines = table([{"a": "県税事務所", "b": purposes, "c": "[x]"}], ("a", "b", "c"), 40).split("\n")
    assert all(len(line) + sum(c >= "\u1100" for c in line) <= 40 for line in lines)
    assert len(lines) > 3
    joined = "".join("".join(lines[2:]).split())
    for word in ("県税", "register-administration", "passport", "[x]"):
        assert word in joined


def test_a_secret_comes_from_standard_input_line_by_line() -> None:
    @click.command()
    def ask() -> None:
        click.echo(frame.secret("First") + "+" + frame.secret("Second"))

    assert CliRunner().invoke(ask, [], "one\ntwo\n").stdout == "one+two\n"
    assert isinstance(CliRunner().invoke(ask, [], "one\n").exception, Stop)


# --- config, policy ---


def test_config_show_says_where_each_value_came_from(site: Site) -> None:
    plain = as_json(juki("config", "show", "--config", site.config, "--json"))
    assert plain["prefecture"] == {"value": "43", "source": "file"}
    assert plain["session.idle"] == {"value": "5m", "source": "default"}
    text = juki("config", "show", "--config", site.config).stdout
    assert text.startswith("key")
    assert "session.idle" in text


def test_policy_show_says_whether_it_is_signed(site: Site) -> None:
    before = as_json(juki("policy", "show", "--config", site.config, "--json"))
    assert (before["signed"], before["serial"]) == (False, 0)
    init(site)
    after = as_json(juki("policy", "show", "--config", site.config, "--json"))
    assert (after["signed"], after["serial"], after["problems"]) == (True, 1, [])
    assert after["roles"]["system-administrator"]["label"] == "システム管理者"
    assert after["purposes"]["tax"]["reasons"] == {"01": "確認"}
    with (site.firmware / "plugins.toml").open("a") as file:
        file.write("\n")
    text = juki("policy", "show", "--config", site.config).stdout
    assert "NOT SIGNED" in text
    assert "plugins.toml: was changed" in text
    assert "session/open" in text
    assert "fresh_minutes: 2" in text


def test_the_custodians_sign_a_changed_policy(site: Site) -> None:
    init(site)
    first, second = (site.custodians / f"policy-{number}.key" for number in (1, 2))
    with (site.firmware / "plugins.toml").open("a") as file:
        file.write("\n")
    sign = ("policy", "sign", "--config", site.config, "--json")
    signed = as_json(juki(*sign, "--key-file", first))
    assert (signed["serial"], signed["missing"]) == (2, ["juki-policy-2"])
    assert signed["files"] == [
        "plugins.toml",
        "policy/access.toml",
        "policy/office.toml",
        "policy/purposes.toml",
        "policy/roles.toml",
        "policy/watching.toml",
    ]
    half = as_json(juki("policy", "show", "--config", site.config, "--json"))
    assert (half["signed"], "signed by one person only" in half["problems"][0]) == (False, True)
    whole = as_json(juki(*sign, given=second.read_text()))
    assert (whole["serial"], whole["missing"]) == (2, [])
    assert as_json(juki("policy", "show", "--config", site.config, "--json"))["signed"]


def test_what_the_appliance_cannot_start_with_is_not_signed(site: Site) -> None:
    init(site)
    key = site.custodians / "policy-1.key"
    roles, purposes = (site.firmware / "policy" / name for name in ("roles.toml", "purposes.toml"))
    good = purposes.read_text()
    purposes.write_text(good.replace('items = ["name"]', 'items = ["nmae"]'))
    joined = '"session/clsoe", "roster/operators"]\nitems = ["name"]'
    roles.write_text(roles.read_text().replace('"session/close"]', joined))
    sign = ("policy", "sign", "--config", site.config, "--key-file", key)
    refused = juki(*sign)
    assert refused.exit_code == 3
    wrong = [
        "purposes.toml [tax] items: 'nmae' is not known",
        "roles.toml [system-administrator] operations: 'session/clsoe' is not known",
        "roles.toml [system-administrator]: reaches roster/, so it has no items; leave it out",
    ]
    for text in wrong:
        assert text in refused.stderr
    assert "nothing was signed" in refused.stderr
    told = as_json(juki("policy", "show", "--config", site.config, "--json"))
    assert (told["signed"], told["warnings"]) == (False, [])
    assert set(wrong) <= set(told["problems"])
    plugins = site.firmware / "plugins.toml"
    plugins.write_text('version = 1\nplugins = ["of-a-vendor"]\n')
    assert juki(*sign).exit_code == 3  # an item is wrong wherever this is looked at
    purposes.write_text(good)
    assert juki(*sign).exit_code == 3  # and so are duties that are joined
    roles.write_text(roles.read_text().replace('\nitems = ["name"]', ""))
    signed = juki(*sign, "--json")
    assert as_json(signed)["serial"] == 2
    assert "plugin of-a-vendor is not installed here" in signed.stderr
    assert "session/clsoe" in signed.stderr
    assert as_json(juki("policy", "show", "--config", site.config, "--json"))["warnings"]


def test_only_the_key_of_this_store_signs(site: Site, tmp_path: Path) -> None:
    init(site)
    other = make_site(tmp_path / "other")
    init(other)
    theirs = (other.custodians / "policy-1.key").read_text()
    result = juki("policy", "sign", "--config", site.config, given=theirs)
    assert result.exit_code == 3
    assert "another store" in result.stderr
    assert juki("policy", "sign", "--config", site.config, given="nonsense\n").exit_code == 2
    key = site.custodians / "policy-1.key"
    key.chmod(0o644)
    opened = juki("policy", "sign", "--config", site.config, "--key-file", key)
    assert opened.exit_code == 3
    assert "mode 0600" in opened.stderr


# --- init ---


def test_init_hands_out_files_and_says_what_must_be_known(site: Site) -> None:
    plain = as_json(init(site))
    assert [Path(path).name for path in plain["shares"]] == [
        *(f"share-{number}.txt" for number in range(1, 6)),
        "policy-1.key",
        "policy-2.key",
    ]
    assert plain["ledger_key"].startswith("audit.juki.test/g1+")
    assert plain["enrolment_code"].count("-") == 3
    assert not any(key.startswith("share_") for key in plain)
    again = init(site)
    assert again.exit_code == 3
    assert "never made over another" in again.stderr


def test_init_prints_the_shares_if_asked_to(site: Site) -> None:
    result = juki(
        "init", "--config", site.config, "--terminal", site.tls / "terminal.pem",
        "--shares-to", "-", "--expires", "2030-03-31",
    )  # fmt: skip
    assert result.exit_code == 0
    shares = [line for line in result.stdout.splitlines() if line.startswith("share_")]
    assert [len(line.split(": ")[1].split()) for line in shares] == [33] * 5
    assert "policy_secret_1: " in result.stdout
    assert "policy_secret_2: " in result.stdout


def test_the_shares_never_lie_in_the_folder_they_open(site: Site) -> None:
    result = juki(
        "init", "--config", site.config, "--terminal", site.tls / "terminal.pem",
        "--shares-to", site.data / "shares",
    )  # fmt: skip
    assert result.exit_code == 3
    assert not site.data.exists()


def test_init_takes_a_certificate_and_nothing_else(site: Site) -> None:
    wrong = juki(
        "init", "--config", site.config, "--terminal", site.tls / "terminal.key",
        "--shares-to", site.custodians,
    )  # fmt: skip
    assert wrong.exit_code == 2
    assert init(site, "--policy-key", "nonsense").exit_code == 2


def test_the_two_who_are_let_in_first_are_two(site: Site) -> None:
    for same in (("--officer-person", "P-0001"), ("--officer-operator", "OP-0001")):
        wrong = init(site, *same)
        assert wrong.exit_code == 2
        (problem,) = as_json(wrong)["error"]["problems"]
        assert "second person" in problem
    assert not site.data.exists()


def test_init_says_which_name_is_not_of_its_form(site: Site) -> None:
    wrong = init(site, "--operator", "OP 1", "--person", "", "--terminal-id", "SYSTEM")
    assert wrong.exit_code == 2
    assert as_json(wrong)["error"]["problems"] == [
        "--terminal-id must be 1 to 16 of A-Z 0-9 -",
        "--operator must be 1 to 16 of A-Z 0-9 -",
        "--person must be 1 to 32 of A-Z 0-9 -",
    ]
    assert not site.data.exists()


def test_a_configuration_that_is_not_there_says_how_to_name_it(tmp_path: Path) -> None:
    missing = juki("config", "show", "--config", tmp_path / "none.toml")
    assert missing.exit_code == 2
    assert "none.toml: No such file or directory; --config says where it is" in missing.stderr


@pytest.mark.parametrize(
    ("option", "given", "told"),
    [
        ("key", "server.key", "server.key is not the key of"),
        ("key", "none.key", "none.key: No such file"),
        ("certificate", "none.pem", "none.pem: there is no such file"),
        ("certificate", "ca.key", "are not a certificate and its key"),
        ("ca", "none.pem", "none.pem: there is no such file"),
        ("ca", "terminal.key", "terminal.key holds no certificate of an authority"),
    ],
)
def test_the_file_that_is_wrong_is_named(site: Site, option: str, given: str, told: str) -> None:
    files = {**site.client(), option: str(site.tls / given)}
    options = [f"--{name}={value}" for name, value in files.items()]
    result = juki("login", "P-0001", "--url=https://127.0.0.1:1", *options, given="27182818\n")
    assert result.exit_code == 2
    assert told in result.stderr


# --- check, ledger verify ---


def shares(site: Site) -> str:
    return "".join((site.custodians / f"share-{number}.txt").read_text() for number in (2, 4, 5))


def lived_in(site: Site) -> None:
    """Open the store once and export its ledger, as a serving process does."""
    root = root_of(site.data, shares(site).splitlines())
    opened = open_store(site.settings, root, lambda: NOW)
    opened.vault.export_tiles(Layout(site.data).tiles)
    opened.vault.close()


def test_check_reads_the_whole_store(site: Site) -> None:
    init(site)
    lived_in(site)
    result = juki("check", "--config", site.config, "--json", given=shares(site))
    plain = as_json(result)
    assert (result.exit_code, plain["clean"], plain["entries"]) == (0, True, 2)
    anchor = Layout(site.data).tiles / "checkpoint"
    text = juki(
        "check", "--config", site.config, "--shares-from", site.custodians, "--anchor", anchor
    )
    assert text.exit_code == 0
    assert text.stdout.endswith("clean\n")


def test_check_names_what_it_finds(site: Site) -> None:
    init(site)
    layout = Layout(site.data)
    layout.journal.write_text("not a line of a journal\n")
    result = juki("check", "--config", site.config, "--shares-from", site.custodians)
    assert result.exit_code == 4
    assert "boot journal: " in result.stdout
    assert "NOT CLEAN" in result.stdout
    foreign = site.folder / "anchor"
    foreign.write_text("nothing")
    assert juki(
        "check", "--config", site.config, "--shares-from", site.custodians, "--anchor", foreign
    ).exit_code == 4  # fmt: skip


def test_check_needs_enough_good_shares(site: Site) -> None:
    init(site)
    one = (site.custodians / "share-1.txt").read_text()
    assert juki("check", "--config", site.config, given=one + one).exit_code == 3
    few = site.folder / "few"
    few.mkdir()
    assert juki("check", "--config", site.config, "--shares-from", few).exit_code == 2
    (few / "share-1.txt").write_text(one)
    result = juki("check", "--config", site.config, "--shares-from", few)
    assert result.exit_code == 3
    assert "3 shares are needed" in result.stderr


def test_check_leaves_a_store_alone_that_a_server_has(site: Site) -> None:
    init(site)
    lock = FolderLock.take(site.data)
    try:
        result = juki("check", "--config", site.config, "--shares-from", site.custodians)
    finally:
        lock.release()
    assert result.exit_code == 3
    assert "in use by process" in result.stderr


def test_check_draws_a_bar_for_each_part() -> None:
    from rich.progress import Progress

    from appliance.cli.machine import _on

    progress = Progress(disable=True)
    tell = _on(progress)
    tell("versions", 1, 4)
    tell("versions", 4, 4)
    tell("ledger", 2, 2)
    assert [(task.description, task.completed) for task in progress.tasks] == [
        ("versions", 4),
        ("ledger", 2),
    ]


def test_a_sealed_store_without_shares_cannot_be_checked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    init(site)
    identity, header = checking.sealed_store(site.settings)
    from dataclasses import replace

    monkeypatch.setattr(
        checking, "sealed_store", lambda settings: (identity, replace(header, share_set=None))
    )
    result = juki("check", "--config", site.config, "--shares-from", site.custodians)
    assert result.exit_code == 2


def test_anybody_verifies_an_exported_ledger(site: Site) -> None:
    key = as_json(init(site))["ledger_key"]
    lived_in(site)
    tiles = Layout(site.data).tiles
    good = juki("ledger", "verify", tiles, "--key", key, "--json")
    assert (good.exit_code, as_json(good)["sound"], as_json(good)["size"]) == (0, True, 2)
    (bundle,) = (tiles / "tile" / "entries").rglob("2")
    raw = bytearray(bundle.read_bytes())
    raw[-1] ^= 1
    bundle.write_bytes(raw)
    bad = juki("ledger", "verify", tiles, "--key", key, "--json")
    assert (bad.exit_code, as_json(bad)["sound"], as_json(bad)["entry"]) == (4, False, 1)
    assert juki("ledger", "verify", tiles, "--key", "nonsense").exit_code == 2
    above = juki("ledger", "verify", site.data, "--key", key)
    assert above.exit_code == 2
    assert f"give {tiles}" in above.stderr
    assert (
        "holds no exported ledger: give" in juki("ledger", "verify", site.tls, "--key", key).stderr
    )
    (tiles / "checkpoint").unlink()
    assert juki("ledger", "verify", tiles, "--key", key).exit_code == 4


WITNESS = Cosigner("witness.example", bytes(32))


def test_a_ledger_is_held_against_what_was_kept_elsewhere(site: Site, tmp_path: Path) -> None:
    key = as_json(init(site))["ledger_key"]
    lived_in(site)
    tiles, anchor = Layout(site.data).tiles, tmp_path / "anchor"
    options = ("ledger", "verify", tiles, "--key", key, "--anchor", anchor, "--json")
    note = (tiles / "checkpoint").read_text()
    anchor.write_text(note + WITNESS.cosign(note.partition("\n\n")[0] + "\n", 1_790_000_000))
    seen = juki(*options, "--witness", WITNESS.key)
    assert seen.exit_code == 0
    assert as_json(seen)["witnessed"] == ["2 entries by witness.example 2026-09-21T14:13:20+00:00"]
    other = Cosigner("other.example", bytes(32)).key
    unseen = juki(*options, "--witness", WITNESS.key, "--witness", other)
    assert (unseen.exit_code, as_json(unseen)["sound"]) == (4, False)
    assert as_json(unseen)["problem"].endswith("is cosigned by other.example")
    assert juki(*options, "--witness", key).exit_code == 2
    for spoilt in (b"", b"\xff", note.replace("\n2\n", "\n3\n").encode()):
        anchor.write_bytes(spoilt)
        assert (juki(*options).exit_code, as_json(juki(*options))["sound"]) == (4, False)


def test_a_proof_is_checked_with_nothing_but_keys(site: Site, tmp_path: Path) -> None:
    key = as_json(init(site))["ledger_key"]
    lived_in(site)
    tiles, paper = Layout(site.data).tiles, tmp_path / "paper.tlog-proof"
    files = FolderReader(tiles, 2)
    note = (tiles / "checkpoint").read_text()
    note += WITNESS.cosign(note.partition("\n\n")[0] + "\n", 1_790_000_000)
    made = prove(Tree(2, files), 1, note, files.entry(1))
    paper.write_text(made.text())
    options = ("ledger", "verify-proof", paper, "--key", key, "--witness", WITNESS.key, "--json")
    told = as_json(juki(*options))
    assert (told["proved"], told["index"], told["size"]) == (True, 1, 2)
    assert told["witnessed"] == ["by witness.example 2026-09-21T14:13:20+00:00"]
    assert told["entered_at"].startswith("2026-04-01")
    paper.write_text(replace(made, extra=files.entry(0)).text())
    assert juki(*options).exit_code == 4
    paper.write_text(replace(made, extra=b"").text())
    assert "the entry itself is not in it" in juki(*options).stderr
    paper.write_text("nothing")
    assert juki(*options).exit_code == 4
    assert juki("ledger", "verify-proof", paper, "--key", WITNESS.key).exit_code == 2


# --- the session file ---


def seat(**changes: str) -> link.Seat:
    values = {"url": "https://a", "certificate": "c", "key": "k", "ca": "a", **changes}
    return link.Seat(**values)


NOTHING: dict[str, str | None] = {"url": None, "certificate": None, "key": None, "ca": None}


def test_a_session_is_kept_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "session.json"
    link.keep_seat(path, seat(token="t", operator="OP-0001"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert link.read_seat(path, NOTHING).token == "t"
    link.drop_token(path, link.read_seat(path, NOTHING))
    assert link.read_seat(path, NOTHING) == seat()
    path.chmod(0o644)
    with pytest.raises(Stop, match="open to others"):
        link.read_seat(path, NOTHING)


def test_a_token_never_goes_to_another_server(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    link.keep_seat(path, seat(token="t"))
    assert link.read_seat(path, {**NOTHING, "url": "https://a"}).token == "t"
    assert link.read_seat(path, {**NOTHING, "url": "https://b"}).token == ""
    assert link.read_seat(path, {**NOTHING, "certificate": "d"}).token == ""


def test_what_is_not_a_session_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    for content in ("[]", "{", '{"colour": "blue"}'):
        path.write_text(content)
        path.chmod(0o600)
        with pytest.raises(Stop, match="not a session file"):
            link.read_seat(path, NOTHING)


def test_where_to_ask_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(Stop) as caught:
        link.read_seat(tmp_path / "none", {**NOTHING, "url": "https://a"})
    assert caught.value.exit_code is Exit.NOT_UNDERSTOOD
    assert len(caught.value.lines) == 3
    with pytest.raises(Stop, match="log in first"):
        link.ask(seat(), "roster/operators", {})
    with pytest.raises(Stop, match="must be https"):
        link.ask(seat(url="http://a"), "session/open", {}, with_session=False)


def test_a_refusal_is_told_in_the_servers_words() -> None:
    problem = {"rule": "separation", "item": "roles", "text": "not together"}
    stop = link.refuse(
        422,
        {"code": "rejected", "detail": "no", "request_id": "r1", "problems": [problem]},
    )
    assert (stop.exit_code, stop.code) == (Exit.REFUSED, "rejected")
    assert stop.lines == ("no [r1]", "  separation roles: not together")
    assert link.refuse(400, {}).exit_code is Exit.NOT_UNDERSTOOD
    assert link.refuse(500, {}).exit_code is Exit.HUMAN


class Line:
    """Stands in for a connection: loses the first answers, then gives one."""

    asked: ClassVar[list[dict[str, str]]] = []
    losses = 0

    def __init__(self, host: str, port: int, **options: Any) -> None:
        assert (host, port) == ("127.0.0.1", 1)

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        self.asked.append(headers)

    def getresponse(self) -> Any:
        if len(self.asked) <= self.losses:
            raise ConnectionResetError(104, "Connection reset by peer")
        answer = json.dumps({"data": {"done": True}}).encode()
        return type("Answer", (), {"status": 200, "read": lambda self: answer})()

    def close(self) -> None: ...


def at(site: Site) -> link.Seat:
    return link.Seat(url="https://127.0.0.1:1", token="t" * 20, **site.client())


def test_a_lost_answer_is_asked_for_again_with_the_same_key(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link.http.client, "HTTPSConnection", Line)
    monkeypatch.setattr(Line, "asked", [])
    monkeypatch.setattr(Line, "losses", 1)
    assert link.ask(at(site), "roster/add-operator", {}) == {"done": True}
    first, second = Line.asked
    assert first["Idempotency-Key"] == second["Idempotency-Key"]
    assert first["Authorization"] == "Bearer " + "t" * 20


def test_an_answer_lost_twice_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link.http.client, "HTTPSConnection", Line)
    monkeypatch.setattr(Line, "asked", [])
    monkeypatch.setattr(Line, "losses", 2)
    with pytest.raises(Stop, match="no answer"):
        link.ask(at(site), "roster/operators", {})


def test_tls_that_is_refused_is_a_refusal(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(Line):
        def getresponse(self) -> Any:
            raise ssl.SSLError(1, "alert")

    monkeypatch.setattr(link.http.client, "HTTPSConnection", Refusing)
    with pytest.raises(Stop, match="TLS was refused") as caught:
        link.ask(at(site), "roster/operators", {})
    assert caught.value.exit_code is Exit.REFUSED


# --- commands where nobody answers ---


@pytest.mark.parametrize("command", ["status", "unseal"])
def test_without_a_server_it_says_so(site: Site, command: str) -> None:
    result = juki(command, "--config", site.config, "--json")
    assert result.exit_code == 1
    assert as_json(result)["error"]["code"] == "no-server"


def test_a_status_that_cannot_be_had_is_never_taken_for_sealed(tmp_path: Path) -> None:
    assert juki("status", "--config", tmp_path / "none.toml").exit_code == 1


def test_sealing_needs_the_token_of_the_machine(site: Site) -> None:
    assert juki("seal", "--config", site.config).exit_code == 1


def test_a_server_that_is_not_there_is_told_apart_from_one_that_refuses(site: Site) -> None:
    options = [f"--{name}={value}" for name, value in site.client().items()]
    port = site.settings.listen.port
    result = juki(
        "login", "P-0001", f"--url=https://127.0.0.1:{port}/", *options, given="12345678\n"
    )
    assert result.exit_code == 1
    assert "no answer" in result.stderr


# --- serve ---


def test_serve_hands_over_to_the_process(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []
    monkeypatch.setattr(logs, "set_up", lambda: None)

    def serve(settings: Any, again: tuple[str, ...]) -> int:
        ran.append(again)
        return 70

    monkeypatch.setattr(boot, "serve", serve)
    monkeypatch.setattr(dev, "serve", lambda *given: ran.append(given) or 0)
    assert juki("serve", "--config", site.config).exit_code == 70
    assert ran == [("serve", "--config", str(site.config))]
    folder = site.folder / "dev"
    result = juki("serve", "--dev", folder, "--municipality", "432016", "--port", "9000")
    assert result.exit_code == 0
    assert ran[1] == (folder, ("432016",), 9000)


def test_shares_on_a_screen_are_shown_one_by_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[str] = []
    monkeypatch.setattr(click, "pause", paused.append)
    monkeypatch.setattr(machine, "_is_screen", lambda: True)
    result = juki(
        "init",
        "--config",
        site.config,
        "--terminal",
        site.tls / "terminal.pem",
        "--shares-to",
        "-",
    )
    assert result.exit_code == 0
    assert len(paused) == 7
    assert "enrolment_code: " in result.stdout
