"""Athena's SQL on DuckDB: binds a query's parameters, translates it, and writes values as Athena prints them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlglot import ErrorLevel, TokenType, exp, parse_one
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError, UnsupportedError

# DuckDB as close to Trino as its settings and macros bring it: dividing integers gives an integer, timestamps without a
# zone are UTC, and the functions that sqlglot has no translation for. Each is a connection's first statement.
PRELUDE = (
    "SET integer_division = true",
    "SET TimeZone = 'UTC'",
    "CREATE TEMP MACRO map_agg(k, v) AS map(list(k), list(v))",
    "CREATE TEMP MACRO to_iso8601(t) AS strftime(t, '%Y-%m-%dT%H:%M:%S.%g')",
    # Trino writes timestamps as text with their milliseconds. Only the branch of the value's type is ever run.
    "CREATE TEMP MACRO as_varchar(x) AS CASE typeof(x)"
    " WHEN 'TIMESTAMP' THEN strftime(TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')"
    " WHEN 'TIMESTAMP WITH TIME ZONE'"
    " THEN strftime(TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMPTZ), '%Y-%m-%d %H:%M:%S.%g UTC')"
    " ELSE CAST(x AS VARCHAR) END",
    # To Trino's cast a text is a timestamp without a T and a zone, and a date without a time of the day;
    # from_iso8601_timestamp takes those that have them.
    "CREATE TEMP MACRO as_timestamp(x) AS CASE WHEN typeof(x) <> 'VARCHAR'"
    r" OR regexp_full_match(CAST(x AS VARCHAR), '\s*\d{4,}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d+)?)?)?\s*')"
    " THEN TRY_CAST(x AS TIMESTAMP) END",
    "CREATE TEMP MACRO as_date(x) AS CASE WHEN typeof(x) <> 'VARCHAR'"
    r" OR regexp_full_match(CAST(x AS VARCHAR), '\s*\d{4,}-\d{1,2}-\d{1,2}\s*') THEN TRY_CAST(x AS DATE) END",
    "CREATE TEMP MACRO iso8601_timestamp(x) AS CAST(CASE"
    r" WHEN regexp_full_match(x, '\d{4}-\d{2}-\d{2}(T\d{2}(:\d{2}(:\d{2}([.,]\d+)?)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?')"
    " THEN x ELSE 'not in ISO 8601: ' || x END AS TIMESTAMPTZ)",
    # Trino's entropy takes counts; DuckDB's function of that name takes the values that are counted.
    "CREATE TEMP MACRO entropy_of_counts(c) AS"
    " log2(sum(c)) - sum(CASE WHEN c > 0 THEN c * log2(c) ELSE 0 END) / sum(c)",
)


class QueryError(Exception):
    """A query Athena would fail, with a text shaped like Athena's."""


def to_duckdb(query: str, parameters: Sequence[str] = ()) -> str:
    """The DuckDB query for an Athena query and its execution parameters."""
    try:
        tree = parse_one(_bind(query, parameters), read="athena")
        # From the leaves up: what is inside a rewritten construct is rewritten too.
        for node in reversed(list(tree.dfs())):
            if (rewritten := _rewrite(node)) is not node:
                node.replace(rewritten)
        # Names that DuckDB keeps for itself, such as primary, are names to Trino.
        return tree.sql("duckdb", identify=True, unsupported_level=ErrorLevel.RAISE)
    except ParseError as error:
        place = error.errors[0] if error.errors else {}
        where = f"line {place.get('line')}:{place.get('col')}: " if place else ""
        raise QueryError(f"SYNTAX_ERROR: {where}{place.get('description', error)}") from error
    except (TokenError, UnsupportedError) as error:
        raise QueryError(f"NOT_SUPPORTED: {error}") from error


def _bind(query: str, parameters: Sequence[str]) -> str:
    """The query with each `?`, in the order of the text, replaced by its parameter."""
    marks = [
        token for token in Dialect.get_or_raise("athena").tokenize(query) if token.token_type == TokenType.PLACEHOLDER
    ]
    if len(marks) != len(parameters):
        raise QueryError(
            "INVALID_PARAMETER_USAGE: Incorrect number of parameters: "
            f"expected {len(marks)} but found {len(parameters)}"
        )
    # From the end, so that the positions still to be used stay true; spaces, so that `- ?` with -1 is no comment.
    for mark, parameter in reversed(list(zip(marks, parameters, strict=True))):
        query = f"{query[: mark.start]} {_literal(parameter)} {query[mark.end + 1 :]}"
    return query


