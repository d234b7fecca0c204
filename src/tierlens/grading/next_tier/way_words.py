"""Sentences about the way to the next tier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from tierlens.grading.next_tier.actions import Action
from tierlens.words import Text

if TYPE_CHECKING:
    from tierlens.grading.evidence import Teller

WORDS = {
    "buy": Text("one more order of {}", "再下一单 {}"),
    "orders": Text("{} more orders of the usual size", "按通常金额再下 {} 单"),
    "order": Text("one more order of the usual size", "按通常金额再下 1 单"),
    "overdue": Text("payment of the overdue {}", "付清逾期款 {}"),
    "contact": Text("{} more contacts", "再联系 {} 次"),
    "contract": Text("{} running contracts renewed and fulfilled in full", "{} 份在执行合同续约并全额履约"),
    "ticket": Text("{} more service requests judged with 5", "再有 {} 次服务获评 5 分"),
    "answer": Text("{}: a new survey with {}", "{}：新调研得 {}"),
    "rate": Text("{}: a new rating of {}", "{}：重新评定为 {}"),
}  # fmt: skip
ONE = {
    "contact": Text("one more contact", "再联系 1 次"),
    "contract": Text("one running contract renewed and fulfilled in full", "1 份在执行合同续约并全额履约"),
    "ticket": Text("one more service request judged with 5", "再有 1 次服务获评 5 分"),
    "orders": WORDS["order"],
}
MONEY = ("buy", "less", "overdue")


class Told(Protocol):
    """What a sentence is written about."""

    @property
    def goal(self) -> str:
        """Raise, keep or none."""

    @property
    def tier(self) -> str:
        """Reached or kept."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """Taken together."""

    @property
    def effort(self) -> float:
        """In purchases of the window."""

    @property
    def after(self) -> Mapping[str, Any]:
        """Changed features."""

    @property
    def limit(self) -> bool:
        """Whether one unit more falls."""


def tell_offer(offer: Told, teller: Teller) -> str:
    """Write an offer as a sentence."""
    if offer.goal == "none":
        return _nothing(offer, teller)
    if offer.goal == "keep":
        return _kept(offer, teller)
    joined = teller.say("; ", "；").join(_action(action, teller) for action in offer.actions)
    several = len(offer.actions) > 1
    verb = "raise" if several or (offer.actions[0].size != 1 and offer.actions[0].kind in ONE) else "raises"
    words = (f"{{}} {verb} the tier to {{}} (effort {{:.2f}})", "{}，等级升为{}（投入 {:.2f}）")
    if several:
        words = ("{}: together they raise the tier to {} (effort {:.2f})", "{}：合并后等级升为{}（投入 {:.2f}）")
    told = teller.say(*words, joined, _tier(offer, teller), offer.effort)
    return told[:1].upper() + told[1:]


def _nothing(offer: Told, teller: Teller) -> str:
    words = ("No action that was tried raises the tier to {}, alone or with the others",
             "已尝试的措施（单独或合并）均不能使等级升为{}")  # fmt: skip
    tried = (" (purchases: up to {:.0f} times those of the window)", "（购买额最多试至窗口内的 {:.0f} 倍）")
    return teller.say(*words, _tier(offer, teller)) + (teller.say(*tried, offer.effort) if offer.effort else "")


def _action(action: Action, teller: Teller) -> str:
    if action.kind in ("answer", "rate"):
        title = teller.scheme.title_of(action.feature)
        return teller.say(WORDS[action.kind].en, WORDS[action.kind].zh, title, action.size)
    if action.size == 1 and action.kind in ONE:
        return ONE[action.kind].say(teller.lang)
    size = _money(action.size, teller) if action.kind in MONEY else f"{action.size:,}"
    return teller.say(WORDS[action.kind].en, WORDS[action.kind].zh, size)


def _kept(offer: Told, teller: Teller) -> str:
    lost = _money(offer.actions[0].size, teller)
    words = ("{} less bought over the window ({:.0f}%, as many orders) still keeps tier {}",
             "窗口内少买 {}（{:.0f}%，单数不变）仍保持{}")  # fmt: skip
    told = teller.say(*words, lost, 100 * offer.effort, _tier(offer, teller))
    if offer.limit:
        return told + teller.say("; anything more loses it", "；再少即降级")
    return told + teller.say("; no more was checked", "；更大降幅未核验")


def _tier(offer: Told, teller: Teller) -> Text:
    return next((tier.short for tier in teller.scheme.tiers if tier.id == offer.tier), Text(offer.tier, offer.tier))


def _money(size: int, teller: Teller) -> str:
    currency = teller.columns.currency
    return f"{size / currency.minor:,.2f} {currency.code}"
