"""Every shipped configuration parses, and is found by name."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.recipes.row import flattened, read_row
from sscd.commands.train import resolve_configs
from sscd.configs import check_config, find_config, recipe_of, shipped_configs
from sscd.errors import UserError
from sscd.training.optimization.optimizer_config import OptimizerConfig

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


def _lists(value: Any) -> Any:
    """Without tuples, which YAML does not have."""
    return [_lists(one) for one in value] if isinstance(value, list | tuple) else value


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
                assert _lists(got) == value, prefix + key

    check(yaml.safe_load(path.read_text()), "")


@pytest.mark.parametrize("name", sorted(shipped_configs()))
def test_each_configuration_builds_its_parts(name: str) -> None:
    resolved = parse(["--config", str(find_config(name))])
    assert resolved["model.objective"] is not None
    assert resolved["data.batch_size"] >= 2


ADDITIONS = sorted(name for name in shipped_configs() if "/" in name)
RECIPES = sorted(name for name in shipped_configs() if name.startswith("sscd_"))
# Pizzi et al. (arXiv 2202.10261), section 5.2 and table 1, and the defaults of the published code.
PUBLISHED = {
    "data.image_size": 224,
    "data.batch_size": 4096,
    "data.views": 2,
    "data.workers": 10,
    "data.inference.size": 288,
    "data.inference.mode": "square",
    "data.mixup.mixup_alpha": 2.0,
    "data.mixup.cutmix_alpha": 2.0,
    "data.mixup.switch": 0.5,
    "model.network.backbone": "resnet50",
    "model.network.gem_p": 3.0,
    "model.objective.temperature": 0.05,
    "model.objective.entropy_weight": 30.0,
    "model.objective.entropy_delay": 0.0,
    "model.objective.entropy_ramp": 0.0,
    "model.optimizer.name": "lars",
    "model.optimizer.lr": 0.3,
    "model.optimizer.reference_batch": 256,
    "model.optimizer.momentum": 0.9,
    "model.optimizer.weight_decay": 1e-6,
    "model.optimizer.exclude_bias_and_norm": False,
    "model.optimizer.warmup_epochs": 5,
    "model.optimizer.final_share": 0.0,
    "trainer.max_epochs": 100,
    "trainer.accumulate_grad_batches": 1,
}
DIFFERENCES = {
    "sscd_simclr": ("simclr", 0.0, 512),
    "sscd_strong_blur": ("strong_blur", 0.0, 512),
    "sscd_advanced": ("advanced", 0.0, 512),
    "sscd_advanced_mixup": ("advanced", 0.05, 512),
    "sscd_disc21": ("advanced", 0.05, 256),
}


def test_the_recipes_are_those_published() -> None:
    assert sorted(DIFFERENCES) == RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_as_published(name: str) -> None:
    resolved = parse(["--config", str(find_config(name))])
    assert {key: resolved[key] for key in PUBLISHED} == PUBLISHED
    assert list(resolved["data.recipe.crop_scale"]) == [0.08, 1.0]
    views = (resolved["data.recipe.name"], resolved["data.mixup.probability"])
    assert (*views, resolved["model.network.dims"]) == DIFFERENCES[name]
    text = find_config(name).read_text(encoding="utf-8")
    assert "Published figure: " in text
    assert "arXiv 2202.10261" in text


@pytest.mark.parametrize("addition", ADDITIONS)
def test_an_addition_changes_what_it_names_alone(addition: str) -> None:
    path = find_config(addition)
    check_config(path)
    plain = parse(["--config", str(find_config("sscd_advanced_mixup"))])
    added = parse(["--config", str(find_config("sscd_advanced_mixup")), "--config", str(path)])
    changed = {
        key for key, value in added.items() if value != plain[key] and not key.startswith("config")
    }
    named = set(_keys(yaml.safe_load(path.read_text(encoding="utf-8"))))
    assert changed <= named
    assert changed or addition.startswith("cluster/")


def _keys(section: dict[str, Any], prefix: str = "") -> list[str]:
    nested = [
        _keys(value, f"{prefix}{key}.") if isinstance(value, dict) else [prefix + key]
        for key, value in section.items()
    ]
    return [key for keys in nested for key in keys]


def test_a_small_batch_keeps_the_scaled_rate() -> None:
    resolved = parse(
        [f"--config={find_config(name)}" for name in ("sscd_advanced", "small/batch_512")]
    )
    optimizer = OptimizerConfig(**resolved["model.optimizer"].as_dict())
    assert optimizer.rate(resolved["data.batch_size"]) == pytest.approx(0.6)
    published = parse(["--config", str(find_config("sscd_advanced"))])
    assert optimizer.rate(published["data.batch_size"]) == pytest.approx(4.8)


def test_later_files_and_options_win(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("data:\n  views: 3\n  batch_size: 8\n")
    (tmp_path / "b.yaml").write_text("data:\n  batch_size: 16\n")
    files = ["--config", str(tmp_path / "a.yaml"), "--config", str(tmp_path / "b.yaml")]
    resolved = parse([*files, "--data.workers", "1"])
    assert (resolved["data.views"], resolved["data.batch_size"]) == (3, 16)
    assert resolved["data.workers"] == 1


def test_options_before_a_configuration_win_too(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("data:\n  views: 3\n  batch_size: 8\n")
    second.write_text("data:\n  batch_size: 16\n")
    line = ["--data.views", "4", f"--config={first}", "--data.workers", "1", "-c", str(second)]
    named, ordered = resolve_configs(line)
    assert named == [first, second]
    resolved = parse(ordered)
    values = (resolved["data.views"], resolved["data.batch_size"], resolved["data.workers"])
    assert values == (4, 16, 1)
    assert resolve_configs(["--data.views", "4", "--config"])[1][-1] == "--config"


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


def test_names_in_folders_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expected = REPOSITORY / "configs" / "cluster" / "slurm.yaml"
    for name in ("cluster/slurm", "cluster/slurm.yaml", "configs/cluster/slurm.yaml"):
        assert find_config(name).samefile(expected)
    with pytest.raises(UserError, match="cluster/slurm"):
        find_config("slurm")
    with pytest.raises(UserError, match="neither"):
        find_config("edits/phase1")


def test_a_run_is_named_after_the_recipe(tmp_path: Path) -> None:
    recipe, slurm, own = find_config("photos"), find_config("cluster/slurm"), tmp_path / "a.yaml"
    assert recipe_of([recipe, slurm]) == recipe
    assert recipe_of([slurm, recipe]) == recipe
    assert recipe_of([recipe, own, slurm]) == own
    with pytest.raises(UserError, match=r"cluster/slurm adds to a recipe; name one too"):
        recipe_of([slurm])


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(UserError, match=r"config nope is neither .* photos, .*quickstart"):
        find_config("nope")
    with pytest.raises(UserError, match="neither"):
        find_config("elsewhere/photos")


def test_the_best_recipe_is_the_one_that_was_compared() -> None:
    shipped = flattened(yaml.safe_load(find_config("best").read_text(encoding="utf-8")))
    compared = flattened(read_row("together").train)
    # Larger views at the end, and longer: what is beyond the comparison's budget.
    longer = {"data.image_size", "data.inference.size", "model.average.decay"}
    longer |= {"data.workers", "trainer.max_epochs", "trainer.check_val_every_n_epoch"}
    differing = {key for key in compared if shipped.get(key, compared[key]) != compared[key]}
    assert differing <= longer
    assert compared.keys() - shipped.keys() <= longer
    large = flattened(yaml.safe_load(find_config("best_disc21").read_text(encoding="utf-8")))
    views = [key for key in compared if key.startswith(("data.recipe", "data.gentle", "data.curr"))]
    assert {key: large[key] for key in views} == {key: compared[key] for key in views}