def _literal(parameter: str) -> str:
    """A parameter as SQL text again, once it has been read as a constant."""
    tree = parse_one(parameter, read="athena")
    if not _is_constant(tree):
        raise QueryError(f"INVALID_PARAMETER_USAGE: {parameter} is not a constant; write a string in single quotes")
    return tree.sql("athena")


def _is_constant(tree: exp.Expr) -> bool:
    if isinstance(tree, exp.Neg | exp.Cast | exp.Interval):
        return _is_constant(tree.this)
    return isinstance(tree, exp.Literal | exp.Null | exp.Boolean)


def _rewrite(node: exp.Expr) -> exp.Expr:
    """Where a construct of the same name means something else in DuckDB."""
    if isinstance(node, exp.DateDiff):
        # date_diff counts boundaries in DuckDB, and complete units in Trino; that is DuckDB's date_sub.
        unit = exp.Literal.string(str(node.args["unit"].name).lower())
        return exp.Anonymous(this="date_sub", expressions=[unit, node.expression, node.this])
    if isinstance(node, exp.TryCast) and node.is_type(exp.DataType.Type.TIMESTAMP):
        return exp.Anonymous(this="as_timestamp", expressions=[node.this])
    if isinstance(node, exp.TryCast) and node.is_type(exp.DataType.Type.DATE):
        return exp.Anonymous(this="as_date", expressions=[node.this])
    if isinstance(node, exp.FromISO8601Timestamp):
        return exp.Anonymous(this="iso8601_timestamp", expressions=[node.this])
    counted = node.find(exp.Anonymous) if isinstance(node, exp.MapKeys) else None
    if counted and _is_call(counted, "approx_most_frequent"):
        # Trino counts the most frequent values in a map, DuckDB lists them.
        buckets, value, _ = counted.expressions
        counted.replace(exp.Anonymous(this="approx_top_k", expressions=[value, buckets]))
        return node.this
    if isinstance(node, exp.Cast) and node.is_type(exp.DataType.Type.JSON):
        # Trino makes a JSON value of it, DuckDB would parse a text as JSON.
        return exp.Anonymous(this="to_json", expressions=[node.this])
    if isinstance(node, exp.Cast) and node.is_type(exp.DataType.Type.VARCHAR) and not node.to.expressions:
        return exp.Anonymous(this="as_varchar", expressions=[node.this])
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and str(node.to) == "DECIMAL":
        # DECIMAL '…' has as many digits as are written, in DuckDB eighteen.
        whole, _, fraction = node.name.strip("+-").partition(".")
        sized = exp.DataType.build(f"DECIMAL({max(len(whole) + len(fraction), 1)}, {len(fraction)})")
        return exp.Cast(this=node.this, to=sized)
    if isinstance(node, exp.DataType) and node.is_type(exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPTZ):
        # TIMESTAMP '…' reads as TIMESTAMP(0), for which DuckDB has a type of its own that fewer functions take.
        return exp.DataType(this=node.this)
    if _is_call(node, "entropy"):
        return exp.Anonymous(this="entropy_of_counts", expressions=node.expressions)
    return node


def _is_call(node: exp.Expr, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == name


def athena_text(value: Any) -> str | None:
    """A value as Athena prints it; None for NULL."""
    if value is None:
        return None
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    return str(value)


def _nested(value: Any) -> str:
    text = athena_text(value)
    return "null" if text is None else text


def _double(value: float) -> str:
    """As Java prints a double: in scientific notation from ten million on and under a thousandth."""
    if not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return str(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    fraction = "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{digits[0]}.{fraction}E{int(exponent) + len(digits) - 1}"


def _timestamp(value: datetime) -> str:
    text = value.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
    return f"{text} UTC" if value.tzinfo else text


_WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (bool, lambda value: "true" if value else "false"),
    (float, _double),
    (Decimal, lambda value: f"{value:f}"),
    (datetime, _timestamp),
    (date, lambda value: value.isoformat()),
    (bytes, lambda value: value.hex(" ")),
    (list, lambda value: "[" + ", ".join(map(_nested, value)) + "]"),
    (dict, lambda value: "{" + ", ".join(f"{_nested(k)}={_nested(v)}" for k, v in value.items()) + "}"),
)
