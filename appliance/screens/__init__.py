"""What a terminal's browser is given: one page, where somebody proves who he is.

A page needs the browser for what only a browser can: to speak to the device that verifies its user
(WebAuthn). It asks for the same operations as anybody, down the same line. The files are plain:
nothing is compiled, nothing comes from elsewhere, and the token of a session stays in the page's
memory. With the page it is gone.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
HEADERS: tuple[tuple[str, str], ...] = (
    ("Content-Security-Policy", POLICY),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    (
        "Permissions-Policy",
        "publickey-credentials-get=(self), publickey-credentials-create=(self)",
    ),
)


class Screen(NamedTuple):
    """One file as it is served."""

    media_type: str
    content: bytes


def _file(name: str, media_type: str) -> Screen:
    return Screen(f"{media_type}; charset=utf-8", (files(__name__) / "files" / name).read_bytes())


SCREENS: Mapping[str, Screen] = {
    "/screens/login": _file("login.html", "text/html"),
    "/screens/login.js": _file("login.js", "text/javascript"),
    "/screens/style.css": _file("style.css", "text/css"),
}
"""By path."""
