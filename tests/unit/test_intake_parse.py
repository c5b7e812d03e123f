"""What is verified is still a stranger's JSON: it parses into a known shape, or is refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskbell.errors import RequestError
from taskbell.intake.parse import MAX_BODY_BYTES, RowChange, WakeUp, parse

CHANGE: dict[str, Any] = {
    "type": "UPDATE",
    "table": "agent_tasks",
    "schema": "public",
    "record": {"id": "7", "status": "completed", "input_data": {"contactId": None}},
    "old_record": {"id": "7", "status": "pending"},
}


def dumped(**changes: object) -> bytes:
    return json.dumps({**CHANGE, **changes}).encode()


def refusal(body: bytes) -> tuple[int, str]:
    with pytest.raises(RequestError) as caught:
        parse(body)
    return caught.value.status_code, caught.value.reason


@pytest.mark.parametrize("more", ["", ',"event_id":7', ',"event_id":"seven"', ',"from":"tomorrow"'])
def test_a_wake_up_says_nothing_but_look(more: str) -> None:
    assert isinstance(parse(f'{{"type":"taskbell.wakeup"{more}}}'.encode()), WakeUp)


def test_a_dashboard_webhook_keeps_its_row_and_loses_keys_that_nobody_knows() -> None:
    parsed = parse(dumped(signed_by="me"))
    assert isinstance(parsed, RowChange)
    assert parsed.as_json() == CHANGE


@pytest.mark.parametrize(
    ("operation", "row"), [("INSERT", "record"), ("UPDATE", "record"), ("DELETE", "old_record")]
)
def test_each_operation_needs_its_row(operation: str, row: str) -> None:
    other = {"record": "old_record", "old_record": "record"}[row]
    assert isinstance(parse(dumped(type=operation, **{other: None})), RowChange)
    assert refusal(dumped(type=operation, **{row: None})) == (422, "bad_shape")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null null",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b'{"type":NaN}',
        b'{"a":Infinity}',
        b"{'a':1}",
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b"\x00",
        b'"\x00"',
        b"[" * 100_000,
        b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    ],
)
def test_what_is_no_json_is_a_bad_request(body: bytes) -> None:
    assert refusal(body) == (400, "bad_json")


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b'"hello"',
        b"7",
        b"{}",
        b'{"type":"TRUNCATE"}',
        b'{"type":"taskbell.other"}',
        dumped(table=7),
        dumped(table=""),
        dumped(table="t" * 64),
        dumped(schema=None),
        dumped(record=[]),
        dumped(record="row"),
        dumped(type=None),
        dumped(old_record=7),
    ],
)
def test_what_has_the_wrong_shape_is_unprocessable(body: bytes) -> None:
    assert refusal(body) == (422, "bad_shape")


@pytest.mark.parametrize("row", [{"a": "\0"}, {"\0": 1}, {"a": [{"b": ["x\0y"]}]}, {"a": int("9" * 4000)}])
def test_what_postgres_could_not_store_is_refused_here(row: dict[str, object]) -> None:
    assert refusal(dumped(record=row)) == (422, "bad_shape")


def test_a_number_beyond_a_double_is_refused() -> None:
    body = dumped().replace(b'"7"', b"1e999", 1)
    assert refusal(body) in {(400, "bad_json"), (422, "bad_shape")}


def test_text_that_only_speaks_of_a_null_character_passes() -> None:
    assert isinstance(parse(dumped(record={"a": "\\u0000"})), RowChange)


def test_the_limit_itself_passes_and_one_byte_more_does_not() -> None:
    padding = MAX_BODY_BYTES - len(dumped(record={"a": ""}))
    assert isinstance(parse(dumped(record={"a": "x" * padding})), RowChange)
    assert refusal(dumped(record={"a": "x" * (padding + 1)})) == (413, "body_too_large")


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_do_anything_but_parse_or_be_refused(body: bytes) -> None:
    assert refusal(body)[0] in {400, 422}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["type", "table", "schema", "record", "old_record", "x"]),
        json_values | st.sampled_from(["INSERT", "UPDATE", "DELETE", "agent_tasks", "public"]),
    )
)
def test_no_json_does_anything_but_parse_or_be_refused(payload: dict[str, object]) -> None:
    body = json.dumps(payload).encode()
    try:
        parsed = parse(body)
    except RequestError:
        assert refusal(body)[0] in {400, 422}
    else:
        assert isinstance(parsed, RowChange)
        json.dumps(parsed.as_json(), allow_nan=False).encode()
