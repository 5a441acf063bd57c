"""Another application behind the appliance's own edge server: same TLS, same limits, own process.

::

    python -m scripts.bench_lib.edge [--resumes] CERTIFICATE KEY CA PORT MODULE:FACTORY [WORD ...]

``FACTORY`` is called with the arguments and returns a WSGI application. ``empty`` is the floor: a
bottle handler that does nothing.
"""

import secrets
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import bottle

from appliance.edge import tls
from appliance.edge.server import App, Server

ANSWER = b'{"data":{}}'


def empty() -> App:
    """Return an application that answers every operation with the same few bytes."""
    app = bottle.Bottle()

    def answer(function: str, operation: str) -> bottle.HTTPResponse:
        return bottle.HTTPResponse(ANSWER, 200, {"Content-Type": "application/json"})

    app.route("/v1/<function>/<operation>", "POST", answer)
    wsgi: App = app.wsgi
    return wsgi


def main(
    certificate: str, key: str, ca: str, port: str, factory: str, *arguments: str, resumes: bool
) -> None:
    """Serve until killed."""
    context = tls.server_context(Path(certificate), Path(key), Path(ca))
    if resumes:
        context.num_tickets = 2
    module, _, name = factory.partition(":")
    server = Server(
        ("127.0.0.1", int(port)),
        getattr(import_module(module), name)(*arguments),
        context=context,
        report=lambda early: None,
        clock=lambda: datetime.now(UTC),
        request_id=lambda: secrets.token_hex(16),
    )
    server.prepare()
    server.serve()


if __name__ == "__main__":
    main(*(word for word in sys.argv[1:] if word != "--resumes"), resumes="--resumes" in sys.argv)
