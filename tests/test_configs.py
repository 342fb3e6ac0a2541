"""Every shipped configuration parses, and is found by name."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from sscd.configs import find_config, shipped_configs
from sscd.errors import UserError

REPOSITORY = Path(__file__).parents[1]


def parse(arguments: list[str]) -> Any:
    """What `sscd train` makes of a command line, before anything is built."""
    from sscd.training.cli import TrainCLI

    class ParseOnly(TrainCLI):
        def before_instantiate_classes(self) -> None:
            raise StopIteration(self.config["fit"])

    with pytest.raises(StopIteration) as stopped:
        ParseOnly(arguments, default_run=Path("unused"))
    return stopped.value.value


@pytest.mark.parametrize("name", sorted(shipped_configs()))
def test_each_configuration_parses_and_keeps_its_values(name: str) -> None:
    path = find_config(name)
    resolved = parse(["--config", str(path)])

    def check(expected: dict[str, Any], prefix: str) -> None:
        for key, value in expected.items():
            if isinstance(value, dict):
                check(value, f"{prefix}{key}.")
            else:
                got = resolved[prefix + key]
                assert got == value or list(got) == value, prefix + key

    check(yaml.safe_load(path.read_text()), "")


@pytest.mark.parametrize("name", sorted(shipped_configs()))
def test_each_configuration_builds_its_parts(name: str) -> None:
    resolved = parse(["--config", str(find_config(name))])
    assert resolved["model.objective"] is not None
    assert resolved["data.batch_size"] >= 2


def test_later_files_and_options_win(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("data:\n  views: 3\n  batch_size: 8\n")
    (tmp_path / "b.yaml").write_text("data:\n  batch_size: 16\n")
    files = ["--config", str(tmp_path / "a.yaml"), "--config", str(tmp_path / "b.yaml")]
    resolved = parse([*files, "--data.workers", "1"])
    assert (resolved["data.views"], resolved["data.batch_size"]) == (3, 16)
    assert resolved["data.workers"] == 1


def test_linked_values_are_set_once() -> None:
    resolved = parse(["--data.image_size", "160", "--seed_everything", "7"])
    assert resolved["model.image_size"] == 160
    assert resolved["data.seed"] == 7


def test_configurations_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expected = REPOSITORY / "configs" / "photos.yaml"
    for name in ("photos", "photos.yaml", "configs/photos.yaml"):
        assert find_config(name).samefile(expected)
    own = tmp_path / "photos.yaml"
    own.write_text("{}")
    assert find_config("photos.yaml") == Path("photos.yaml"), "a file goes before a shipped name"


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(UserError, match=r"config nope is neither .* photos, .*quickstart"):
        find_config("nope")
    with pytest.raises(UserError, match="neither"):
        find_config("elsewhere/photos")
