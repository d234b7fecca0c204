"""Who has which name in the registry: decided when a model is registered, given when its run is over.

A run that is killed, or whose folder cannot be put in place, never leaves its model champion.
"""

from __future__ import annotations

from typing import Any

from tierlens.publish.tracking.records import Registered
from tierlens.words import Text

CHAMPION, CHALLENGER = "champion", "challenger"
NAME, AGAINST = "becomes", "decided_against"
"""Tags of a version: the name that it takes when its run is over, and the champion that this was decided against."""
WHY = {"en": "decision", "zh": "decision_zh"}
"""Tags of a version: why."""
MEANWHILE = Text("the champion stays: another run took the name while this one was on its way",
                 "保留现用模型：本次运行期间另一次运行已取得该名称")  # fmt: skip


def standing_champion(client: Any, name: str) -> Any | None:
    """Return the standing champion's version of a registered model."""
    version = client.get_registered_model(name).aliases.get(CHAMPION)
    return client.get_model_version(name, version) if version is not None else None


def tags_of(done: Registered, against: Any | None) -> dict[str, str]:
    """Return what a version tells of its decision, before its run is over.

    Examples
    --------
    >>> tags_of(Registered("shop-churn", 1, True, Text("it is the first", "首个")), None)["becomes"]
    'champion'
    """
    return {NAME: CHAMPION if done.is_champion else CHALLENGER, AGAINST: "" if against is None else
            str(against.version), WHY["en"]: done.why.en, WHY["zh"]: done.why.zh}  # fmt: skip


def give_names(client: Any, run_id: str) -> tuple[Registered, ...]:
    """Give the versions of a run that is over the names that were decided; return what became of each.

    Where another run became champion meanwhile, nothing was decided against that one: it stays.
    """
    found = client.search_model_versions(f"run_id = '{run_id}'")
    mine = sorted((version for version in found if NAME in version.tags), key=lambda version: int(version.version))
    return tuple(_named(client, version) for version in mine)


def _named(client: Any, version: Any) -> Registered:
    tags, name, number = version.tags, version.name, version.version
    why, wins = Text(tags[WHY["en"]], tags[WHY["zh"]]), tags[NAME] == CHAMPION
    if wins:
        standing = standing_champion(client, name)
        if tags[AGAINST] != ("" if standing is None else str(standing.version)):
            wins, why = False, MEANWHILE
            for lang in ("en", "zh"):
                client.set_model_version_tag(name, number, WHY[lang], why.say(lang))
            client.set_model_version_tag(name, number, NAME, CHALLENGER)
    client.set_registered_model_alias(name, CHAMPION if wins else CHALLENGER, number)
    return Registered(name, int(number), wins, why)
