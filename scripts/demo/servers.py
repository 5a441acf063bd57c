"""What servers are told no to, what they may repeat, and what the national server has heard."""

import json
from typing import Any

import cbor2
from msgspec import to_builtins
from msgspec.structs import replace

from scripts.demo.cast import Cast
from scripts.demo.grounds import MUNICIPALITY, PREFECTURE
from scripts.demo.people import ADMINISTRATOR
from scripts.demo.stage import OK, START_SECONDS, Stage
from scripts.demo.town import store
from tests.simulators.cs_file import MunicipalFile
from tests.simulators.link import CBOR, Answer, Link, Lost
from tests.simulators.national_file import Message, NationalFile
from tests.simulators.notices import Notice

CONFLICT, FORBIDDEN, UNIDENTIFIED = 409, 403, 401
DELIVERY_SECONDS = 120.0
FEED_LIMIT = 1000


def misbehave(stage: Stage, cast: Cast) -> None:
    """Send what a municipal server must not send, and what it may send twice."""
    link = stage.link(stage.grounds.municipality, f"cs-{MUNICIPALITY}")
    with link:
        _another_municipality(stage, cast, link)
        _the_same_key(stage, cast, link)
        _not_his_business(stage, link)
    _strangers(stage)


def delivered(stage: Stage) -> None:
    """See that the three files agree: the municipality's, ours, the national server's."""
    with MunicipalFile(store(stage.grounds.municipality)) as file:
        count, wanted = file.count(), file.digest()
    with stage.steps.step("the outbox is delivered to the national server") as step:
        step.asks(f"GET {stage.national}/v1/summary")
        stage.wait(lambda: _summary(stage)["digest"] == wanted, "to be delivered", DELIVERY_SECONDS)
        summary = _summary(stage)
        feed = summary["prefectures"][PREFECTURE]
        step.saw(
            f"{feed['acknowledged']:,} messages acknowledged, none missing", not feed["missing"]
        )
        step.saw(f"{summary['residents']:,} residents", summary["residents"] == count)
        step.saw(f"its file and the municipality's agree: {wanted[:16]}…")
    with stage.steps.step("the same residents stand in our own file") as step:
        step.asks("relay/feed from number 0, by the national server")
        ours = _replayed(stage)
        step.saw(f"{ours['residents']:,} residents", ours["residents"] == count)
        step.saw(f"digest {ours['digest'][:16]}…", ours["digest"] == wanted)
    with stage.steps.step("nothing waits in the outbox") as step:
        step.asks(f"relay/outbox, by {ADMINISTRATOR.operator}")
        outbox = wait_for_outbox(stage, "to be acknowledged")
        step.saw(f"last number {outbox['last']:,}")


def notify(link: Link, notice: Notice, key: str) -> Answer:
    """Send one notice as a municipality, under a key."""
    body = {"notifications": [to_builtins(notice)]}
    headers = {"Idempotency-Key": f"{key:-<16}"}
    return link.ask("/v1/update/notify", json.dumps(body).encode(), headers)


def next_sequence(link: Link) -> int:
    """Return the number of the next notice that a municipality sends."""
    return int(link.ask("/v1/update/held", b"{}").body["data"]["last_sequence"]) + 1


def wait_for_outbox(
    stage: Stage, for_what: str = "to be delivered", seconds: float = START_SECONDS
) -> dict[str, Any]:
    """Wait until nothing waits for the national server; return what is said of the outbox then.

    Raises:
        Failed: it took too long.
    """
    administrator = stage.people[ADMINISTRATOR.name]
    stage.wait(lambda: administrator.gets("relay/outbox", {})["depth"] == 0, for_what, seconds)
    return administrator.gets("relay/outbox", {})


def _another_municipality(stage: Stage, cast: Cast, link: Link) -> None:
    with stage.steps.step("another municipality's resident is rejected") as step:
        step.asks(f"update/notify by CS-{MUNICIPALITY} about a resident of 432032")
        notice = replace(cast.stranger, sequence=next_sequence(link))
        answer = notify(link, notice, "another-municipality")
        stage.refusals.keep("cs", "update/notify", answer)
        (result,) = answer.body["data"]["results"]
        rules = [problem["rule"] for problem in result["problems"]]
        step.saw(f"{result['outcome']} by {', '.join(rules)}", result["outcome"] == "rejected")
        step.saw(result["problems"][0]["text"], "G-03" in rules)


