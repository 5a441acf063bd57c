"""Counters for the operator's monitoring, in Prometheus text form; for the loopback port only.

Labels are operation names, refusal codes and file names of ours: never a person, an operator, a
terminal, or anything that a caller wrote.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from appliance.edge.problems import TLS, Early, Report

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
UNKNOWN = "unknown"


class Metrics:
    """What the appliance counts. One for each process; every method from any thread."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._ops = self._counter("juki_ops", "Requests answered.", "operation", "result")
        self._seconds = Histogram(
            "juki_op_seconds",
            "Time to an answer, from the complete request on.",
            ["operation"],
            registry=self._registry,
            buckets=SECONDS,
        )
        self._refused = self._counter(
            "juki_turned_away", "Requests refused before they reached an operation.", "code"
        )
        self._handshakes = self._counter(
            "juki_tls_handshake_refused", "Connections without a valid client certificate."
        )
        self._expiry = Gauge(
            "juki_cert_expiry_seconds",
            "Seconds until a certificate of ours expires.",
            ["name"],
            registry=self._registry,
        )

    def answered(self, operation: str, result: str, seconds: float) -> None:
        """Count an answer: ``ok`` or a refusal code. ``operation`` must be one that exists."""
        self._ops.labels(operation, result).inc()
        self._seconds.labels(operation).observe(seconds)

    def counting(self, report: Report) -> Report:
        """Return ``report``, counted on the way."""

        def counted(early: Early) -> None:
            if early.code == TLS:
                self._handshakes.inc()
            else:
                self._refused.labels(early.code).inc()
            report(early)

        return counted

    def expires(self, name: str, not_after: datetime, clock: Callable[[], datetime]) -> None:
        """Show how long the certificate ``name`` is still valid, at every reading."""
        self._expiry.labels(name).set_function(lambda: (not_after - clock()).total_seconds())

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Show a figure that somebody else keeps, such as the depth of the outbox."""
        Gauge(f"juki_{name}", meaning, registry=self._registry).set_function(value)

    def table(
        self, name: str, meaning: str, label: str, values: Callable[[], Mapping[str, float]]
    ) -> None:
        """Show figures that somebody else keeps, by a label whose values come and go."""
        self._registry.register(_Table(f"juki_{name}", meaning, label, values))

    def text(self) -> bytes:
        """Return all figures as they are now."""
        return generate_latest(self._registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self._registry)


class _Table(Collector):
    """A gauge whose labels are known only when it is read."""

    def __init__(
        self, name: str, meaning: str, label: str, values: Callable[[], Mapping[str, float]]
    ) -> None:
        self._name = name
        self._meaning = meaning
        self._label = label
        self._values = values

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(self._name, self._meaning, labels=[self._label])
        for name, value in self._values().items():
            family.add_metric([name], value)
        yield family
