"""A model as a folder of plain files: numbers, text and checksums, nothing that runs when it is read.

========================  ==========================================================================
``model.json``            parameters, columns, members, weights, and the SHA-256 of every other file
``curves.npy``            knots of the rank curves: rows (column, value, rank)
``line_K.npy``            line of member K: rows (column of the table, weight, mean, centre, spread)
``trees_K_S.txt``         booster S of member K in LightGBM's own text
========================  ==========================================================================
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tierlens.errors import DataError
from tierlens.risk.model.input_columns import Columns
from tierlens.risk.model.linear import Floats, Line
from tierlens.risk.model.members import Design, LinearMember, Member, TreeMember
from tierlens.risk.model.ranks import Curve
from tierlens.risk.model.recipe import Blend
from tierlens.risk.model.trees import Forest
from tierlens.words import Text

if TYPE_CHECKING:
    from tierlens.risk.model.classifier import RiskClassifier

FORMAT = 2
READ_PRIOR = 1
"""The format of models whose members read the column of their prior."""
MODEL = "model.json"


def save_classifier(model: RiskClassifier, folder: Path) -> Path:
    """Write a fitted model into a folder, which is made where it is not there; the same model gives the same bytes.

    Returns
    -------
    Path
        The folder.
    """
    files = {"curves.npy": _array(_curves(model.curves_))}
    members = []
    for place, member in enumerate(model.blend_.members):
        more, told = _member(place, member)
        files.update(more)
        members.append(told)
    told = {
        "format": READ_PRIOR if model.reads_prior_ else FORMAT,
        "parameters": model.get_params(),
        "classes": model.classes_.tolist(),
        "columns": {"names": model.columns_.names, "levels": model.columns_.levels},
        "named": hasattr(model, "feature_names_in_"),
        "shifts": sorted(model.shifts_.items()),
        "prior_mean": model.prior_mean_,
        "blend": {
            "names": model.blend_.names,
            "weights": model.blend_.weights.tolist(),
            "intercept": model.blend_.intercept,
            "members": members,
        },
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    text = json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False, default=_plain)
    (folder / MODEL).write_text(text + "\n", encoding="utf-8")
    return folder


def _plain(value: object) -> object:
    """Return a parameter as JSON writes it: a number that NumPy counted, or a mapping of any kind."""
    return dict(value) if isinstance(value, Mapping) else np.asarray(value).item()


def load_classifier(folder: Path) -> RiskClassifier:
    """Read a model back.

    Raises
    ------
    DataError
        ``E-RI-030`` when a file is missing or its checksum differs, or the format is unknown.
    """
    from lightgbm.basic import LightGBMError

    told = _told(folder)
    files = {name: _read(folder, name, checksum) for name, checksum in told["sha256"].items()}
    try:
        return _built(told, files)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, LightGBMError) as problem:
        raise _broken(folder / MODEL, f"{type(problem).__name__} while it was read") from None


def _told(folder: Path) -> dict[str, Any]:
    """Return what ``model.json`` holds, of a format that is known."""
    text = _read(folder, MODEL)
    try:
        told = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _broken(folder / MODEL, "no JSON") from None
    if (
        not isinstance(told, dict)
        or told.get("format") not in {READ_PRIOR, FORMAT}
        or not isinstance(told.get("sha256"), dict)
    ):
        raise _broken(folder / MODEL, f"format {told.get('format')!r}" if isinstance(told, dict) else "no JSON object")
    return told


def _built(told: dict[str, Any], files: Mapping[str, bytes]) -> RiskClassifier:
    """Put a model together from what its files hold."""
    from tierlens.risk.model.classifier import RiskClassifier

    model = RiskClassifier(**told["parameters"])
    names, levels = told["columns"]["names"], told["columns"]["levels"]
    model.columns_ = Columns(tuple(names), tuple(tuple(level) if level is not None else None for level in levels))
    model.classes_ = np.array(told["classes"])
    model.n_features_in_ = len(names)
    if told["named"]:
        model.feature_names_in_ = np.array(names, dtype=object)
    model.prior_place_ = names.index(model.prior) if model.prior is not None else None
    model.reads_prior_ = told["format"] == READ_PRIOR
    model.prior_mean_ = told["prior_mean"]
    model.shifts_ = {int(day): float(shift) for day, shift in told["shifts"]}
    model.curves_ = _curves_back(_array_back(files["curves.npy"]), len(names))
    blend = told["blend"]
    members = tuple(_member_back(place, member, files) for place, member in enumerate(blend["members"]))
    model.blend_ = Blend(tuple(blend["names"]), members, np.array(blend["weights"]), blend["intercept"])
    return model


def _broken(path: Path, what: str) -> DataError:
    return DataError(
        "E-RI-030",
        Text(f"this is not the model that was kept: {what}", f"与保存的模型不符：{what}"),
        where=str(path),
        fix=Text("train and keep it again", "请重新训练并保存"),
    )


def _read(folder: Path, name: str, checksum: str | None = None) -> bytes:
    path = folder / name
    if Path(name).name != name or not path.is_file():
        raise _broken(path, "no such file")
    data = path.read_bytes()
    if checksum is not None and hashlib.sha256(data).hexdigest() != checksum:
        raise _broken(path, "its checksum differs")
    return data


def _array(values: Floats) -> bytes:
    out = BytesIO()
    np.save(out, np.ascontiguousarray(values, dtype=np.float64), allow_pickle=False)
    return out.getvalue()


def _array_back(data: bytes) -> Floats:
    return np.asarray(np.load(BytesIO(data), allow_pickle=False), dtype=np.float64)


def _curves(curves: list[Curve]) -> Floats:
    rows = [np.column_stack([np.full(len(c.value), place), c.value, c.rank]) for place, c in enumerate(curves)]
    return np.concatenate(rows)


def _curves_back(rows: Floats, width: int) -> list[Curve]:
    return [Curve(rows[rows[:, 0] == place, 1], rows[rows[:, 0] == place, 2]) for place in range(width)]


def _member(place: int, member: Member) -> tuple[dict[str, bytes], dict[str, Any]]:
    if isinstance(member, TreeMember):
        boosters = member.forest.boosters
        texts = {f"trees_{place}_{seed}.txt": b.model_to_string().encode("utf-8") for seed, b in enumerate(boosters)}
        return texts, {"kind": "trees", "boosters": len(boosters)}
    if not isinstance(member, LinearMember):
        raise TypeError(f"a member of type {type(member).__name__} cannot be kept")
    design = member.design
    scales = np.zeros((2, len(member.line.weights)))
    scales[:, : len(design.numbers)] = design.centre, design.spread
    rows = np.column_stack([design.owners, member.line.weights, member.means, scales.T])
    told = {
        "kind": "line", "design": design.kind, "numbers": design.numbers, "gaps": design.gaps,
        "levels": design.levels, "intercept": member.line.intercept,
    }  # fmt: skip
    return {f"line_{place}.npy": _array(rows)}, told


def _member_back(place: int, told: Mapping[str, Any], files: Mapping[str, bytes]) -> Member:
    import lightgbm as lgb

    if told["kind"] == "trees":
        texts = [files[f"trees_{place}_{seed}.txt"].decode("utf-8") for seed in range(told["boosters"])]
        return TreeMember(Forest(tuple(lgb.Booster(model_str=text) for text in texts)))
    # Each column by itself in memory, as when it was learned: sums of products differ in their last bit otherwise.
    columns = np.ascontiguousarray(_array_back(files[f"line_{place}.npy"]).T)
    count = len(told["numbers"])
    levels = tuple((int(column), int(code)) for column, code in told["levels"])
    design = Design(
        told["design"], tuple(told["numbers"]), columns[3, :count], columns[4, :count], tuple(told["gaps"]), levels
    )
    return LinearMember(design, Line(told["intercept"], columns[1]), columns[2])
