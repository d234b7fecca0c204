"""What a run learns: outcomes as tasks, the leak gate, evaluation against baselines, settings, earlier runs."""

__all__ = [
    "better_baseline",
    "cautions",
    "evaluate",
    "extra_columns",
    "kept_models",
    "leak_gate",
    "learn",
    "learnable",
    "monitor",
    "search_settings",
    "segment",
    "spend_tiers",
    "tasks",
    "why",
]
