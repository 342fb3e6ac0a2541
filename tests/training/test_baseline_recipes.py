"""The shipped recipes of Multigrain and HOW: their published values, and that they run."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from sscd.configs import find_config
from sscd.models.checkpoint import read_checkpoint
from sscd.models.loading import load_network
from sscd.training.optimization.optimizer_config import OptimizerConfig
from sscd.training.steps.objective_config import ObjectiveConfig
from tests.conftest import Runner
from tests.data.noise import noise

SMALL = (
    *("--data.image_size", "64", "--data.inference.size", "64", "--data.workers", "0"),
    *("--data.batch_size", "6", "--model.network.backbone", "resnet18"),
    *("--trainer.accelerator", "cpu", "--trainer.max_epochs", "-1", "--trainer.max_steps", "3"),
    *("--compare", "false", "--export", "false", "--trainer.log_every_n_steps", "1"),
)
TWO = ("--trainer.devices", "2", "--trainer.strategy", "ddp")


def settings(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(find_config(name).read_text(encoding="utf-8"))
    return content


def test_multigrain_is_as_published() -> None:
    """Berman et al. 2019, section 4.1, and the defaults of the public code."""
    content = settings("multigrain")
    model, data = content["model"], content["data"]
    objective = model["objective"]
    margin = {"alpha": 0.2, "beta": 1.2, "beta_rate": 1.0, "nearest": 0.5, "farthest": 1.4}
    assert (objective["loss"], objective["margin"]) == ("margin", margin)
    assert model["classification"] == {"weight": 0.5}
    assert (data["views"], data["image_size"], data["inference"]["size"]) == (3, 224, 512)
    assert data["views"] * data["batch_size"] == pytest.approx(512, abs=3)
    optimizer = OptimizerConfig(**model["optimizer"])
    assert (optimizer.name, optimizer.rate(170)) == ("sgd", 0.2)
    assert (optimizer.momentum, optimizer.weight_decay) == (0.9, 1e-4)
    steps = 1_281_167 / data["batch_size"] * content["trainer"]["max_epochs"]
    assert steps == pytest.approx(120 * 5005, rel=0.01)


def test_how_is_as_published() -> None:
    """Tolias et al. 2020, section 4.1, and the public settings of `how_r50-`."""
    content = settings("how")
    model = content["model"]
    network = {"backbone": "resnet50", "last_stage": 3, "pooling": "attention", "dims": 128}
    assert model["network"] == network
    assert (model["weights"], model["freeze_batch_norm"]) == ("imagenet", True)
    assert model["whitening"]["pictures"] == 5000
    objective = model["objective"]
    assert (objective["loss"], objective["contrastive"]) == (
        "contrastive",
        {"margin": 0.8, "negatives": 5},
    )
    optimizer = OptimizerConfig(**model["optimizer"])
    assert (optimizer.name, optimizer.rate(64), optimizer.weight_decay) == ("adam", 1e-6, 1e-4)
    epochs = content["trainer"]["max_epochs"]
    assert optimizer.final_share == pytest.approx(0.99**epochs, abs=0.005)


@pytest.mark.parametrize("name", ["multigrain", "multigrain_photos", "how", "how_photos"])
def test_no_recipe_has_an_entropy_term(name: str) -> None:
    objective = {"entropy_weight": settings(name)["model"]["objective"]["entropy_weight"]}
    assert ObjectiveConfig(**objective).entropy_weight_at(1.0) == 0.0


def folder_of_classes(root: Path) -> Path:
    for name in ("birds", "cats", "dogs"):
        (root / name).mkdir(parents=True)
        for number in range(14):
            seed = 100 * len(list(root.iterdir())) + number
            (root / name / f"{number}.png").write_bytes(noise(seed, size=(80, 70)))
    return root


@pytest.mark.slow
@pytest.mark.parametrize(("name", "ranks"), [("multigrain", TWO), ("multigrain_photos", ())])
def test_multigrain_runs(
    name: str, ranks: tuple[str, ...], run_script: Runner, tmp_path: Path
) -> None:
    root = folder_of_classes(tmp_path / "pictures")
    line = ("--config", name, "--data.root", str(root), "--model.network.dims", "512")
    done = run_script("train.py", *line, *SMALL, *ranks, "--data.augment_on", "cpu")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    checkpoint = tmp_path / "runs" / name / "checkpoints" / "last.ckpt"
    state = read_checkpoint(checkpoint)["state_dict"]
    assert state["beside.classifier.weight"].shape == (3, 512)
    assert float(state["beside.beta"]) != 1.2
    trained = load_network(checkpoint)
    assert trained.network.config.head == "none"
    assert trained.recipe["classification"]["classes"] == 3
    to = ("--checkpoint", str(checkpoint), "--model-only", "--output", "m.safetensors")
    packed = run_script("export.py", *to)
    assert packed.returncode == 0, packed.stderr
    again = load_network(tmp_path / "m.safetensors").network
    picture = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    assert torch.equal(again(picture), trained.network(picture))
    assert "InfoNCE" not in (tmp_path / "m.card.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "ranks"), [("how", TWO), ("how_photos", ())])
def test_how_runs(name: str, ranks: tuple[str, ...], run_script: Runner, tmp_path: Path) -> None:
    root = folder_of_classes(tmp_path / "pictures")
    line = ("--config", name, "--data.root", str(root), "--model.weights", "null")
    few = ("--model.network.dims", "16", "--model.micro_batch", "null", "--model.memory.size", "20")
    done = run_script("train.py", *line, *few, *SMALL, *ranks, "--data.augment_on", "cpu")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    trained = load_network(tmp_path / "runs" / name / "checkpoints" / "last.ckpt")
    picture = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        local, attention = trained.network.local(picture)
    assert (local.shape, attention.shape) == ((1, 16, 4, 4), (1, 4, 4))
    # Whitened on the pictures' activations, the head sees those of this one in the same range.
    assert 0.1 < float(local.std()) < 10
