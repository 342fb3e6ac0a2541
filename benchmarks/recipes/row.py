"""A row of the table: one idea, as a YAML file, and what it is based on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sscd.errors import UserError, meant
from sscd.search.postprocessing.neighbourhood import Neighbourhood

ROWS = Path(__file__).parent / "rows"
BASE = "published"
"""The row that all others are compared with."""

_KEYS = ("about", "based_on", "train", "describe", "postprocess", "seeds")
_INHERITED = ("train", "describe", "postprocess")
_POSTPROCESS = ("projections", "dims", "stretch", "score_norm")
_PROJECTIONS = ("none", "whiten")
# What the laboratory itself sets, the same for all rows.
_TAKEN = (
    *("data.root", "data.layout", "data.shards", "data.cache", "run_dir", "seed_everything"),
    *("ckpt_path", "compare", "export", "logger", "trainer.logger"),
)


@dataclass(frozen=True)
class PostProcess:
    """What happens to descriptors, learnt on the normalisation pictures alone.

    Attributes:
        projections: Which are judged: `none` as they are, and `whiten`.
        dims: What is left at most, of which score normalisation takes one.
        stretch: Negative embedding subtraction, WEIGHT[FIRST,LAST].
        score_norm: Score normalisation, WEIGHT[FIRST,LAST].
    """

    projections: tuple[str, ...] = _PROJECTIONS
    dims: int = 256
    stretch: str | None = None
    score_norm: str = "1.0[0,2]"

    def __post_init__(self) -> None:
        if not self.projections or any(one not in _PROJECTIONS for one in self.projections):
            raise ValueError(
                f"postprocess.projections got {list(self.projections)}; expected some of "
                f"{', '.join(_PROJECTIONS)}"
            )
        if not isinstance(self.dims, int) or self.dims < 2:
            raise ValueError(f"postprocess.dims got {self.dims}; expected 2 or more")
        for name in ("stretch", "score_norm"):
            given = getattr(self, name)
            if isinstance(given, str):
                Neighbourhood.parse(given, option=f"postprocess.{name}")
            elif given is not None or name == "score_norm":
                raise ValueError(f"postprocess.{name} got {given!r}; expected text as '1.0[0,2]'")


@dataclass(frozen=True)
class Row:
    """A row with all that it inherits.

    Attributes:
        name: Of its file.
        about: One line, for the table.
        training: The row that trains the network: itself, or the first of those that it is based on
            with the same `train`.
        train: What `sscd train --config` takes.
        describe: Options of `sscd describe`.
        postprocess: What happens to the descriptors.
        seeds: With which it is trained where none is named.
        file: That says so.
    """

    name: str
    about: str
    training: str
    train: Mapping[str, Any]
    describe: Mapping[str, Any] = field(default_factory=dict)
    postprocess: PostProcess = field(default_factory=PostProcess)
    seeds: tuple[int, ...] = (0,)
    file: Path | None = None


def known_rows(directory: Path = ROWS) -> list[str]:
    """The names of all rows in a directory, sorted."""
    return sorted(path.stem for path in directory.glob("*.yaml"))


def read_row(name: str) -> Row:
    """A row by its name, or by the path of its file.

    Raises:
        UserError: There is none, a key is unknown or of the wrong kind, or rows are based on one
            another in a circle.
    """
    chain = _chain(name)
    merged: dict[str, Any] = {}
    training, before = "", None
    for path, content in reversed(chain):
        merged = merge(merged, {key: content[key] for key in content if key in _INHERITED})
        if merged["train"] != before:
            training, before = path.stem, merged["train"]
    path, own = chain[0]
    try:
        post = PostProcess(**_of_post(path, merged.get("postprocess", {})))
    except (ValueError, UserError) as error:
        raise UserError(f"row {path}: {error}") from error
    return Row(
        name=path.stem,
        about=own["about"],
        training=training,
        train=merged["train"],
        describe=merged.get("describe", {}),
        postprocess=post,
        seeds=tuple(own.get("seeds", (0,))),
        file=path,
    )


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Settings over others: sections are merged key by key, all else is replaced.

    >>> merge({"a": {"b": 1, "c": [1, 2]}}, {"a": {"c": [3]}, "d": None})
    {'a': {'b': 1, 'c': [3]}, 'd': None}
    """
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        both = isinstance(inner, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(inner, value) if both else value  # type: ignore[arg-type]
    return merged


def flattened(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by their dotted keys.

    >>> flattened({"a": {"b": 1, "c": {}}, "d": [2]})
    {'a.b': 1, 'd': [2]}
    """
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _chain(name: str) -> list[tuple[Path, dict[str, Any]]]:
    """A row's file and content, then those of what it is based on."""
    found: list[tuple[Path, dict[str, Any]]] = []
    wanted: str | None = name
    beside = ROWS
    while wanted is not None:
        path = _find(wanted, beside)
        if any(path == other for other, _ in found):
            names = " → ".join([*(other.stem for other, _ in found), path.stem])
            raise UserError(f"rows are based on one another in a circle: {names}")
        content = _content(path)
        found.append((path, content))
        wanted, beside = content.get("based_on"), path.parent
    return found


def _find(name: str, beside: Path) -> Path:
    if name.endswith(".yaml") and Path(name).is_file():
        return Path(name).resolve()
    for directory in (beside, ROWS):
        path = directory / f"{name}.yaml"
        if path.is_file():
            return path.resolve()
    rows = known_rows()
    there_are = f"; there are {', '.join(rows)}"
    raise UserError(f"{name} is no row{meant(name, rows) or there_are}")


def _content(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        line = " ".join(str(error).split())
        raise UserError(f"row {path} is not readable YAML: {line}") from error
    if not isinstance(content, dict):
        raise UserError(f"row {path} holds no settings; expected {', '.join(_KEYS)}")
    _check_keys(path, "", content, _KEYS)
    content.setdefault("train", {})
    for key in _INHERITED:
        if not isinstance(content.get(key, {}), dict):
            raise UserError(f"row {path}: '{key}' got {content[key]!r}; expected settings")
    if not isinstance(content.get("about"), str) or "\n" in content["about"].strip():
        raise UserError(f"row {path}: give `about`, one line that says what the row tries")
    if not isinstance(content.get("based_on", ""), str):
        raise UserError(f"row {path}: 'based_on' got {content['based_on']!r}; expected a row")
    seeds = content.get("seeds", [0])
    if not isinstance(seeds, list) or not seeds or not all(type(one) is int for one in seeds):
        raise UserError(f"row {path}: 'seeds' got {seeds!r}; expected a list of whole numbers")
    taken = [key for key in flattened(content["train"]) if key in _TAKEN]
    if taken:
        raise UserError(f"row {path}: train.{taken[0]} is set by the laboratory; leave it out")
    return content


def _check_keys(path: Path, prefix: str, content: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in content:
        if key not in known:
            expected = f"expected one of {', '.join(known)}{meant(str(key), known)}"
            raise UserError(f"row {path}: unknown key '{prefix}{key}'; {expected}")


def _of_post(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    _check_keys(path, "postprocess.", given, _POSTPROCESS)
    projections = given.get("projections", _PROJECTIONS)
    if not isinstance(projections, list | tuple):
        raise UserError(f"row {path}: postprocess.projections got {projections!r}; expected a list")
    return {**given, "projections": tuple(projections)}
