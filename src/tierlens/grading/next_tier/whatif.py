"""Grade customers as they would be after a change, many changes in one batch, by the grader itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import narwhals as nw

from tierlens.grading.feature_columns import KEYS, NUDGE, PLACES, Columns, kinds_of
from tierlens.grading.reference import Reference, compared_indicators, parts_of_unit
from tierlens.grading.scheme.parts import Indicator, Normalise
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.scoring import grade
from tierlens.grading.sql import TABLE
from tierlens.sources.tables import Currency

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Floats = npt.NDArray[np.float64]

CHANGED = "\x00changed"
"""Stands for the customer who is changed while his population is graded with him."""
ROWS = 500_000
"""Rows that are graded at once."""


@dataclass(frozen=True)
class Change:
    """A customer's features after a change."""

    customer_id: str
    cutoff: int
    row: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What the grader gave: rank (1 is the best, ``worst`` where there is none) and score."""

    rank: int
    score: float


@dataclass(frozen=True)
class Bench:
    """A population in which changed customers are graded.

    Parameters
    ----------
    features : pyarrow.Table
        Everybody who was graded, with ``customer_id`` and ``cutoff``.
    scheme : Scheme
    currency : Currency
    reference : pyarrow.Table, optional
        A population measured before, from ``fit_reference``; ``features`` is the population otherwise, and a customer
        who changes moves the mean and the ranks that he is compared with.
    """

    features: pa.Table
    scheme: Scheme
    currency: Currency
    reference: pa.Table | None = None

    @cached_property
    def columns(self) -> Columns:
        """The columns that are there."""
        return Columns(self.scheme, self.currency, kinds_of(self.features.schema))

    @cached_property
    def schema(self) -> pa.Schema:
        """Keys, features that the scheme reads, and points given by hand."""
        import pyarrow as pa

        names = ["frequency", "tenure_days", *self.scheme.features]
        names += [f"points_{i.id}" for _, i in self.scheme.indicators]
        there = [name for name in dict.fromkeys(names) if name in self.features.column_names]
        keys = [pa.field("customer_id", pa.string()), pa.field("cutoff", pa.int32())]
        return pa.schema([*keys, *(pa.field(name, self.features.schema.field(name).type) for name in there)])

    @cached_property
    def compared(self) -> list[tuple[Indicator, Normalise, str]]:
        """Indicators that are compared with the population."""
        return list(compared_indicators(self.columns)) if self.reference is None else []

    @cached_property
    def alone(self) -> bool:
        """Whether a tier depends on the customer's own values only."""
        if self.reference is not None or not self.compared:
            return True
        label = next((label for label in self.scheme.labels if label.id == self.scheme.tier_by), None)
        read = {name for rule in label.rules for when in rule.when for name in when} if label else {"score"}
        return not any(name.startswith(("score", "points_", "label_")) for name in read)

    def near(self, changes: Sequence[Change]) -> list[Result]:
        """Grade each change with points placed in the population beforehand: exact but for the last of nine places."""
        if not changes:
            return []
        table = self._table(changes)
        known = Reference(self.reference if self.reference is not None else _no_reference())
        for indicator, normalise, source in self.compared:
            table = self._placed(table, changes, indicator, normalise, source)
        graded = self._graded(table, known if self.compared or self.reference is not None else None)
        found = {int(row["customer_id"]): self._result(row) for row in graded.to_pylist()}
        return [found[place] for place in range(len(changes))]

    def exact(self, changes: Sequence[Change]) -> list[Result]:
        """Grade each change together with everybody else of its cutoff, as ``grade`` does it."""
        if self.alone:
            return self.near(changes)
        found: list[Result] = []
        for some in self._batches(changes):
            graded = {row["cutoff"]: self._result(row) for row in self._graded(self._whole(some)).to_pylist()}
            found += [graded[place] for place in range(len(some))]
        return found

    def _batches(self, changes: Sequence[Change]) -> Iterable[Sequence[Change]]:
        crowd = max((self._at(cutoff).num_rows for cutoff in {change.cutoff for change in changes}), default=1)
        size = max(ROWS // max(crowd, 1), 1)
        return (changes[start : start + size] for start in range(0, len(changes), size))

    def _whole(self, changes: Sequence[Change]) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = self._table(changes).set_column(0, "customer_id", pa.array([CHANGED] * len(changes)))
        pieces = [rows.set_column(1, "cutoff", pa.array(range(len(changes)), pa.int32()))]
        for number, change in enumerate(changes):
            others = self._at(change.cutoff)
            others = others.filter(pc.not_equal(others["customer_id"], change.customer_id))
            pieces += [others.set_column(1, "cutoff", pa.array([number] * others.num_rows, pa.int32()))]
        return pa.concat_tables([pieces[0].cast(self.schema), *pieces[1:]])

    def _at(self, cutoff: int) -> pa.Table:
        import pyarrow.compute as pc

        if cutoff not in self._days:
            here = self.features.filter(pc.equal(self.features["cutoff"], cutoff))
            self._days[cutoff] = here.select(self.schema.names).cast(self.schema)
        return self._days[cutoff]

    @cached_property
    def _days(self) -> dict[int, pa.Table]:
        return {}

    def _table(self, changes: Sequence[Change]) -> pa.Table:
        """One row a change, numbered in the place of the customer."""
        import pyarrow as pa

        numbers = pa.array([str(number) for number in range(len(changes))], pa.string())
        arrays = [numbers, pa.array([change.cutoff for change in changes], pa.int32())]
        for field in list(self.schema)[2:]:
            whole = pa.types.is_integer(field.type)
            empty = pa.types.is_null(field.type)  # a column without values has no type that a value could take
            values = [None if empty else change.row.get(field.name) for change in changes]
            arrays.append(pa.array([round(v) if whole and v is not None else v for v in values], field.type))
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def _graded(self, table: pa.Table, reference: Reference | None = None) -> pa.Table:
        """Grade; of a table with whole populations only those who are changed."""
        whole = reference is None and bool(self.compared)
        columns = ", ".join(f'"{field.name}" {_sql_type(field.type)}' for field in table.schema)
        self._connection.execute(f"CREATE OR REPLACE TABLE {TABLE} ({columns})")
        self._connection.register("arrow", table)
        self._connection.execute(f"INSERT INTO {TABLE} SELECT * FROM arrow")  # noqa: S608  a name of our own
        if whole not in self._queries:
            self._queries[whole] = self._query(self._connection.table(TABLE), reference, whole)
        found: pa.Table = self._connection.sql(self._queries[whole]).to_arrow_table()
        self._connection.unregister("arrow")
        return found

    @cached_property
    def _connection(self) -> Any:
        import duckdb

        return duckdb.connect()

    @cached_property
    def _queries(self) -> dict[bool, str]:
        """What ``grade`` compiles to, so that each batch does not compile it again."""
        return {}

    def _query(self, table: Any, reference: Reference | None, whole: bool) -> str:
        graded = grade(nw.from_native(table), self.scheme, self.currency, reference)
        graded = graded.filter(nw.col("customer_id") == CHANGED) if whole else graded
        return str(graded.select(*KEYS, "tier_rank", "score").to_native().sql_query())

    def _result(self, row: Mapping[str, Any]) -> Result:
        return Result(row["tier_rank"] or len(self.scheme.tiers) + 1, row["score"] or 0.0)

    def _placed(
        self, table: pa.Table, changes: Sequence[Change], indicator: Indicator, normalise: Normalise, source: str
    ) -> pa.Table:
        import numpy as np
        import pyarrow as pa

        values = _floats(table[source])
        points = np.full(len(changes), np.nan)
        days = np.array([change.cutoff for change in changes])
        for day in np.unique(days):
            here = np.flatnonzero(days == day)
            crowd, place = self._crowd(int(day), source)
            own = np.array([crowd[place[c]] if (c := changes[int(n)].customer_id) in place else np.nan for n in here])
            fine = parts_of_unit(source, self.columns)
            points[here] = _points(values[here], own, crowd, indicator, normalise, self.scheme, fine)
        name = f"points_{indicator.id}"
        if name in table.column_names:
            given = _floats(table[name])
            low, high = float(self.scheme.points.low), float(self.scheme.points.high)
            points = np.where((given >= low) & (given <= high), given, points)
            table = table.drop_columns([name])
        return table.append_column(name, pa.array(points, mask=np.isnan(points)))

    @cached_property
    def _crowds(self) -> dict[tuple[int, str], Floats]:
        return {}

    @cached_property
    def _places(self) -> dict[int, dict[str, int]]:
        return {}

    def _crowd(self, day: int, source: str) -> tuple[Floats, dict[str, int]]:
        """Return the values of a cutoff, and the place of each customer in them."""
        here = self._at(day)
        if day not in self._places:
            self._places[day] = {name: place for place, name in enumerate(here["customer_id"].to_pylist())}
        if (day, source) not in self._crowds:
            self._crowds[day, source] = _floats(here[source])
        return self._crowds[day, source], self._places[day]


def _sql_type(kind: Any) -> str:
    import pyarrow as pa

    if pa.types.is_integer(kind):
        return "INTEGER" if kind == pa.int32() else "BIGINT"
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind)
    return "VARCHAR" if text else "DOUBLE"


