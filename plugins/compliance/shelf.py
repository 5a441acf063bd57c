"""Every book, by its name."""

from collections.abc import Mapping
from types import MappingProxyType

from plugins.compliance.book import Book
from plugins.compliance.books import audits, contracts, incidents, selfcheck, training

BOOKS: Mapping[str, Book] = MappingProxyType(
    {
        book.name: book
        for part in (selfcheck, audits, training, contracts, incidents)
        for book in part.BOOKS
    }
)
