"""Predicted risk: outcomes, the classifier, its settings, and how good it is."""
