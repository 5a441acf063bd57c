"""A terminal at the counter: papers as they lie in the page that shows them."""

import re

from tests.screens import Seen, Visitor


def paper(visitor: Visitor, page: Seen) -> Seen:
    """Return the PDF that a page shows."""
    (inside,) = re.findall(r'<iframe class="paper" src="([^"]+)"', page.markup)
    seen = visitor.goes(inside)
    assert seen.headers["Content-Type"] == "application/pdf"
    assert seen.body.startswith(b"%PDF")
    return seen
