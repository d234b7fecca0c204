"""YAML files read strictly: what a person wrote is what the program gets, or one line says why not.

The rules are those of YAML 1.2 and narrower. ``no`` and ``on`` are text, only an unquoted ``true`` or ``false`` is a
boolean, and a number is a plain decimal, read exactly (``int`` or ``Decimal``). Refused: duplicate keys, aliases, tags,
``.nan`` and ``.inf``, numbers that another reader would take for octal, base 60 or a power (``010``, ``1:30``,
``1_000``, ``1e3``), more than 1 MB, more than 20 levels, more than one document.
"""

from __future__ import annotations

import difflib
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from tierlens.errors import SchemeError, TierlensError
from tierlens.words import Text
from tierlens.yaml_words import FIXES, REASONS, parser_reason, unreadable_advice

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES = 1_000_000
MAX_DEPTH = 20

_PLAIN = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_AMBIGUOUS = re.compile(
    r"[-+]?(0[0-9_]+(\.[0-9_]*)?|[0-9]+(:[0-9]+)+(\.[0-9]*)?|[0-9][0-9_]*_[0-9_.]*|0[xob][0-9a-fA-F_]+"
    r"|([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+|\.[0-9]+|[0-9]+\.|\.inf|\.Inf|\.INF|\.nan|\.NaN|\.NAN)|\+[0-9].*"
)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Place = tuple[int, int]

_KEYS = ("model_type", "dict_type")

#: What pydantic finds most often, in Chinese, by its kind; other kinds keep its own words.


@dataclass(frozen=True)
class Document:
    """Plain data and the place of every value in the file.

    Parameters
    ----------
    data : object
        ``dict`` with text keys, ``list``, ``str``, ``bool``, ``int``, ``Decimal`` or ``None``.
    where : str
        Name of the file.
    text : str
        The text that was read.
    places : mapping
        From the path of a value (keys and positions) to its line and column, both from 1.
    """

    data: Any
    where: str
    text: str
    places: Mapping[tuple[str | int, ...], Place] = field(default_factory=dict)

    def place(self, path: Sequence[str | int]) -> str:
        r"""Return ``file:line:column`` of a value, or of the nearest value around it.

        Examples
        --------
        >>> read_yaml("tiers:\n  A: 90\n", "s.yaml").place(["tiers", "A", "from"])
        's.yaml:2:6'
        """
        if not self.places:
            return self.where
        here = tuple(path)
        while here and here not in self.places:
            here = here[:-1]
        line, column = self.places.get(here, (1, 1))
        return f"{self.where}:{line}:{column}"


def load_yaml(source: Path | str, where: str | None = None) -> Any:
    r"""Read one YAML document into plain data.

    Parameters
    ----------
    source : Path or str
        A ``Path`` is read as a file; a ``str`` is the YAML text itself.
    where : str, optional
        What to call the text in messages; the path, or ``<text>``.

    Returns
    -------
    object
        ``dict`` with text keys, ``list``, ``str``, ``bool``, ``int``, ``Decimal`` or ``None``.

    Raises
    ------
    SchemeError
        ``E-YA-001`` unreadable file, ``002`` size, ``003`` no YAML, ``004`` tab, ``005`` empty or several documents,
        ``006`` depth, ``007`` alias or anchor, ``008`` tag, ``009`` duplicate key, ``010`` a key that is no text,
        ``011`` an ambiguous number.

    Examples
    --------
    >>> load_yaml("weight: 0.30\nreply: no\nopen: true\n")
    {'weight': Decimal('0.30'), 'reply': 'no', 'open': True}
    """
    return read_yaml(source, where).data


def read_yaml(source: Path | str, where: str | None = None) -> Document:
    """Read one YAML document and keep the place of every value; see ``load_yaml``."""
    name = where or (str(source) if isinstance(source, Path) else "<text>")
    text = _file_text(source, name) if isinstance(source, Path) else source
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _refuse("002", name, f"it is larger than {MAX_BYTES:,} bytes", f"文件超过 {MAX_BYTES:,} 字节")
    places: dict[tuple[str | int, ...], Place] = {}
    return Document(_Builder(name, places).document(text.removeprefix("\ufeff")), name, text, places)


