"""What is asked, and when: 70 % search, 20 % provision, 10 % notices, at moments left to chance."""

from collections.abc import Iterator
from random import Random

from scripts.bench_lib.served import SENDERS, TERMINALS, Served, Site
from scripts.load_lib.arrivals import Ask, Lane, Task

SEARCHES, INQUIRIES = 0.7, 0.2
"""Parts of all requests; the rest are notices, one in a request."""
CONNECTIONS = 4
"""Of each terminal; a municipality has one, so that its notices arrive in their order."""


class Mix:
    """Makes tasks for the clients; the same seed asks the same."""

    def __init__(self, site: Site, served: Served, seed: int) -> None:
        self._site = site
        self._served = served
        self._rng = Random(f"load/{seed}")
        terminals, senders = site.lanes()
        self._lanes = [
            *(Lane(papers, CONNECTIONS) for papers in terminals),
            *(Lane(papers, 1) for papers in senders),
        ]

    def task(self, rate: float, seconds: float) -> Task:
        """Return so many seconds of requests at ``rate`` a second on average."""
        return Task(self._served.address, self._lanes, list(self._asks(rate, seconds)))

    def _asks(self, rate: float, seconds: float) -> Iterator[Ask]:
        due = self._rng.expovariate(rate)
        while due < seconds:
            yield self._ask(due)
            due += self._rng.expovariate(rate)

    def _ask(self, due: float) -> Ask:
        dice = self._rng.random()
        if dice < SEARCHES + INQUIRIES:
            terminal = self._rng.randrange(TERMINALS)
            make = self._site.search if dice < SEARCHES else self._site.inquiry
            return Ask(due, terminal, make(terminal, self._rng))
        sender = self._rng.randrange(SENDERS)
        return Ask(due, TERMINALS + sender, self._site.notification(sender, 1))
