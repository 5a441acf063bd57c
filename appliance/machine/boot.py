"""The composition root: from settings to a serving process, and to its end.

::

    serve       hardened, store known, ports bound           answers /v1/sys/* only
      │ share, share, share                                  keeper.py
    open        store, policy, plugins verified and loaded   opening.py
      │                                                      running.py
    serving     Pipeline.answer
      │
      ├─ seal           drained, closed, the process replaced by a sealed one
      ├─ SIGTERM        drained, closed, exit 0
      ├─ SIGHUP         certificates read again; bad ones leave the old ones in use
      └─ OutcomeUnknown nothing more is released, health is 503, exit 70: look at the disk

The main port sees an ``Appliance`` (``gate.py``); the loopback port sees it through ``Keeper``.
"""

import logging
import os
import queue
import secrets
import signal
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from typing import Any

from appliance.certificates import peer_from_pem
from appliance.edge import tls
from appliance.edge.metrics import Metrics
from appliance.edge.openapi import DISTRIBUTION
from appliance.edge.server import App, Environ, Server
from appliance.errors import StartupError
from appliance.machine import host
from appliance.machine.config import Settings
from appliance.machine.firmware import verified
from appliance.machine.gate import Appliance, Ending
from appliance.machine.keeper import Keeper, Shares
from appliance.machine.notes import note, note_emergency, noting_refusal
from appliance.machine.opening import milliseconds
from appliance.machine.store import Layout, sealed_store
from appliance.machine.sysport import ADDRESS, make_sysport
from appliance.machine.sysport import LIMITS as SYSPORT_LIMITS
from appliance.parts import Clock, utc_now
from storage.journal import Journal
from storage.lock import FolderLock
from storage.unseal import ShareSet

log = logging.getLogger(__name__)

EXIT_UNKNOWN = 70
"""EX_SOFTWARE: the outcome of a commit is unknown; whoever starts it again should look first."""
EXIT_LATE = 1
"""The end took too long; what was acknowledged is on disk all the same."""
TICK_SECONDS = 0.5
PATIENCE_SECONDS = 20.0
"""How long an orderly end may take before the process is ended without order."""


def serve(
    settings: Settings,
    again: Sequence[str],
    *,
    ready: Callable[[Keeper], None] = lambda keeper: None,
    clock: Clock = utc_now,
) -> int:
    """Serve until told to end; return the exit code.

    Args:
        settings: what is in force.
        again: the arguments of the process that takes over when this one is sealed.
        ready: called once, on a thread of its own, when both ports answer.
        clock: the time.

    Raises:
        StartupError: something is not as it must be; every problem at once.
        StoreInUse: another process has the store.
        Tampered: the key ring is not one.
    """
    host.harden()
    layout = Layout(settings.data)
    if not layout.data.is_dir():
        sealed_store(settings)  # says what is missing; there is nowhere to note it
    with ExitStack() as at_end:
        at_end.callback(FolderLock.take(settings.data).release)
        journal = Journal(layout.journal, milliseconds(clock))
        at_end.callback(journal.close)
        note_emergency(layout, journal)
        with noting_refusal(journal):
            share_set = _share_set(settings)
            metrics = Metrics()
            shares = Shares(share_set)
            appliance = Appliance(settings, shares, journal, metrics, clock)
            keeper = Keeper(appliance, shares, layout.seal_token, journal)
            servers = _servers(settings, appliance, keeper, metrics, clock)
            ports = (settings.listen.port, settings.management_port)
            for server, port in zip(servers, ports, strict=True):
                at_end.callback(server.stop)
                _bind(server, port)
        journal.start(version=version(DISTRIBUTION), mode=settings.mode)
        ending = _attend(settings, appliance, keeper, servers, ready, journal)
        if ending is Ending.STOP:
            note(journal, "stop-asked", how="signal")
        _end(ending, appliance, servers, again)
        note(journal, ending.value)
    if ending is Ending.SEAL:
        host.start_again(again)
    return EXIT_UNKNOWN if ending is Ending.UNKNOWN else 0


def _share_set(settings: Settings) -> ShareSet:
    """Return what the custodians' shares are held against.

    Raises:
        StartupError: there is no store, the configuration is of another, the policy is not good.
        Tampered: the key ring is not one.
    """
    identity, header = sealed_store(settings)
    if header.share_set is None:
        raise StartupError(f"{settings.data}: the key ring knows no shares")
    # Told now to whoever starts the process; what counts is the check when it is unsealed.
    verified(settings.firmware, identity.policy_keys, least_serial=1)
    return header.share_set