def build_model(
    model: type[Model],
    source: Path | str | Document,
    where: str | None = None,
    error: type[TierlensError] = SchemeError,
) -> Model:
    r"""Read a YAML file into a pydantic model; the first thing wrong is told with its place and the nearest name.

    Parameters
    ----------
    model : type of BaseModel
        Its unknown keys are refused where it says ``extra="forbid"``.
    source : Path, str or Document
        A file, YAML text, or a document that was read before.
    where : str, optional
        What to call the text in messages.
    error : type of TierlensError, default SchemeError
        What is raised, under ``E-YA-020``, when the data do not fit the model. A check of the model's own raises
        :func:`refused_value` to speak Chinese too, and to name the place where it looks at several keys.

    Examples
    --------
    >>> from pydantic import BaseModel, ConfigDict
    >>> class Tier(BaseModel):
    ...     model_config = ConfigDict(extra="forbid")
    ...     weight: int
    >>> build_model(Tier, "weight: 3\n")
    Tier(weight=3)
    >>> build_model(Tier, "wieght: 3\n")
    Traceback (most recent call last):
    tierlens.errors.SchemeError: E-YA-020 <text>:1:9: there is no key 'wieght' here; did you mean 'weight'?
    """
    from pydantic import ValidationError

    document = source if isinstance(source, Document) else read_yaml(source, where)
    try:
        return model.model_validate(document.data)
    except ValidationError as problem:
        raise _misfit(problem, model, document, error) from None


def refused_value(what: Text, path: Sequence[str | int] | None = None) -> Exception:
    r"""Return what a check of a model raises: a fault in both languages.

    Parameters
    ----------
    what : Text
    path : sequence of str or int, optional
        Keys and positions of the value at fault, from the top of the file; the value that is checked by default.

    Examples
    --------
    >>> from pydantic import BaseModel, model_validator
    >>> class Pair(BaseModel):
    ...     low: int
    ...     high: int
    ...     @model_validator(mode="after")
    ...     def ordered(self):
    ...         if self.low > self.high:
    ...             raise refused_value(Text("low is above high", "下限高于上限"), ["low"])
    ...         return self
    >>> build_model(Pair, "high: 1\nlow: 2\n")
    Traceback (most recent call last):
    tierlens.errors.SchemeError: E-YA-020 <text>:2:6: low is above high
    """
    from pydantic_core import PydanticCustomError

    context = {"zh": what.zh} | ({} if path is None else {"path": tuple(path)})
    # Braces would be taken for fields of the message.
    return PydanticCustomError("refused", what.en.replace("{", "(").replace("}", ")"), context)


def _misfit(
    problem: ValidationError, model: type[BaseModel], document: Document, error: type[TierlensError]
) -> TierlensError:
    errors = problem.errors(include_url=False)
    # An unknown key comes first: it is most often the cause of the missing one that is told beside it.
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    told = first.get("ctx", {})
    loc = tuple(part for part in first["loc"] if not str(part).startswith(("function-", "union", "dict[", "list[")))
    place = document.place(told.get("path", loc))
    path = ".".join(str(part) for part in loc) or "the document"
    if "zh" in told:
        what = Text(first["msg"], told["zh"])
        what = what if "path" in told else Text(f"{path}: {what.en}", f"{path}：{what.zh}")
        return error("E-YA-020", what, where=place)
    if first["type"] == "extra_forbidden":
        key = str(loc[-1])
        wrong = Text(f"there is no key {key!r} here", f"此处没有键 {key!r}")
        return error("E-YA-020", wrong, where=place, fix=_key_hint(key, _known_keys(model, loc[:-1])))
    reason = _reason(first)
    return error("E-YA-020", Text(f"{path}: {reason.en}", f"{path}：{reason.zh}"), where=place)


