"""DISC21 as it lies on disk: train, references, queries and the ground truth."""

from pathlib import Path
from typing import Literal

from sscd.data.ground_truth import GroundTruth, read_ground_truth
from sscd.data.listing import scan_images
from sscd.data.records import Collection, ImageSet
from sscd.errors import UserError

QuerySplit = Literal["dev", "test"]

# The data set's own directory names; phase 2 of the challenge called the test queries final.
QUERY_DIRECTORIES: dict[QuerySplit, tuple[str, ...]] = {
    "dev": ("dev_queries",),
    "test": ("test_queries", "final_queries"),
}
# The data set's names first, then those of the challenge and of its public code.
GROUND_TRUTH_FILES: dict[QuerySplit, tuple[str, ...]] = {
    "dev": ("dev_queries_groundtruth.csv", "dev_ground_truth.csv", "public_ground_truth.csv"),
    "test": ("test_queries_groundtruth.csv", "test_ground_truth.csv", "final_ground_truth.csv"),
}
# Of queries that were made here (`sscd make-disc`, procedural pictures), not of the data set's own.
EDITS_FILE = "edits.jsonl"
GROUND_TRUTH_FOLDERS = ("", "ground_truth", "groundtruth", "list_files")


def is_disc21(root: Path) -> bool:
    """Whether a directory is laid out as DISC21: references and queries beside each other."""
    names = [name for split in QUERY_DIRECTORIES.values() for name in split]
    return (root / "references").is_dir() and any((root / name).is_dir() for name in names)


def read_disc21(root: Path, *, queries: QuerySplit = "dev") -> Collection:
    """Open a directory in DISC21's layout.

    `references/` and the queries must be there; `train/` may be missing where nothing is learnt
    (the training set is then empty).

    Args:
        root: The directory.
        queries: Which queries, and which ground truth.

    Raises:
        UserError: A directory or the ground truth is missing or broken, or the ground truth names
            a query or a reference whose picture is not there.
    """
    if not root.is_dir():
        raise UserError(f"{root} is no directory; give the one that holds DISC21's references")
    references = scan_images(root / "references", name="references")
    asked = scan_images(_query_directory(root, queries), name="queries")
    listings = [references, asked]
    training = ImageSet.from_names("training", root=root / "train", names=())
    if (root / "train").is_dir():
        listed = scan_images(root / "train", name="training")
        training, listings = listed.images, [listed, *listings]
    truth_file = _ground_truth_file(root, queries)
    truth = read_ground_truth(truth_file)
    _check_ids(truth_file, truth, queries=asked.images, references=references.images)
    lines = [line for listing in listings for line in listing.left_out]
    if truth.listed is not None and (unlisted := len(asked.images) - len(truth.listed)):
        lines.append(
            f"{truth_file} does not speak of {unlisted:,} of {len(asked.images):,} queries"
        )
    return Collection(
        training=training,
        references=references.images,
        queries=asked.images,
        truth=truth,
        left_out=tuple(lines),
        edits=edits if (edits := root / EDITS_FILE).is_file() else None,
    )


def _query_directory(root: Path, queries: QuerySplit) -> Path:
    names = QUERY_DIRECTORIES[queries]
    for name in names:
        if (root / name).is_dir():
            return root / name
    raise UserError(
        f"{root} has no {queries} queries; looked for the directory {' or '.join(names)}"
    )


def _ground_truth_file(root: Path, queries: QuerySplit) -> Path:
    names = GROUND_TRUTH_FILES[queries]
    for folder in GROUND_TRUTH_FOLDERS:
        for name in names:
            if (root / folder / name).is_file():
                return root / folder / name
    folders = ", ".join(folder for folder in GROUND_TRUTH_FOLDERS if folder)
    raise UserError(
        f"{root} has no ground truth of the {queries} queries; looked for {', '.join(names)} "
        f"in it and in its folders {folders}"
    )


def _check_ids(file: Path, truth: GroundTruth, *, queries: ImageSet, references: ImageSet) -> None:
    named_queries = {query for query, _ in truth.pairs} | (truth.listed or frozenset())
    for kind, named, images in (
        ("query", named_queries, queries),
        ("reference", {reference for _, reference in truth.pairs}, references),
    ):
        if unknown := named.difference(images.ids):
            raise UserError(
                f"{file} names {kind} {min(unknown)} ({len(unknown)} such), which is not in "
                f"{images.root}; complete the pictures or give the ground truth made for them"
            )
