"""Which cutoffs may be learned from when another is tested: those whose horizon has ended by then."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tierlens.errors import UsageError
from tierlens.features.windows import Window
from tierlens.words import Text

Ints = npt.NDArray[np.int64]


class SnapshotSplit:
    """Rolling origin by cutoff, in the form of scikit-learn's splitters.

    Each test fold is one cutoff; its training rows are all rows of earlier cutoffs whose horizon ends by it, so that no
    outcome learned from lies after the moment of prediction. A customer may stand in both.

    Parameters
    ----------
    window : Window, optional
        Gap and horizon of the outcome.
    min_train : int
        Least number of training cutoffs of a fold, at least 1.
    max_train : int, optional
        Only so many of the latest training cutoffs.
    max_folds : int, optional
        Only so many of the latest test cutoffs.

    Examples
    --------
    >>> cutoffs = np.repeat([0, 30, 60, 90, 120], 2)
    >>> splitter = SnapshotSplit(Window(horizon=60))
    >>> [(sorted(set(cutoffs[train])), set(cutoffs[test])) for train, test in splitter.split(cutoffs, groups=cutoffs)]
    [([np.int64(0)], {np.int64(60)}), ([np.int64(0), np.int64(30)], {np.int64(90)}), ...]
    """

    def __init__(
        self,
        window: Window | None = None,
        *,
        min_train: int = 1,
        max_train: int | None = None,
        max_folds: int | None = None,
    ) -> None:
        self.window = window or Window()
        self.min_train = min_train
        self.max_train = max_train
        self.max_folds = max_folds

    def folds(self, cutoffs: npt.ArrayLike) -> list[tuple[list[int], int]]:
        """Return (training cutoffs, test cutoff) of each fold, in the order of time.

        Parameters
        ----------
        cutoffs : array of int
            Day numbers, repeated or not.

        Examples
        --------
        >>> SnapshotSplit(Window(horizon=60), max_folds=1).folds([0, 30, 60, 90])
        [([0, 30], 90)]
        """
        days = np.unique(np.asarray(cutoffs, dtype=np.int64)).tolist()
        found = []
        for test in days:
            train = [day for day in days if self.window.closes(day) <= test]
            if len(train) >= max(self.min_train, 1):
                found.append((train[-self.max_train :] if self.max_train else train, test))
        return found[-self.max_folds :] if self.max_folds else found

    def split(
        self, X: object = None, y: object = None, groups: npt.ArrayLike | None = None
    ) -> Iterator[tuple[Ints, Ints]]:
        """Yield positions of training and test rows, in the order of time.

        Parameters
        ----------
        X, y : object
            Not looked at.
        groups : array of int, shape (n,)
            Cutoff of each row.

        Raises
        ------
        UsageError
            ``E-RI-003`` without cutoffs, ``E-RI-004`` when no cutoff has enough closed ones before it.
        """
        del X, y
        cutoffs = self._given(groups)
        folds = self.folds(cutoffs)
        if not folds:
            raise UsageError(
                "E-RI-004",
                Text(
                    f"no cutoff has {self.min_train} earlier ones whose horizon ends by it",
                    f"没有任何截止日之前有 {self.min_train} 个已到期的截止日",
                ),
                fix=Text("give earlier cutoffs or a shorter horizon", "请提供更早的截止日或缩短预测窗口"),
            )
        for train, test in folds:
            yield np.flatnonzero(np.isin(cutoffs, train)), np.flatnonzero(cutoffs == test)

    def get_n_splits(self, X: object = None, y: object = None, groups: npt.ArrayLike | None = None) -> int:
        """Return the number of folds that ``split`` yields for these cutoffs."""
        del X, y
        return len(self.folds(self._given(groups)))

    @staticmethod
    def _given(groups: npt.ArrayLike | None) -> Ints:
        if groups is None:
            raise UsageError(
                "E-RI-003",
                Text("no cutoffs are given", "未给出截止日"),
                fix=Text("pass them as groups=", "请通过 groups= 传入"),
            )
        return np.asarray(groups, dtype=np.int64)
