"""Reads what the W&B client has written offline: records of `run-*.wandb`, and staged artifacts."""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wandb.proto import wandb_internal_pb2

internal: Any = wandb_internal_pb2

_BLOCK, _HEADER = 32768, struct.Struct("<IHB")  # LevelDB's log format
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


@dataclass
class Artifact:
    """One version of an artifact.

    Attributes:
        name: Of the collection.
        type: Of the collection.
        aliases: Of this version.
        metadata: Of this version.
        files: Name within the artifact → where it is staged.
    """

    name: str
    type: str
    aliases: list[str]
    metadata: dict[str, Any]
    files: dict[str, Path]


@dataclass
class OfflineRun:
    """What one offline run holds.

    Attributes:
        folder: `offline-run-…`.
        run_id: Its id.
        project: Where it will go.
        name: What it is called.
        history: Its rows, in order.
        config: Its configuration.
        summary: Its summary.
        metrics: Name → how it is summed up.
        artifacts: In order.
        exit_code: None if it was not finished.
        preempting: Whether it was said that it will be preempted.
    """

    folder: Path
    run_id: str = ""
    project: str = ""
    name: str = ""
    history: list[dict[str, Any]] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    artifacts: list[Artifact] = field(default_factory=list)
    exit_code: int | None = None
    preempting: bool = False

    def values(self, key: str) -> dict[int, Any]:
        """Step → value, of the rows that have it."""
        return {row["_step"]: row[key] for row in self.history if key in row}

    def table(self, key: str) -> list[dict[str, Any]]:
        """The last table of a key, read from its file: a dict a row."""
        shown = list(self.values(key).values())[-1]
        table = json.loads((self.folder / "files" / shown["path"]).read_text())
        return [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]

    def artifact_of(self, kind: str) -> list[Artifact]:
        """The versions of a type of artifact."""
        return [artifact for artifact in self.artifacts if artifact.type == kind]


def offline_runs(run_dir: Path) -> list[OfflineRun]:
    """The offline runs of a run directory, the oldest first."""
    return [read_offline(path) for path in sorted(run_dir.glob("wandb/offline-run-*"))]


def read_offline(folder: Path) -> OfflineRun:
    """Read one offline run."""
    (file,) = folder.glob("run-*.wandb")
    run = OfflineRun(folder)
    for data in _records(file.read_bytes()):
        record: Any = internal.Record()
        record.ParseFromString(data)
        _take(run, record)
    return run


def _take(run: OfflineRun, record: Any) -> None:
    match record.WhichOneof("record_type"):
        case "run":
            run.run_id, run.project = record.run.run_id, record.run.project
            run.name = record.run.display_name
            _update(run.config, record.run.config.update)
        case "history":
            run.history.append(_items(record.history.item))
        case "config":
            _update(run.config, record.config.update)
        case "summary":
            _update(run.summary, record.summary.update)
        case "metric":
            name = record.metric.name or record.metric.glob_name
            run.metrics[name] = record.metric
        case "artifact":
            run.artifacts.append(_artifact(record.artifact))
        case "exit":
            run.exit_code = record.exit.exit_code
        case "preempting":
            run.preempting = True


def _items(items: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    _update(values, items)
    return values


def _update(target: dict[str, Any], items: Any) -> None:
    for item in items:
        keys = list(item.nested_key) or [item.key]
        inner = target
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
        inner[keys[-1]] = json.loads(item.value_json)


def _artifact(record: Any) -> Artifact:
    manifest = record.manifest
    contents = list(manifest.contents)
    if manifest.manifest_file_path:
        stored = json.loads(Path(manifest.manifest_file_path).read_text())
        files = {name: Path(one["local_path"]) for name, one in stored["contents"].items()}
    else:
        files = {entry.path: Path(entry.local_path) for entry in contents}
    return Artifact(
        name=record.name,
        type=record.type,
        aliases=sorted(record.aliases),  # the client keeps no order
        metadata=json.loads(record.metadata or "{}"),
        files=files,
    )


def _records(data: bytes) -> Iterator[bytes]:
    assert data[:4] == b":W&B", "the client's own header"
    place, parts = 7, b""
    while place + _HEADER.size <= len(data):
        left = _BLOCK - place % _BLOCK
        if left < _HEADER.size:
            place += left
            continue
        _, length, kind = _HEADER.unpack_from(data, place)
        place += _HEADER.size
        chunk = data[place : place + length]
        place += length
        if kind in (_FULL, _FIRST):
            parts = chunk
        elif kind in (_MIDDLE, _LAST):
            parts += chunk
        if kind in (_FULL, _LAST):
            yield parts
