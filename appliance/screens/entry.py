"""Log in, prove again, lock, log out, from a page. JSON in and out, as the API has it.

The same operations as ``/v1/session/…``, but the token of the session is set as a cookie and is not
in the answer: no script ever has it. ``lock`` is ``close``: who comes back logs in again.
"""

from collections.abc import Callable
from http import HTTPStatus

from appliance import wire
from appliance.edge.answers import HttpAnswer
from appliance.edge.door import Ask
from appliance.edge.refusals import nothing_here, refusal_answer
from appliance.errors import Refusal, Unidentified, VerifyAgain
from appliance.model import Envelope, OperationName, RequestId
from appliance.screens.asked import COOKIE, Asked
from appliance.screens.look import HEADERS
from appliance.sessions import digest

ATTRIBUTES = "Secure; HttpOnly; SameSite=Strict; Path=/"
GONE = ("Set-Cookie", f"{COOKIE}=; {ATTRIBUTES}; Max-Age=0")
CLEAR = ("Clear-Site-Data", '"cache"')
LEAVING = frozenset({"lock", "close"})
OPERATIONS = {
    "open": "session/open",
    "challenge": "session/challenge",
    "verify": "session/verify",
    "lock": "session/close",
    "close": "session/close",
}


class Entry:
    """Where sessions of browsers begin and end."""

    def __init__(self, ask_line: Ask, empty: Callable[[str], None]) -> None:
        self._ask = ask_line
        self._empty = empty

    def answer(self, asked: Asked, name: str) -> HttpAnswer:
        """Do what the page asks for; a refusal is answered as the API answers it.

        Raises:
            TurnedAway: there is no such thing.
            OutcomeUnknown: the disk failed during the commit.
        """
        if name not in OPERATIONS:
            raise nothing_here()
        try:
            return self._done(asked, name)
        except VerifyAgain as refusal:
            return refusal_answer(refusal, asked.request_id)
        except Refusal as refusal:
            # Whoever leaves is gone, even if his session was over before.
            if isinstance(refusal, Unidentified) and name in LEAVING:
                return self._left(asked)
            return refusal_answer(refusal, asked.request_id)

    def _done(self, asked: Asked, name: str) -> HttpAnswer:
        if asked.peer is None:
            raise Unidentified("a client certificate is needed")
        reply = self._ask(
            Envelope(
                request_id=RequestId(asked.request_id),
                peer=asked.peer,
                operation=OperationName(OPERATIONS[name]),
                media_type=wire.JSON,
                body=b"{}" if name in LEAVING else asked.body,
                bearer=None if name == "open" else asked.token,
            )
        )
        if name in LEAVING:
            return self._left(asked)
        data = dict(reply.data)
        if name != "open":
            return _json(data)
        if asked.token is not None:
            self._empty(digest(asked.token))
        return _json(data, ("Set-Cookie", f"{COOKIE}={data.pop('token')}; {ATTRIBUTES}"))

    def _left(self, asked: Asked) -> HttpAnswer:
        if asked.token is not None:
            self._empty(digest(asked.token))
        return _json({}, GONE, CLEAR)


def _json(data: object, *headers: tuple[str, str]) -> HttpAnswer:
    body = wire.encode(wire.JSON, {"data": data})
    return HttpAnswer(HTTPStatus.OK, wire.JSON, body, (*HEADERS, *headers))
