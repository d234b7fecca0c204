"""What a run learns: outcomes as tasks, the leak gate, evaluation against baselines, settings, earlier runs."""
