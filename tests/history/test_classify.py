import pytest

from history.classify import MAX_BODY_BYTES, answer_of, classify_answer, no_answer
from history.operation import Outcome, Reason

OK, REJECTED, INDETERMINATE = Outcome.OK, Outcome.REJECTED, Outcome.INDETERMINATE


@pytest.mark.parametrize(
    ("status", "body", "outcome", "value", "reason"),
    [
        (200, b"42", OK, 42, Reason.INTEGER),
        (200, b"0", OK, 0, Reason.INTEGER),
        (200, b"-7", OK, -7, Reason.INTEGER),
        (200, b" 42\r\n", OK, 42, Reason.INTEGER),
        (200, b"9007199254740993", OK, 2**53 + 1, Reason.INTEGER),
        (200, b"9223372036854775807", OK, 2**63 - 1, Reason.INTEGER),
        (200, b"-9223372036854775808", OK, -(2**63), Reason.INTEGER),
        (200, b"9223372036854775808", INDETERMINATE, None, Reason.VALUE_EXCEEDS_64_BITS),
        (200, b"1" + b"0" * 37, INDETERMINATE, None, Reason.VALUE_EXCEEDS_64_BITS),
        (200, b"", INDETERMINATE, None, Reason.NOT_AN_INTEGER),
        (200, b"-", INDETERMINATE, None, Reason.NOT_AN_INTEGER),
        (200, b"+4", INDETERMINATE, None, Reason.NOT_AN_INTEGER),
        (200, b"007", INDETERMINATE, None, Reason.NOT_AN_INTEGER),
        (200, b"4.0", INDETERMINATE, None, Reason.NOT_AN_INTEGER),
        (200, b"4e2", INDETERMINATE, None, Reason.NOT_AN_INTEGER),
        (200, b"1_000", INDETERMINATE, None, Reason.NOT_AN_INTEGER),
        (200, b"4 5", INDETERMINATE, None, Reason.NOT_AN_INTEGER),
        (200, b'"4"', INDETERMINATE, None, Reason.NOT_AN_INTEGER),
        (200, "٤".encode(), INDETERMINATE, None, Reason.NOT_AN_INTEGER),
        (200, b"4\x00", INDETERMINATE, None, Reason.NOT_AN_INTEGER),
        (201, b"42", INDETERMINATE, None, Reason.UNEXPECTED_STATUS),
        (204, b"", INDETERMINATE, None, Reason.UNEXPECTED_STATUS),
        (302, b"42", INDETERMINATE, None, Reason.UNEXPECTED_STATUS),
        (405, b"", INDETERMINATE, None, Reason.UNEXPECTED_STATUS),
        (400, b"42", REJECTED, None, Reason.VALIDATION),
        (403, b"", REJECTED, None, Reason.FORBIDDEN),
        (404, b"", REJECTED, None, Reason.NOT_FOUND),
        (409, b"", REJECTED, None, Reason.CONFLICT),
        (413, b"", REJECTED, None, Reason.TOO_LARGE),
        (415, b"", REJECTED, None, Reason.UNSUPPORTED_MEDIA_TYPE),
        (429, b"", REJECTED, None, Reason.THROTTLED),
        (500, b"42", INDETERMINATE, None, Reason.SERVER_ERROR),
        (503, b"", INDETERMINATE, None, Reason.SERVER_ERROR),
        (504, b"", INDETERMINATE, None, Reason.SERVER_ERROR),
    ],
)
def test_answers(
    status: int, body: bytes, outcome: Outcome, value: int | None, reason: Reason
) -> None:
    assert classify_answer(status, body) == (outcome, value, reason)


def test_a_body_larger_than_is_read_is_never_a_number() -> None:
    answer = answer_of(200, b"1" * (MAX_BODY_BYTES + 1))
    assert answer.seen == (INDETERMINATE, None, Reason.NOT_AN_INTEGER)


def test_a_truncated_body_is_never_a_number() -> None:
    assert answer_of(200, b"42", complete=False).seen == (INDETERMINATE, None, Reason.TRUNCATED)


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason >= Reason.TIMEOUT])
def test_failures_are_indeterminate(reason: Reason) -> None:
    assert no_answer(reason).seen.outcome is INDETERMINATE
    assert no_answer(reason).attempts == 1


def test_only_what_was_never_sent_is_rejected() -> None:
    assert no_answer(Reason.NEVER_SENT) == ((REJECTED, None, Reason.NEVER_SENT), 0, 0, 0)
