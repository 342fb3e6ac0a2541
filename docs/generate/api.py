"""Write the reference of the Python interface: one page a room, each from its docstrings."""

from importlib.util import find_spec

import mkdocs_gen_files

from docs.generate.pages import written

# Page → its title and opening, and the modules that people use from programs of their own.
PAGES = {
    "data": (
        "Pictures",
        "Files to samples.",
        (
            "sscd.data.decode",
            "sscd.data.pictures.sources",
            "sscd.data.ground_truth",
            "sscd.data.descriptors",
            "sscd.data.perceptual_hash",
            "sscd.data.module",
        ),
    ),
    "augment": (
        "Augmentation",
        "A picture to views and edited copies.",
        (
            "sscd.augment.recipes",
            "sscd.augment.mixup",
            "sscd.augment.inference",
            "sscd.augment.edits.table",
            "sscd.augment.edits.chain",
        ),
    ),
    "models": (
        "Networks",
        "Views to descriptors.",
        (
            "sscd.models.descriptor",
            "sscd.models.network_config",
            "sscd.models.pooling",
            "sscd.models.local_features",
            "sscd.models.backbones",
            "sscd.models.loading",
            "sscd.models.checkpoint",
        ),
    ),
    "losses": (
        "Losses",
        "Descriptors to a scalar: pure functions of tensors.",
        (
            "sscd.losses.info_nce",
            "sscd.losses.contrastive",
            "sscd.losses.margin",
            "sscd.losses.entropy",
            "sscd.losses.relations",
        ),
    ),
    "training": (
        "Training",
        "The Lightning module and what is around it.",
        (
            "sscd.training.module",
            "sscd.training.steps.objective_config",
            "sscd.training.steps.objective",
            "sscd.training.steps.classification",
            "sscd.training.steps.memory_queue",
            "sscd.training.optimization.lars",
            "sscd.training.optimization.optimizer_config",
            "sscd.training.optimization.optimizers",
            "sscd.training.ranks.gather",
            "sscd.training.guards.collapse",
        ),
    ),
    "search": (
        "Search",
        "Descriptors to pairs, exactly.",
        (
            "sscd.search.knn",
            "sscd.search.pairs",
            "sscd.search.groups",
            "sscd.search.postprocessing.chain",
            "sscd.search.postprocessing.score_norm",
        ),
    ),
    "evaluation": (
        "Evaluation",
        "Pairs to figures: NumPy in, frozen dataclasses out.",
        (
            "sscd.evaluation.metrics",
            "sscd.evaluation.protocol",
            "sscd.evaluation.bootstrap",
            "sscd.evaluation.thresholds",
            "sscd.evaluation.calibration",
            "sscd.evaluation.by_edit",
            "sscd.evaluation.curve",
            "sscd.evaluation.differences",
            "sscd.evaluation.judged",
            "sscd.evaluation.report",
        ),
    ),
    "formats": (
        "Files",
        "What leaves the house, checked on the way out and in.",
        (
            "sscd.formats.track1.csv_file",
            "sscd.formats.track2.hdf5_file",
            "sscd.formats.descriptor_files",
            "sscd.formats.evaluation_file",
            "sscd.formats.inspection",
        ),
    ),
    "baselines": (
        "Other systems",
        "Pictures to pairs, each system behind one interface.",
        (
            "sscd.baselines.system",
            "sscd.baselines.vector_system",
            "sscd.baselines.gist.descriptor",
            "sscd.baselines.hashes",
            "sscd.baselines.how.system",
            "sscd.baselines.how.inverted_file",
        ),
    ),
    "attacks": (
        "Attacks",
        "A picture and a network to a picture that the network no longer knows.",
        (
            "sscd.attacks.optimisation",
            "sscd.attacks.psnr",
            "sscd.attacks.ssim",
            "sscd.attacks.transformations",
            "sscd.attacks.directory",
        ),
    ),
    "report": (
        "Reports",
        "Figures to tables, pictures and pages.",
        (
            "sscd.report.page.build",
            "sscd.report.contents",
            "sscd.report.comparison",
            "sscd.report.evaluation_tables",
            "sscd.report.contact_sheet",
        ),
    ),
}


# Guides answer most searches; a page of names should not stand before them.
_LOW = "---\nsearch:\n  boost: 0.3\n---\n\n"


def _write(name: str, opening: str, modules: tuple[str, ...]) -> None:
    if missing := [module for module in modules if find_spec(module) is None]:
        raise RuntimeError(f"docs/generate/api.py names {missing}, which are not there")
    parts = [opening, *(f"::: {module}" for module in modules)]
    with mkdocs_gen_files.open(f"api/{name}.md", "w") as page:
        page.write(_LOW + "\n\n".join(parts) + "\n")


_write("index", written("api/index.md"), ("sscd.api", "sscd.errors"))
for each, (title, about, found) in PAGES.items():
    _write(each, f"# {title}\n\n{about}", found)