def _reason(problem: ErrorDetails) -> Text:
    """Tell what pydantic found: in Chinese too where the kind is common, else in its own words."""
    told = {key: str(value) for key, value in problem.get("ctx", {}).items()}
    value = problem["input"]
    told["input"] = str(value) if isinstance(value, Decimal) else repr(value)
    plain = problem["msg"].removeprefix("Value error, ")
    plain = "keys are due here, each with a value (key: value)" if problem["type"] in _KEYS else plain
    known = REASONS.get(problem["type"])
    return Text(plain, known.format(**told) if known else plain)


def _key_hint(key: str, known: Sequence[str]) -> Text | None:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.75)
    if near:
        return Text(f"did you mean {near[0]!r}?", f"是否指 {near[0]!r}？")
    names = ", ".join(known)
    return Text(f"the keys here are {names}", f"此处可用的键：{names}") if known else None


def _known_keys(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Every key that the section at a path of the model knows."""
    schema = model.model_json_schema()
    parts = [schema]
    for step in path:
        parts = [inner for part in _choices(schema, parts) for inner in _inside(part, step)]
    return sorted({name for part in _choices(schema, parts) for name in part.get("properties", {})})


def _choices(schema: dict[str, Any], parts: Sequence[Any]) -> list[dict[str, Any]]:
    """Schemas without references, and each choice of a union by itself."""
    found: list[dict[str, Any]] = []
    for part in parts:
        if not isinstance(part, dict):
            continue
        if "$ref" in part:
            found += _choices(schema, [schema["$defs"][part["$ref"].rsplit("/", 1)[-1]]])
        else:
            found += [part, *_choices(schema, [*part.get("anyOf", ()), *part.get("oneOf", ()), *part.get("allOf", ())])]
    return found


def _inside(part: dict[str, Any], step: str | int) -> list[Any]:
    if isinstance(step, int):
        return [part.get("items"), *part.get("prefixItems", ())]
    return [part.get("properties", {}).get(step, part.get("additionalProperties"))]


def _file_text(path: Path, name: str) -> str:
    try:
        about = path.stat()
        if not (stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)):
            # Reading a pipe waits for a writer, and a device may never end.
            raise _refuse(
                "001", name, "it is a pipe or a device, not a file", "它是管道或设备，不是文件", FIXES["other"]
            )
        if about.st_size > MAX_BYTES:
            raise _refuse("002", name, f"it is larger than {MAX_BYTES:,} bytes", f"文件超过 {MAX_BYTES:,} 字节")
        return path.read_bytes().decode("utf-8")
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise _refuse(
            "001", name, f"it cannot be read: {reason}", f"无法读取：{reason}", unreadable_advice(problem)
        ) from None
    except UnicodeDecodeError:
        raise _refuse("001", name, "it is not UTF-8", "不是 UTF-8 编码", FIXES["utf-8"]) from None


def _refuse(number: str, where: str, en: str, zh: str, fix: Text | None = None) -> SchemeError:
    return SchemeError(f"E-YA-{number}", Text(en, zh), where=where, fix=fix or FIXES.get(number))


class _Builder:
    """Turns the stream of YAML events into plain data, and refuses on the way."""

    def __init__(self, where: str, places: dict[tuple[str | int, ...], Place], loader: Any = _LOADER) -> None:
        self.where = where
        self.places = places
        self.loader = loader

    def document(self, text: str) -> Any:
        try:
            return self._only_document(iter(yaml.parse(text, Loader=self.loader)))
        except yaml.YAMLError as problem:
            raise self._no_yaml(problem, text) from None

    def _only_document(self, events: Iterator[Any]) -> Any:
        next(events)
        event = next(events)
        if isinstance(event, yaml.StreamEndEvent):
            raise _refuse("005", self.where, "it is empty", "文件为空")
        data = self._value(next(events), events, ())
        next(events)
        last = next(events)
        if not isinstance(last, yaml.StreamEndEvent):
            place = self._at(last)
            raise _refuse("005", place, "a second document starts here", "此处开始了第二个文档")
        return data

    def _value(self, event: Any, events: Iterator[Any], path: tuple[str | int, ...]) -> Any:
        self._check(event, len(path))
        self.places[path] = (event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        return event.value if not event.implicit[0] else self._plain(event)

    def _check(self, event: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            fix = Text(f"at most {MAX_DEPTH} levels are allowed", f"最多允许 {MAX_DEPTH} 层")
            raise _refuse("006", self._at(event), "it is nested too deeply", "嵌套过深", fix)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            what = f"anchors and aliases are refused ({event.anchor!r})", f"不允许锚点和别名（{event.anchor!r}）"
            raise _refuse("007", self._at(event), *what, Text("write the value out", "请写出完整内容"))
        if event.tag is not None:
            raise _refuse("008", self._at(event), f"tags are refused ({event.tag})", f"不允许标签（{event.tag}）")

    def _mapping(self, events: Iterator[Any], path: tuple[str | int, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, len(path))
            line = event.start_mark.line + 1
            if key in found:
                both = f"(lines {lines[key]} and {line})", f"（第 {lines[key]} 行和第 {line} 行）"
                what = f"key {key!r} is there twice {both[0]}", f"键 {key!r} 重复{both[1]}"
                raise _refuse("009", self._at(event), *what, Text("keep one of them", "请只保留一个"))
            lines[key] = line
            found[key] = self._value(next(events), events, (*path, key))
        return found

    def _key(self, event: Any, depth: int) -> str:
        self._check(event, depth)
        word = event.value if isinstance(event, yaml.ScalarEvent) else None
        plain = word is not None and event.implicit[0]
        if word is None or (plain and word in ("true", "false", "null", "~", "")):
            fix = Text("put it in quotes", "请加引号")
            raise _refuse("010", self._at(event), f"key {word!r} is no text", f"键 {word!r} 不是文本", fix)
        return str(word)

    def _sequence(self, events: Iterator[Any], path: tuple[str | int, ...]) -> list[Any]:
        found: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            found.append(self._value(event, events, (*path, len(found))))
        return found

    def _plain(self, event: Any) -> Any:
        word: str = event.value
        if word in ("", "~", "null"):
            return None
        if word in ("true", "false"):
            return word == "true"
        if _PLAIN.fullmatch(word):
            return Decimal(word) if "." in word else int(word)
        if _AMBIGUOUS.fullmatch(word):
            fix = Text("write a plain decimal such as 1000, or put text in quotes", "请写普通十进制数，文本请加引号")
            raise _refuse("011", self._at(event), f"{word!r} can be read in two ways", f"{word!r} 有歧义", fix)
        return word

    def _at(self, event: Any) -> str:
        return f"{self.where}:{event.start_mark.line + 1}:{event.start_mark.column + 1}"

    def _no_yaml(self, problem: yaml.YAMLError, text: str) -> SchemeError:
        mark = getattr(problem, "problem_mark", None)
        if mark is None:
            reason = " ".join(str(problem).split())
            return _refuse("003", self.where, f"it is no YAML: {reason}", f"不是 YAML：{parser_reason(reason)}")
        place = f"{self.where}:{mark.line + 1}:{mark.column + 1}"
        lines = text.splitlines()
        line = lines[mark.line] if mark.line < len(lines) else ""
        if "\t" in line[: len(line) - len(line.lstrip())]:
            fix = Text("use spaces", "请改用空格")
            return _refuse("004", place, "a tab indents this line", "该行使用了制表符缩进", fix)
        reason = str(getattr(problem, "problem", "") or "cannot be read")
        return _refuse("003", place, f"it is no YAML: {reason}", f"不是 YAML：{parser_reason(reason)}")