def _no_reference() -> pa.Table:
    import pyarrow as pa

    return pa.table({"indicator": pa.array([], pa.string()), "cutoff": pa.array([], pa.int32())})


def _floats(column: Any) -> Floats:
    import numpy as np
    import pyarrow as pa

    values = column.cast(pa.float64(), safe=False).to_numpy()
    return np.where(np.isfinite(values), values, np.nan)


def _points(
    values: Floats, own: Floats, crowd: Floats, indicator: Indicator, normalise: Normalise, scheme: Scheme, fine: int
) -> Floats:
    """Return the points of values, each put into the crowd in the place of the customer's own."""
    import numpy as np

    low, high = float(scheme.points.low), float(scheme.points.high)
    sign = 1.0 if indicator.direction == "up" else -1.0
    known = np.sort(crowd[~np.isnan(crowd)])
    if normalise.method == "z_score" and normalise.centre is not None and normalise.slope is not None:
        z, spread = _z(values, own, known, fine)
        line = float(normalise.centre) + sign * float(normalise.slope) * z
        points = np.where(spread > 0, line, float(normalise.centre))
    else:
        part = _ranked(values, own, known) if normalise.method == "percentile" else _between(values, own, known)
        line = (low if sign > 0 else high) + part * (sign * (high - low))
        points = np.where(np.isnan(part), float(scheme.points.middle), line)
    placed: Floats = np.where(np.isnan(values), np.nan, np.round(np.clip(points, low, high) + NUDGE, PLACES))
    return placed


