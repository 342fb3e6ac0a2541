"""What the tests add to a documented command so that it takes seconds: sizes, and nothing else.

All that a page says is passed on; what is written here comes after it, and the last value counts.
"""

ALWAYS = {
    "train": (
        *("--trainer.max_epochs", "1", "--trainer.check_val_every_n_epoch", "1"),
        *("--trainer.accelerator", "cpu", "--trainer.num_nodes", "1"),
        *("--data.image_size", "32", "--data.inference.size", "32", "--data.workers", "0"),
        *("--data.batch_size", "4", "--data.eval_batch_size", "16"),
        *("--model.network.backbone", "resnet18"),
        *("--data.procedural.size", "32", "--data.procedural.training", "16"),
        *("--data.procedural.references", "12", "--data.procedural.copies", "6"),
        *("--data.procedural.distractors", "4"),
    ),
    "describe": ("--workers", "0"),
    "match": ("--workers", "0"),
    "dedup": ("--workers", "0"),
    "preview": ("--data.workers", "0"),
    "check": ("--workers", "1"),
    "attack": ("--steps", "2"),
    "baseline": ("--workers", "0"),
    "table": ("--words", "4", "--features", "20", "--samples", "20", "--workers", "0"),
    "make-disc": ("--workers", "1", "--max_side", "120", "--extras", "3"),
    "benchmarks.train": (
        *("--batch_size", "4", "--image_size", "32", "--workers", "1", "--backbone", "resnet18"),
        *("--loss_rows", "16", "--devices", "1", "--steps", "1", "--warm_up", "1"),
        *("--pictures", "8", "--compile", "off", "--peak_tflops", "1"),
    ),
}
IF_GIVEN: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "--ckpt_path": ("--trainer.max_epochs", "2"),
        "--data.max_training": ("--data.max_training", "12"),
    },
    # As many dimensions as there are training pictures, at most; with score normalisation one less.
    "export": {"--training": ("--dims", "16")},
    "evaluate": {"--training": ("--dims", "16")},
    # A network of six steps reaches no high precision on edits.
    "match": {"--calibration": ("--precision", "0.001")},
    "dedup": {"--calibration": ("--precision", "0.001")},
    "make-disc": {
        "--references": ("--references", "16"),
        "--queries": ("--queries", "7"),
        "--distractors": ("--distractors", "3"),
        "--training": ("--training", "9"),
    },
    "baseline": {"gist": ("--dims", "960"), "--words": ("--words", "4", "--features", "20")},
    "torchrun": {"--nproc_per_node": ("--nproc_per_node", "2")},
}
ON_ONE_PROCESS = ("--trainer.devices", "1", "--trainer.strategy", "auto")
"""For a training that no launcher has started: GPUs of the page are one CPU here."""


def smaller(command: str, arguments: list[str], *, launched: bool = False) -> list[str]:
    """The arguments, and those that make the command small."""
    if "--help" in arguments:
        return arguments
    added = list(ALWAYS.get(command, ()))
    if command == "train" and not launched:
        added.extend(ON_ONE_PROCESS)
    options = {argument.partition("=")[0] for argument in arguments}
    for option, instead in IF_GIVEN.get(command, {}).items():
        if option in options:
            added.extend(instead)
    return [*arguments, *added]
