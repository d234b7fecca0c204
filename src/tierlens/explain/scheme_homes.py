"""Where each feature belongs under a scheme: indicator, dimension, clause and weight, or why to none.

The rules, in this order; the first that fits gives the home of a feature:

1. The indicator that reads the feature, or reads it by proxy.
2. The indicator that measures the same quantity (amounts over other windows are amounts), then one that measures a
   quantity declared to be near. What features measure, and what is near, is declared in
   :mod:`tierlens.explain.quantities`, once for all schemes. An indicator measures what its feature and its proxy
   measure, and the quantity that its id names (``satisfaction`` scored by NPS is satisfaction).
3. The label, trigger or tag whose rules read the feature, then one that reads the same quantity or one near: a
   dimension of that name (``label_lifecycle``). What is made of the score as a whole belongs to ``score``, or to the
   label that tiers go by.
4. Else it is outside the scheme: the scheme does not score it, and its dimension in the catalog is named.

Of several indicators that fit, the one with the largest weight is taken, then the first; of several labels, the one
that reads fewest other columns. Weights are shares of the composite (0-1) when every value is there; where tiers go by
a label, the composite is a score beside them, and a label has no weight.

``python -m tierlens.explain.scheme_homes [SCHEME] [--lang zh]`` prints the table of a scheme, or of all five.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tierlens.explain.phrases import FAMILIES
from tierlens.explain.quantities import NEAR, TITLES, quantity_of, quantity_title
from tierlens.features.catalog import DIMENSIONS, WHOLE, Feature
from tierlens.grading.scheme.grammar import Condition, columns_of
from tierlens.grading.scheme.parts import Dimension, Indicator, Label
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
from tierlens.words import Lang, Text

Catalog = Mapping[str, Feature]
When = tuple[dict[str, Condition], ...]

OUTSIDE = "outside"
"""Dimension of what a scheme does not score."""
SCORE = "score"
"""Dimension of what is made of the score as a whole."""
OUTSIDE_TITLE = Text("outside the scheme", "方案之外")
SCORE_TITLE = Text("the score as a whole", "综合评分")
WHOLE_SCORE = Text("made of the score as a whole", "由综合评分得出")


@dataclass(frozen=True)
class Home:
    """Where a feature belongs under a scheme.

    Parameters
    ----------
    indicator : str or None
        Id of the indicator; None for a label, a trigger, a tag, and outside the scheme.
    dimension : str
        Id of the dimension; ``label_<id>``, ``trigger_<id>``, ``tag_<id>``, ``score`` or ``outside``.
    title : Text
        Of the indicator; of the feature where there is none.
    dimension_title : Text
    clause : str
        Of the document; empty outside the scheme.
    weight : float or None
        Share of the indicator in the composite, 0-1; None where there is no indicator.
    why : Text
        By which rule it belongs there, or why to no indicator.
    """

    indicator: str | None
    dimension: str
    title: Text
    dimension_title: Text
    clause: str
    weight: float | None
    why: Text

    @property
    def is_outside(self) -> bool:
        """Whether the scheme does not score it."""
        return self.dimension == OUTSIDE


@dataclass(frozen=True)
class _Rules:
    """A label, trigger or tag: the columns that it reads, those of them whose value it asks for, and its words."""

    kind: int
    dimension: str
    title: Text
    clause: str
    reads: frozenset[str]
    asks: frozenset[str]

    def order(self, name: str) -> tuple[bool, int, int]:
        """Sort those first that ask for the value and not only whether there is one, labels, and short ones."""
        return name not in self.asks, self.kind, len(self.reads)


@dataclass(frozen=True)
class _Homes:
    """Finds the home of one feature after another."""

    scheme: Scheme
    catalog: Catalog

    @cached_property
    def indicators(self) -> list[tuple[Dimension, Indicator]]:
        """All indicators, the heaviest first."""
        return sorted(self.scheme.indicators, key=lambda both: -self.scheme.shares[both[1].id])

    @cached_property
    def rules(self) -> list[_Rules]:
        """All labels, triggers and tags."""
        return list(_rules_of(self.scheme))

    @cached_property
    def decides(self) -> _Rules | None:
        """The label that tiers go by."""
        return next((rules for rules in self.rules if rules.dimension == f"label_{self.scheme.tier_by}"), None)

    def of(self, name: str) -> Home:
        """Return the home of one feature."""
        if name in self.catalog and self.catalog[name].family == "standing":
            return self.of_standing(name)
        found = self.reading_indicator(name) or self.measuring_indicator(name) or self.reading_rules(name)
        return found or self.measuring_rules(name) or self.outside(name)

    def of_standing(self, name: str) -> Home:
        """Return the home of what is made of the score: the score, or the label that tiers go by."""
        if self.decides is not None:
            return self._ruled(name, self.decides, WHOLE_SCORE)
        return Home(None, SCORE, self.title_of(name), SCORE_TITLE, self.scheme.source.clause, None, WHOLE_SCORE)

    def reading_indicator(self, name: str) -> Home | None:
        """Rule 1."""
        said = {True: Text("the indicator reads it", "该指标直接读取"),
                False: Text("the indicator reads it by proxy", "该指标以其为代理")}  # fmt: skip
        for own in (True, False):
            for dimension, indicator in self.indicators:
                if name == (indicator.feature if own else self._proxy(indicator)):
                    return self._scored(name, dimension, indicator, said[own])
        return None

    def measuring_indicator(self, name: str) -> Home | None:
        """Rule 2."""
        for quantity, why in self._quantities(name):
            for dimension, indicator in self.indicators:
                if quantity in self.measured(indicator):
                    return self._scored(name, dimension, indicator, why)
        return None

    def reading_rules(self, name: str) -> Home | None:
        """Rule 3, for what rules read."""
        found = sorted((rules for rules in self.rules if name in rules.reads), key=lambda rules: rules.order(name))
        said = Text("its rules read it", "其规则直接读取")
        return self._ruled(name, found[0], said) if found else None

    def measuring_rules(self, name: str) -> Home | None:
        """Rule 3, for what measures the same as that which rules read."""
        for quantity, why in self._quantities(name):
            fit = [(rules.order(read), rules) for rules in self.rules for read in sorted(rules.reads)
                   if quantity_of(read, self.catalog) == quantity]  # fmt: skip
            if fit:
                return self._ruled(name, min(fit, key=lambda both: both[0])[1], why)
        return None

    def outside(self, name: str) -> Home:
        """Rule 4."""
        if name in self.catalog:
            kind = DIMENSIONS[self.catalog[name].dimension]
            why = Text(f"the scheme does not score this ({kind.en} in the catalog)",
                       f"方案未对此评分（特征目录中属{kind.zh}）")  # fmt: skip
        else:
            why = Text("a column of your own", "自有列")
        return Home(None, OUTSIDE, self.title_of(name), OUTSIDE_TITLE, "", None, why)

    def measured(self, indicator: Indicator) -> set[str]:
        """Return the quantities that an indicator measures."""
        read = [name for name in (indicator.feature, self._proxy(indicator)) if name]
        named = {indicator.id} & {*TITLES, *FAMILIES}
        return named | {quantity_of(name, self.catalog) for name in read}

    def title_of(self, name: str) -> Text:
        """Return the scheme's own word for a feature, else the catalog's, else its name."""
        if name in self.scheme.features:
            return self.scheme.features[name].title
        return self.catalog[name].title if name in self.catalog else Text(name, name)

    def _proxy(self, indicator: Indicator) -> str | None:
        return indicator.proxy.feature if indicator.proxy is not None and self.scheme.use_proxies else None

    def _quantities(self, name: str) -> Iterator[tuple[str, Text]]:
        own = quantity_of(name, self.catalog)
        said = quantity_title(own)
        yield own, Text(f"it measures the same: {said.en}", f"衡量同一事项：{said.zh}")
        yield from NEAR.get(own, ())

    def _scored(self, name: str, dimension: Dimension, indicator: Indicator, why: Text) -> Home:
        if self.decides is not None and name in self.decides.reads:
            label = self.decides.title
            why = Text(f"{why.en}; tiers go by the label {label.en}, which reads it too",
                       f"{why.zh}；等级由标签“{label.zh}”决定，该标签也读取此项")  # fmt: skip
        weight = float(self.scheme.shares[indicator.id])
        return Home(indicator.id, dimension.id, indicator.title, dimension.title, indicator.source, weight, why)

    def _ruled(self, name: str, rules: _Rules, why: Text) -> Home:
        return Home(None, rules.dimension, self.title_of(name), rules.title, rules.clause, None, why)


def _rules_of(scheme: Scheme) -> Iterator[_Rules]:
    """Yield labels, triggers and tags with the columns that they read."""
    for label in scheme.labels:
        yield _of_conditions(0, f"label_{label.id}", label.title, label.source, _conditions(label))
    for trigger in scheme.triggers:
        yield _of_conditions(1, f"trigger_{trigger.id}", trigger.title, trigger.source, trigger.when)
    for tag in scheme.tags:
        of = frozenset({tag.of} if tag.of else ())
        found = _of_conditions(2, f"tag_{tag.id}", tag.title, tag.source, tag.when or ())
        yield replace(found, reads=found.reads | of, asks=found.asks | of)


def _conditions(label: Label) -> When:
    return tuple(alternative for rule in label.rules for alternative in rule.when)


def _of_conditions(kind: int, dimension: str, title: Text, clause: str, when: When) -> _Rules:
    asked = tuple({name: asks for name, asks in each.items() if asks.missing is None} for each in when)
    return _Rules(kind, dimension, title, clause, frozenset(columns_of(when)), frozenset(columns_of(asked)))


def homes_of(scheme: Scheme, catalog: Catalog = WHOLE, extra: Iterable[str] = ()) -> dict[str, Home]:
    """Return where each feature belongs under a scheme.

    Parameters
    ----------
    scheme : Scheme
    catalog : mapping of str to Feature
        Every feature of it gets a home.
    extra : iterable of str
        Columns of the user's own; outside the scheme unless the scheme itself reads them.

    Returns
    -------
    dict of str to Home
        By name, in the order of the catalog, then of ``extra``.

    Examples
    --------
    >>> homes = homes_of(load_scheme("tiered_management"), extra=["mine"])
    >>> home = homes["amount_90"]
    >>> home.dimension, home.indicator, home.weight, home.clause
    ('value', 'amount', 0.3, '价值贡献：年度购买金额（30%）')
    >>> homes["complaints_12m"].dimension, homes["mine"].why.en
    ('outside', 'a column of your own')
    """
    finder = _Homes(scheme, catalog)
    return {name: finder.of(name) for name in (*catalog, *extra)}


def by_dimension_of(scheme: Scheme, catalog: Catalog = WHOLE, extra: Iterable[str] = ()) -> dict[str, str]:
    """Return the dimension of each feature under a scheme, as :meth:`Contributions.by` takes its groups.

    Parameters
    ----------
    scheme, catalog, extra
        See :func:`homes_of`.

    Examples
    --------
    >>> by_dimension_of(load_scheme("relationship_guide"))["recency_days"]
    'health'
    """
    return {name: home.dimension for name, home in homes_of(scheme, catalog, extra).items()}


def home_lines(scheme: Scheme, lang: Lang = "en", catalog: Catalog = WHOLE) -> list[str]:
    """Return the homes of all features as the lines of a table, and the counts above it.

    Parameters
    ----------
    scheme, catalog
        See :func:`homes_of`.
    lang : {"en", "zh"}

    Examples
    --------
    >>> home_lines(load_scheme("classification_standard"))[0].startswith("Classification standard")
    True
    """
    homes = homes_of(scheme, catalog)
    scored, outside = (sum(test) for test in ([home.indicator is not None for home in homes.values()],
                                              [home.is_outside for home in homes.values()]))  # fmt: skip
    ruled = len(homes) - scored - outside
    head = Text("{title}: {all} features, {scored} with an indicator, {ruled} with a label, trigger or tag, "
                "{outside} outside the scheme",
                "{title}：{all} 项特征，{scored} 项属于指标，{ruled} 项属于标签、触发条件或标记，"
                "{outside} 项在方案之外")  # fmt: skip
    title = scheme.title.say(lang)
    counts = {"all": len(homes), "scored": scored, "ruled": ruled, "outside": outside}
    return [head.say(lang).format(title=title, **counts), *(_line(name, homes[name], lang) for name in homes)]


def _line(name: str, home: Home, lang: Lang) -> str:
    weight = "-" if home.weight is None else f"{home.weight:.2%}"
    cells = (home.indicator or "-", home.dimension, weight, home.clause or "-", home.why.say(lang))
    return "  ".join((f"{name:30}", f"{cells[0]:22}", f"{cells[1]:22}", f"{cells[2]:>7}", *cells[3:]))


def main(arguments: Sequence[str]) -> None:
    """Print the table of the schemes that are named, or of all that come with the package."""
    lang: Lang = "zh" if "zh" in arguments else "en"
    names = [word for word in arguments if word not in ("--lang", "en", "zh")]
    for name in names or scheme_names():
        sys.stdout.write("\n".join(home_lines(load_scheme(name), lang)) + "\n\n")


if __name__ == "__main__":
    main(sys.argv[1:])
