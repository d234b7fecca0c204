"""A scheme held against the customers of a run file: what its reading does, and a proposal where asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from tierlens.grading.effect import scheme_effect
from tierlens.grading.refit import Refit, can_refit, refit_scheme
from tierlens.grading.scheme.scheme import Scheme, load_scheme
from tierlens.publish.files.atomic import write_text
from tierlens.sources.tables import Currency
from tierlens.words import Lang, Text
from tierlens.workspace.config import RunConfig
from tierlens.workspace.known_customers import Everybody, everybody_at
from tierlens.workspace.prepare import no_customer_error, obtain_shop, say_nothing, within_data

PROPOSE = Text(
    "Its shares can be brought nearer to the suggested ones: 'tierlens scheme check {id} --data RUN --propose' tells "
    "how, and what would change; nothing is changed by itself",
    "可使其占比更接近建议：tierlens scheme check {id} --data 运行文件 --propose 会给出方案及影响；不会自动改动",
)


@dataclass(frozen=True)
class OnData:
    """What a scheme does on the customers of a run file.

    Parameters
    ----------
    scheme : Scheme
    says : tuple of Text
    proposal : Refit, optional
    """

    scheme: Scheme
    says: tuple[Text, ...]
    proposal: Refit | None = None

    def to_dict(self, lang: Lang) -> dict[str, Any]:
        """Return it as plain values in one language."""
        found: dict[str, Any] = {"on_data": [text.say(lang) for text in self.says]}
        if self.proposal is not None:
            one = self.proposal
            found["proposal"] = {
                "says": one.told.say(lang), "scheme": one.scheme.id, "centre": str(one.centre), "slope": str(one.slope),
                "moved": one.moved, "graded": one.graded, "tiers": _rows(one),
            }  # fmt: skip
        return found


def on_data(config: RunConfig, name: str, *, propose: bool) -> OnData:
    """Try a scheme on the customers of a run file at its cutoff.

    Raises
    ------
    DataError
        ``E-RU-001`` when nobody bought anything in the window.
    UsageError
        ``E-SC-007`` when a proposal is asked for and there is nothing to fit.
    """
    scheme = load_scheme(name, "NAME")
    config, shop = obtain_shop(config, say_nothing, at_cutoff=True)
    within_data(shop.tables, [config.cutoff_day], config.span)
    found, money = everybody_at(shop, config, scheme), shop.tables.currency
    if not pc.any(pc.equal(found.activity, "active")).as_py():
        raise no_customer_error(shop.tables, config.cutoff_day, config.span)
    proposal = None
    if propose:
        proposal = refit_scheme(found.features.filter(pc.equal(found.activity, "active")), scheme, money)
    return OnData(scheme, reading_of(found, scheme, money, offer=not propose), proposal)


def reading_of(found: Everybody, scheme: Scheme, currency: Currency, *, offer: bool = True) -> tuple[Text, ...]:
    """Say what a scheme's reading does on everybody known; offer a proposal where one can be made."""
    active = [one == "active" for one in found.activity.to_pylist()]
    says = scheme_effect(found.graded, found.features, scheme, currency, active)
    return (*says, *([PROPOSE.fill(id=scheme.id)] if offer and can_refit(scheme) else []))


def write_proposal(found: OnData, to: Path) -> Path:
    """Write the proposed scheme as a file of its own."""
    from tierlens.grading.scheme_yaml import scheme_yaml

    if found.proposal is None:
        raise TypeError("no proposal")
    return write_text(to, scheme_yaml(found.proposal.scheme), private=False)


def _rows(one: Refit) -> list[list[Any]]:
    return [
        [tier.id, round(before, 4), round(after, 4), None if tier.share is None else [float(end) for end in tier.share]]
        for tier, before, after in zip(one.scheme.tiers, one.before, one.after, strict=True)
    ]
