"""What a README names is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPPED = {".venv", ".git"}
READMES = [
    path
    for path in sorted(ROOT.rglob("README.md"))
    if not SKIPPED & set(path.relative_to(ROOT).parts)
]
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[A-Za-z0-9_.@-]+(?:/[A-Za-z0-9_.@-]+)*/?")
TOPS = tuple(f"{path.name}/" for path in ROOT.iterdir() if path.is_dir())
SUFFIXES = (".py", ".md", ".toml", ".tsv", ".json", ".service", ".go", ".cfg")
MADE_LATER = {
    "tiles/",
    "identity.json",
    "manifest.json",
    "store/",
    "appliance/",
    "custodians/",
    "municipality/",
    "national/",
    "witness/",
    "witness.toml",
    "cosigned/",
    "evidence/",
    "terminal/",
    "ca.pem",
}
"""Of a running appliance, not of the source."""


def named(text: str) -> Iterator[str]:
    """Yield everything in code marks that can be a path in this repository."""
    for match in CODE.finditer(text):
        for word in match[1].split():
            looks = word.startswith(TOPS) or word.endswith((*SUFFIXES, "/"))
            if looks and PATH.fullmatch(word) and word not in MADE_LATER:
                yield word


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_that_a_readme_names_exists(readme: Path) -> None:
    places = (ROOT, readme.parent, ROOT / readme.relative_to(ROOT).parts[0])
    words = set(named(readme.read_text("utf-8")))
    missing = [word for word in words if not any((place / word).exists() for place in places)]
    assert missing == []
