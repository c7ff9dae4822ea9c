"""Payloads as fastavro, which is not ours, encodes them; `avro_payloads.json` is what this prints.

python3 -m venv venv && venv/bin/pip install fastavro && venv/bin/python tests/it/registry/avro_payloads.py > tests/it/registry/avro_payloads.json
"""

import datetime
import io
import json
import uuid
from decimal import Decimal

import fastavro

UTC = datetime.timezone.utc
AT = datetime.datetime(2026, 3, 1, 10, 0, 0, 250_000, UTC)


def fixed_decimal(size):
    return {"type": "fixed", "name": f"d{size}", "size": size, "logicalType": "decimal", "precision": 20, "scale": 4}


def of(logical, primitive="long", **more):
    return {"type": primitive, "logicalType": logical, **more}


DECIMAL = of("decimal", "bytes", precision=60, scale=2)
ORDER = {
    "type": "record", "name": "Order", "namespace": "shop", "fields": [
        {"name": "user_id", "type": "long"},
        {"name": "lines", "type": {"type": "array", "items": {
            "type": "record", "name": "Line", "fields": [
                {"name": "sku", "type": "string"},
                {"name": "price", "type": DECIMAL},
                {"name": "note", "type": ["null", "string"], "default": None},
            ]}}},
        {"name": "gift", "type": ["null", "Line"], "default": None},
        {"name": "next", "type": ["null", "shop.Order"], "default": None},
    ],
}
LINE = {"sku": "a\"\n", "price": Decimal("19.90"), "note": None}
LINE_JSON = '{"sku":"a\\"\\n","price":19.90,"note":null}'

# A name, a schema, a value and its JSON.
CASES = [
    ("null", "null", None, "null"),
    ("true", "boolean", True, "true"),
    ("false", "boolean", False, "false"),
    ("int", "int", -2147483648, "-2147483648"),
    ("long", "long", 9223372036854775807, "9223372036854775807"),
    ("the least long", "long", -9223372036854775808, "-9223372036854775808"),
    ("beyond 2^53", "long", 9007199254740993, "9007199254740993"),
    ("float", "float", 0.1, "0.1"),
    ("double", "double", 0.1, "0.1"),
    ("a large double", "double", 1e300, "1e+300"),
    ("minus zero", "double", -0.0, "0"),
    ("not a number", "double", float("nan"), "null"),
    ("infinity", "float", float("inf"), "null"),
    ("bytes", "bytes", b"\x00\xff\x10", '"AP8Q"'),
    ("text", "string", "é😀\"\\\x00", '"é😀\\"\\\\\\u0000"'),
    ("fixed", {"type": "fixed", "name": "f", "size": 2}, b"\x01\x02", '"AQI="'),
    ("enum", {"type": "enum", "name": "e", "symbols": ["A", "B"]}, "B", '"B"'),
    ("empty array", {"type": "array", "items": "int"}, [], "[]"),
    ("array", {"type": "array", "items": "int"}, [1, -1, 300], "[1,-1,300]"),
    ("map", {"type": "map", "values": "boolean"}, {"a\"": True}, '{"a\\"":true}'),
    ("union", ["null", "string", "long"], 7, "7"),
    ("decimal", DECIMAL, Decimal("12.30"), "12.30"),
    ("a small decimal", DECIMAL, Decimal("-0.05"), "-0.05"),
    ("decimal zero", DECIMAL, Decimal("0.00"), "0.00"),
    ("a decimal of 20 bytes", DECIMAL, Decimal("-123456789012345678901234567890123456789012345.67"),
     "-123456789012345678901234567890123456789012345.67"),
    ("a decimal of 17 bytes", DECIMAL, Decimal("3402823669209384634633746074317682114.56"),
     "3402823669209384634633746074317682114.56"),
    ("fixed decimal", fixed_decimal(12), Decimal("-1.5"), "-1.5000"),
    ("a long fixed decimal", fixed_decimal(20), Decimal("1.5"), "1.5000"),
    ("uuid", of("uuid", "string"), uuid.UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
     '"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"'),
    ("date", of("date", "int"), datetime.date(2026, 3, 1), '"2026-03-01"'),
    ("a date before 1970", of("date", "int"), datetime.date(1969, 12, 31), '"1969-12-31"'),
    ("time", of("time-millis", "int"), datetime.time(8, 5, 9, 250_000), '"08:05:09.250"'),
    ("a fine time", of("time-micros"), datetime.time(23, 59, 59, 999_999), '"23:59:59.999999"'),
    ("instant", of("timestamp-millis"), AT, '"2026-03-01T10:00:00.25Z"'),
    ("a fine instant", of("timestamp-micros"), AT.replace(microsecond=1), '"2026-03-01T10:00:00.000001Z"'),
    ("an early instant", of("timestamp-millis"), datetime.datetime(1969, 12, 31, 23, 59, 59, 999_000, UTC),
     '"1969-12-31T23:59:59.999Z"'),
    ("local", of("local-timestamp-millis"), AT.replace(tzinfo=None), '"2026-03-01T10:00:00.25"'),
    ("an unknown logical type", of("io.example.odd"), 5, "5"),
    ("order", ORDER,
     {"user_id": 7, "lines": [LINE, LINE], "gift": LINE, "next": {"user_id": 8, "lines": [], "gift": None, "next": None}},
     f'{{"user_id":7,"lines":[{LINE_JSON},{LINE_JSON}],"gift":{LINE_JSON},'
     '"next":{"user_id":8,"lines":[],"gift":null,"next":null}}'),
]


def encoded(schema, value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
    return out.getvalue().hex()


print("[")
print(",\n".join(
    json.dumps({"name": name, "schema": schema, "hex": encoded(schema, value), "json": text}, ensure_ascii=False)
    for name, schema, value, text in CASES))
print("]")