def _z(values: Floats, own: Floats, known: Floats, fine: int) -> tuple[Floats, Floats]:
    """Return z-scores; mean and spread are those of values cut to parts of a unit, as the grader sums them."""
    import numpy as np

    cut, mine, new = (np.round(each * fine) / fine for each in (known, own, values))
    middle = cut.mean() if len(cut) else 0.0
    centred, out, new = cut - middle, np.nan_to_num(mine - middle), new - middle
    count = len(known) - (~np.isnan(own)) + 1.0
    mean = (centred.sum() - out + new) / count
    spread = np.sqrt(np.maximum(((centred**2).sum() - out**2 + new**2) / count - mean**2, 0.0))
    return np.divide(values - middle - mean, spread, out=np.zeros_like(new), where=spread > 0), spread


def _ranked(values: Floats, own: Floats, known: Floats) -> Floats:
    import numpy as np

    left, right = (np.searchsorted(known, values, side) for side in ("left", "right"))
    below = left - (own < values)
    equal = right - left - (own == values) + 1
    part: Floats = (below + equal * 0.5) / (len(known) - (~np.isnan(own)) + 1.0)
    return part


def _between(values: Floats, own: Floats, known: Floats) -> Floats:
    import numpy as np

    def end(place: int, beside: int, pick: Any) -> Floats:
        if not len(known):
            return values
        other = known[beside] if len(known) > 1 else np.nan
        found: Floats = pick(np.where(own == known[place], other, known[place]), values)
        return found

    least, most = end(0, min(1, len(known) - 1), np.fmin), end(-1, max(-2, -len(known)), np.fmax)
    width = most - least
    return np.divide(values - least, width, out=np.full_like(values, np.nan), where=width > 0)
