import re
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.errors import StartupError
from appliance.machine.config import KEYS, REQUIRED, read_settings
from tests.appliance.founding import Site, make_site

SHIPPED = Path(__file__).parents[3] / "firmware_config"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path)


def change(site: Site, old: str, new: str) -> None:
    text = site.config.read_text()
    assert old in text
    site.config.write_text(text.replace(old, new))


def problems(site: Site) -> list[str]:
    with pytest.raises(StartupError) as caught:
        read_settings(site.config)
    start = f"{site.config}: "
    assert all(problem.startswith(start) for problem in caught.value.problems)
    return [problem.removeprefix(start) for problem in caught.value.problems]


def test_relative_paths_start_at_the_folder_of_the_file(site: Site) -> None:
    settings = read_settings(site.config)
    assert settings.data == site.folder / "data"
    assert settings.tls.key == site.folder / "tls" / "server.key"


def test_what_is_not_given_has_its_default_and_says_so(site: Site) -> None:
    settings = read_settings(site.config)
    sources = {each.name: (each.value, each.source) for each in settings.in_force}
    assert sources["session.idle"] == ("5m", "default")
    assert sources["prefecture"] == ("43", "file")
    assert settings.session.idle == timedelta(minutes=5)
    assert settings.mode == "production"
    assert settings.national is None
    assert "national.url" not in sources


@pytest.mark.parametrize(
    ("residents", "bits"),
    [("2_000_000", 20), ("1_048_576", 20), ("1_048_575", 19), ("14_000_000", 23)],
)
def test_tokens_are_as_wide_as_the_residents_expected(
    site: Site, residents: str, bits: int
) -> None:
    change(site, "1_048_576", residents)
    assert read_settings(site.config).token_bits == bits


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('prefecture = "43"', 'prefecture = "48"', "prefecture: must be a prefecture code"),
        ('prefecture = "43"', "prefecture = 43", "prefecture: must be a prefecture code"),
        ('prefecture = "43"', "", "prefecture: is missing"),
        ('prefecture = "43"', 'prefecture = "43"\nprefectur = "43"', "prefectur: there is no such"),
        ("[tls]", "[tls]\ncertificat = 1", "tls.certificat: there is no such key"),
        ("[tls]", "[nowhere]\na = 1\nb = 2\n[tls]", "nowhere: there is no such key"),
        ('origin = "audit', 'origin = "Audit', "origin: must be a name such as"),
        ("1_048_576", "10", "expected_residents: must be a whole number from 1000"),
        ("1_048_576", "1e6", "expected_residents: must be a whole number"),
        ("1_048_576", "true", "expected_residents: must be a whole number"),
        ('host = "127.0.0.1"', 'host = "localhost"', "listen.host: must be an IP address"),
        ('host = "127.0.0.1"', "host = 1", "listen.host: must be an IP address"),
        ('"data"', '""', "data: must be a path"),
        ('"firmware"', '"nowhere"', "firmware: there is no folder"),
        ('"tls/ca.pem"', '"tls/none.pem"', "tls.client_ca: there is no file"),
        ("[tls]", '[session]\nidle = "5 minutes"\n[tls]', "session.idle: must be a duration"),
        ("[tls]", '[session]\nidle = "10s"\n[tls]', "session.idle: must be from 1m to 1h"),
        (
            "[tls]",
            '[session]\nidle = "30m"\nabsolute = "20m"\n[tls]',
            "session.idle: is longer than session.absolute",
        ),
        (
            "[tls]",
            '[national]\nurl = "https://national.example:8443"\n[tls]',
            "national.certificate: is missing",
        ),
        (
            "[tls]",
            '[national]\nurl = "http://national.example"\n[tls]',
            "national.url: must be https://HOST",
        ),
        (
            "[tls]",
            '[national]\nurl = "https://me:pw@national.example/x"\n[tls]',
            "national.url: must be https://HOST",
        ),
    ],
)
def test_a_wrong_key_is_named_with_the_reason(site: Site, old: str, new: str, problem: str) -> None:
    change(site, old, new)
    assert any(line.startswith(problem) for line in problems(site)), problems(site)


