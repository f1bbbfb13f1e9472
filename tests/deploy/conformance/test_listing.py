"""docs/local-target.md lists the conformance suite as it is."""

from tests.deploy.conformance.listing import DOCUMENT, PAGES, replaced, rows


def test_the_document_lists_every_conformance_test_and_no_other() -> None:
    document = DOCUMENT.read_text()
    assert document == replaced(document), "python -m tests.deploy.conformance.listing writes it"


def test_every_page_is_named_by_a_test() -> None:
    assert {title for row in rows() for title in row.titles} == set(PAGES)
