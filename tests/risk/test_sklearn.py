"""scikit-learn's own checks of RiskClassifier."""

from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from tierlens.risk.model.classifier import RiskClassifier


@parametrize_with_checks([RiskClassifier(n_jobs=1, seeds=1)])
def test_scikit_learn(estimator, check):
    check(estimator)