def test_every_problem_is_told_at_once(site: Site) -> None:
    change(site, 'prefecture = "43"', 'colour = "blue"')
    change(site, "1_048_576", "10")
    change(site, '"firmware"', '"nowhere"')
    assert len(problems(site)) == 4


def test_a_secret_that_others_can_read_is_refused(site: Site) -> None:
    (site.tls / "server.key").chmod(0o640)
    (problem,) = problems(site)
    assert problem.startswith("tls.key: ")
    assert "mode 0600" in problem


def test_both_ports_must_differ(site: Site) -> None:
    port = read_settings(site.config).listen.port
    site.config.write_text(re.sub(r"port = \d+", f"port = {port}", site.config.read_text()))
    assert problems(site) == ["management.port: is listen.port as well"]


def test_development_listens_on_the_machine_itself_only(site: Site) -> None:
    change(site, "prefecture", 'mode = "development"\nprefecture')
    assert read_settings(site.config).is_development
    change(site, 'host = "127.0.0.1"', 'host = "0.0.0.0"')
    assert problems(site) == ["listen.host: development listens on the machine itself only"]


def test_a_national_server_needs_all_four_keys(site: Site) -> None:
    table = """[national]
url = "https://national.example:8443/"
certificate = "tls/terminal.pem"
key = "tls/terminal.key"
ca = "tls/ca.pem"
[tls]"""
    change(site, "[tls]", table)
    national = read_settings(site.config).national
    assert national is not None
    assert national.url == "https://national.example:8443"


def test_one_certificate_can_send_what_is_allowed_twice_at_once(site: Site) -> None:
    change(site, "[tls]", "[limits]\nbatch_body_kib = 65536\n[tls]")
    limits = read_settings(site.config).limits
    largest = limits.body_bytes("/v1/update/notify")
    assert limits.bodies_bytes_per_certificate == 2 * largest
    assert limits.bodies_bytes == 8 * largest


def test_limits_reach_the_server(site: Site) -> None:
    given = "[limits]\nbody_kib = 32\nbatch_body_kib = 64\nbulk_body_kib = 128\nworkers = 3\n[tls]"
    change(site, "[tls]", given)
    limits = read_settings(site.config).limits
    assert limits.workers == 3
    assert limits.workers_per_certificate == 2
    assert limits.body_bytes("/v1/search/find") == 32 * 1024
    assert limits.body_bytes("/v1/update/notify") == 64 * 1024
    assert limits.body_bytes("/v1/provision/bulk-submit") == 128 * 1024


def test_a_file_that_is_not_toml_is_named(site: Site) -> None:
    change(site, "[listen]", "[listen")
    with pytest.raises(StartupError, match=str(site.config)):
        read_settings(site.config)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="No such file"):
        read_settings(tmp_path / "none.toml")


def test_the_shipped_file_is_understood_but_for_files_of_the_machine() -> None:
    with pytest.raises(StartupError) as caught:
        read_settings(SHIPPED / "appliance.toml")
    keys = {problem.split(": ")[1] for problem in caught.value.problems}
    assert keys == {
        "tls.certificate",
        "tls.key",
        "tls.client_ca",
        "national.certificate",
        "national.key",
        "national.ca",
    }


def test_the_readme_has_a_row_for_every_key_with_its_default() -> None:
    _, _, keys = (SHIPPED / "README.md").read_text("utf-8").partition("## Every key")
    rows = re.findall(r"^\| `([a-z_.]+)` \| ([^|]+) \|", keys, re.M)
    expected = [
        (key.name, "required" if key.default is REQUIRED else f"`{key.default}`") for key in KEYS
    ]
    assert [(name, default.strip()) for name, default in rows] == expected