def _the_same_key(stage: Stage, cast: Cast, link: Link) -> None:
    before = cast.minoru[0]
    notice = replace(
        before,
        reason="31",
        address=cast.minoru[1].address,
        town_code=cast.minoru[1].town_code,
        update_number=before.update_number + 1,
        sequence=next_sequence(link),
    )
    with stage.steps.step("a repeated Idempotency-Key gives the same answer, once done") as step:
        step.asks("update/notify 転居, twice with one key")
        first, second = (notify(link, notice, "moved-once-only") for _ in range(2))
        outcomes = [each["outcome"] for each in first.body["data"]["results"]]
        step.saw(", ".join(outcomes), (first.status, outcomes) == (OK, ["applied"]))
        step.saw("the same data again", first.body["data"] == second.body["data"])
        receipts = [each.body["receipt"]["index"] for each in (first, second)]
        step.saw(f"an entry each: {receipts[0]} and {receipts[1]}", receipts[0] < receipts[1])
        with MunicipalFile(store(stage.grounds.municipality)) as file:
            file.record([notice], [])
    with stage.steps.step("the same key with another body is refused") as step:
        step.asks("update/notify 転居 to elsewhere, with that key")
        answer = notify(link, replace(notice, address=cast.sawako.address), "moved-once-only")
        stage.refusals.keep("cs", "update/notify", answer)
        step.saw(f"{answer.status} {answer.body.get('code')}", answer.status == CONFLICT)
    with stage.steps.step("a notice that was sent before is known again") as step:
        step.asks("update/notify 転居, with another key")
        (result,) = notify(link, notice, "moved-once-more").body["data"]["results"]
        step.saw(result["outcome"], result["outcome"] == "duplicate")
    with stage.steps.step("nothing is held, nothing is missing") as step:
        step.asks("update/held, in CBOR")
        # In the other of the two forms that are understood.
        forms = {"Content-Type": CBOR, "Accept": CBOR}
        data = link.ask("/v1/update/held", cbor2.dumps({}), forms).body["data"]
        step.saw(f"last sequence {data['last_sequence']:,}", not data["held"] + data["missing"])


def _not_his_business(stage: Stage, link: Link) -> None:
    with stage.steps.step("a municipal server may not search") as step:
        step.asks("search/find by a municipal server")
        answer = link.ask("/v1/search/find", b'{"name":"\xe5\xb1\xb1"}')
        stage.refusals.keep("cs", "search/find", answer)
        step.saw(f"{answer.status} {answer.body.get('code')}", answer.status == FORBIDDEN)


def _strangers(stage: Stage) -> None:
    with stage.steps.step("a certificate that is not registered is refused") as step:
        step.asks("search/find under the certificate of the prefecture's own courier")
        with stage.link(stage.grounds.tls, PREFECTURE) as link:
            answer = link.ask("/v1/search/find", b"{}")
        stage.refusals.keep("unregistered", "search/find", answer)
        step.saw(f"{answer.status} {answer.body.get('code')}", answer.status == UNIDENTIFIED)
    with stage.steps.step("a certificate of another authority opens no connection") as step:
        step.asks("GET /v1/sys/health")
        try:
            with stage.link(stage.grounds.terminal, "stranger") as link:
                answer = link.ask("/v1/sys/health")
            step.saw(f"answered {answer.status}", right=False)
        except Lost as lost:
            step.saw(f"hung up on: {type(lost.__cause__).__name__}")


def _summary(stage: Stage) -> dict[str, Any]:
    credentials = stage.grounds.credentials(stage.grounds.tls, PREFECTURE)
    with Link(f"https://{stage.national}", credentials, timeout=60.0) as link:
        summary: dict[str, Any] = link.ask("/v1/summary").body
    return summary


def _replayed(stage: Stage) -> dict[str, Any]:
    """Read our feed from the beginning as the national server; return what comes out of it."""
    folder = stage.grounds.national
    with (
        NationalFile(folder / "replayed.db") as file,
        stage.link(folder, "national") as link,
    ):
        after = last = 0
        while after == 0 or after < last:
            asked = json.dumps({"after": after, "limit": FEED_LIMIT}).encode()
            fed = link.ask("/v1/relay/feed", asked).body["data"]
            last = fed["last"]
            file.receive(PREFECTURE, [Message(**message) for message in fed["messages"]])
            after = fed["messages"][-1]["number"]
        return file.summary()