def _servers(
    settings: Settings, appliance: Appliance, keeper: Keeper, metrics: Metrics, clock: Clock
) -> tuple[Server, Server]:
    """Return the main port and the loopback port, not bound yet."""
    context = _context(settings)
    report = metrics.counting(appliance.refused_early)
    certificate = peer_from_pem(settings.tls.certificate.read_bytes())
    metrics.expires("server", certificate.not_after, clock)
    main = Server(
        (settings.listen.host, settings.listen.port),
        in_mode(settings, appliance),
        context=context,
        report=report,
        clock=clock,
        request_id=new_request_id,
        limits=settings.limits,
    )
    loopback = Server(
        (ADDRESS, settings.management_port),
        in_mode(settings, make_sysport(keeper, metrics)),
        context=None,
        report=report,
        clock=clock,
        request_id=new_request_id,
        limits=SYSPORT_LIMITS,
    )
    return main, loopback


def _bind(server: Server, port: int) -> None:
    try:
        server.prepare()
    except OSError as problem:
        raise StartupError(f"port {port}: {problem.strerror or problem}") from None


def _attend(
    settings: Settings,
    appliance: Appliance,
    keeper: Keeper,
    servers: tuple[Server, Server],
    ready: Callable[[Keeper], None],
    journal: Journal,
) -> Ending:
    """Answer on both ports until told to end; return why."""
    for number, told in (
        (signal.SIGTERM, Ending.STOP),
        (signal.SIGINT, Ending.STOP),
        (signal.SIGHUP, Ending.RELOAD),
    ):
        signal.signal(number, partial(_told, appliance, told))
    for name, server in zip(("main port", "loopback port"), servers, strict=True):
        threading.Thread(target=server.serve, name=name, daemon=True).start()
    host.notify("READY=1", "STATUS=sealed")
    log.info("both ports answer; sealed", extra={"port": servers[0].port})
    threading.Thread(target=ready, args=(keeper,), name="ready", daemon=True).start()
    while (told := _next(appliance.told)) is Ending.RELOAD:
        _reload(settings, servers[0], journal)
    return told


def _next(told: "queue.SimpleQueue[Ending]") -> Ending:
    """Wait for what to do next; signals are looked at meanwhile.

    The kernel may hand a signal to any thread, and Python runs its handler in this one only when
    this one wakes.
    """
    while True:
        try:
            return told.get(timeout=TICK_SECONDS)
        except queue.Empty:
            continue


def _told(appliance: Appliance, ending: Ending, *_signal: object) -> None:
    appliance.told.put(ending)


def _end(
    ending: Ending, appliance: Appliance, servers: tuple[Server, Server], again: Sequence[str]
) -> None:
    """Drain, close; without order if order takes too long."""
    host.notify("STOPPING=1" if ending is not Ending.SEAL else "STATUS=sealing")
    overdue = threading.Timer(PATIENCE_SECONDS, _end_at_once, (ending, again))
    overdue.daemon = True
    overdue.start()
    for server in servers:
        server.stop()
    appliance.close(ending)
    overdue.cancel()


def _end_at_once(ending: Ending, again: Sequence[str]) -> None:
    log.critical("the end took too long; ending without order")
    if ending is Ending.SEAL:
        host.start_again(again)
    os._exit(EXIT_UNKNOWN if ending is Ending.UNKNOWN else EXIT_LATE)


def _reload(settings: Settings, main: Server, journal: Journal) -> None:
    try:
        main.context = _context(settings)
    except StartupError as problem:
        log.error("the certificates were not changed", exc_info=problem)
        note(journal, "reload-refused", why="; ".join(problem.problems))
    else:
        log.info("the certificates were read again")
        note(journal, "reload")


def _context(settings: Settings) -> ssl.SSLContext:
    return tls.server_context(settings.tls.certificate, settings.tls.key, settings.tls.client_ca)


def in_mode(settings: Settings, app: App) -> App:
    """Return the application; in development every answer says so."""
    if not settings.is_development:
        return app

    def marked(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [*headers, ("X-Juki-Mode", settings.mode)], *more)

        return app(environ, start)

    return marked


def new_request_id() -> str:
    """Return a new request id, 128 random bits."""
    return secrets.token_hex(16)
