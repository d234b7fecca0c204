"""Schemes as YAML text: a scheme that came from a workbook, and a starter from a feature table."""

from __future__ import annotations

from decimal import Decimal
from importlib import resources
from typing import Any

import yaml

from tierlens import strict_yaml
from tierlens.errors import DataError
from tierlens.features.catalog import CATALOG, DIMENSIONS, Feature
from tierlens.grading.feature_columns import KEYS, Frame, kinds_of_frame
from tierlens.grading.scheme.grammar import UNITS, plain_number
from tierlens.grading.scheme.scheme import Scheme
from tierlens.words import Text

CLAUSE = "to be named"


class _Dumper(yaml.SafeDumper):
    """Writes exact numbers as plain decimals, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        """No value is ever written as a reference to another."""
        return True


def _number(dumper: yaml.SafeDumper, value: Decimal) -> yaml.ScalarNode:
    text = plain_number(value)
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in text else 'int'}", text)


_Dumper.add_representer(Decimal, _number)


def scheme_yaml(scheme: Scheme) -> str:
    """Write a scheme as YAML; loading the text gives the same scheme.

    Examples
    --------
    >>> from tierlens import strict_yaml
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> scheme = load_scheme("relationship_rating")
    >>> strict_yaml.build_model(Scheme, scheme_yaml(scheme)) == scheme
    True
    """
    return _written(_listed(scheme.model_dump(by_alias=True, exclude_defaults=True)))


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(part) for key, part in value.items()}
    return [_listed(part) for part in value] if isinstance(value, list | tuple) else value


def _written(data: Any) -> str:
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)


def starter_scheme(features: Frame, name: str, currency: str) -> str:
    """Write a starter scheme for the columns of a feature table.

    Every number that the catalog knows a direction for becomes an indicator, scored by its percentile in the graded
    population; indicators weigh alike inside a dimension, and dimensions weigh alike. It is a place to start from, not
    a recommendation.

    Parameters
    ----------
    features : narwhals.LazyFrame
        Only its columns are looked at.
    name : str
        Identifier of the scheme.
    currency : str
        ISO code of its amounts.

    Returns
    -------
    str
        YAML that loads.

    Raises
    ------
    DataError
        ``E-GR-004`` when no column can be scored.

    Examples
    --------
    >>> import duckdb, narwhals as nw
    >>> from tierlens import strict_yaml
    >>> rows = "select 'C1' as customer_id, 1::int as cutoff, 5::bigint as monetary, 3::bigint as recency_days"
    >>> text = starter_scheme(nw.from_native(duckdb.sql(rows)), "mine", "GBP")
    >>> [indicator.id for _, indicator in strict_yaml.build_model(Scheme, text).indicators]
    ['monetary', 'recency_days']
    """
    kinds = kinds_of_frame(features)
    numbers = [column for column, kind in kinds.items() if kind in ("whole", "real") and column not in KEYS]
    known = [CATALOG[column] for column in numbers if column in CATALOG]
    scored = [each for each in known if each.direction != "none" and each.unit in UNITS]
    if not scored:
        there = ", ".join(numbers) or "-"
        what = Text(f"no column of the feature table can be scored: {there}", f"特征表中没有可评分的列：{there}")
        raise DataError("E-GR-004", what)
    dimensions = [key for key in DIMENSIONS if any(each.dimension == key for each in scored)]
    template = resources.files("tierlens.grading").joinpath("starter.yaml").read_text(encoding="utf-8")
    data = {
        **{"id": name, "name": name, "label": name, "currency": currency},
        **strict_yaml.load_yaml(template, "starter.yaml"),
        "features": {e.name: {"name": e.title.en, "label": e.title.zh, "unit": e.unit} for e in scored},
        "dimensions": [_dimension(key, scored) for key in dimensions],
    }
    return _written(data)


def _dimension(key: str, scored: list[Feature]) -> dict[str, Any]:
    indicators = [_indicator(feature) for feature in scored if feature.dimension == key]
    named = {"id": key, "name": DIMENSIONS[key].en, "label": DIMENSIONS[key].zh}
    return {**named, "weight": 1, "source": CLAUSE, "indicators": indicators}


def _indicator(feature: Feature) -> dict[str, Any]:
    named = {"id": feature.name, "name": feature.title.en, "label": feature.title.zh, "feature": feature.name}
    scoring = {"weight": 1, "direction": feature.direction, "normalise": {"method": "percentile"}}
    return {**named, **scoring, "source": CLAUSE}
