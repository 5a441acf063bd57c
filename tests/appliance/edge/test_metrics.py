"""Counters for monitoring: figures, and never a person."""

from datetime import UTC, datetime, timedelta

from appliance.edge.metrics import Metrics
from appliance.edge.problems import Early

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def test_reports_are_counted_by_code_and_passed_on() -> None:
    metrics, told = Metrics(), list[Early]()
    report = metrics.counting(told.append)
    early = [
        Early(code="tls", text="no handshake in time", address="10.0.0.1"),
        Early(code="malformed", text="a header is given twice", address="10.0.0.1"),
    ]
    for each in early:
        report(each)
    text = metrics.text().decode()
    assert "juki_tls_handshake_refused_total 1.0" in text
    assert 'juki_turned_away_total{code="malformed"} 1.0' in text
    assert "10.0.0.1" not in text
    assert told == early


def test_answers_are_counted_and_timed() -> None:
    metrics = Metrics()
    metrics.answered("search/find", "ok", 0.003)
    text = metrics.text().decode()
    assert 'juki_ops_total{operation="search/find",result="ok"} 1.0' in text
    assert 'juki_op_seconds_bucket{le="0.005",operation="search/find"} 1.0' in text
    assert 'juki_op_seconds_bucket{le="0.002",operation="search/find"} 0.0' in text


def test_figures_of_others_are_read_when_they_are_asked_for() -> None:
    metrics, depth = Metrics(), [3.0]
    metrics.watch("outbox_depth", "Messages not yet acknowledged.", lambda: depth[0])
    assert "juki_outbox_depth 3.0" in metrics.text().decode()
    depth[0] = 4.0
    assert "juki_outbox_depth 4.0" in metrics.text().decode()


def test_a_certificate_nears_its_end() -> None:
    metrics, days = Metrics(), [0]
    metrics.expires("server", NOW + timedelta(days=7), lambda: NOW + timedelta(days=days[0]))
    assert 'juki_cert_expiry_seconds{name="server"} 604800.0' in metrics.text().decode()
    days[0] = 7
    assert 'juki_cert_expiry_seconds{name="server"} 0.0' in metrics.text().decode()


def test_figures_whose_labels_come_and_go_are_read_as_they_are_now() -> None:
    metrics, alarms = Metrics(), {"update/held": 2.0}
    metrics.table("alarm", "Alarms.", "name", lambda: alarms)
    assert 'juki_alarm{name="update/held"} 2.0' in metrics.text().decode()
    alarms.clear()
    assert "juki_alarm{" not in metrics.text().decode()


def test_two_appliances_in_one_process_do_not_share_figures() -> None:
    first, second = Metrics(), Metrics()
    first.answered("search/find", "ok", 0.1)
    assert "search/find" not in second.text().decode()
