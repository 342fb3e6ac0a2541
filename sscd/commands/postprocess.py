"""What commands that take descriptors through post-processing share."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sscd.data.descriptors import Descriptors, Origin
from sscd.errors import UserError
from sscd.evaluation.origins import check_same_origin
from sscd.formats.postprocessing_file import postprocessing_path, read_postprocessing
from sscd.search.knn import Device
from sscd.search.postprocessing.chain import PostProcessing, Side, TrainingSet
from sscd.search.postprocessing.neighbourhood import Neighbourhood
from sscd.search.postprocessing.projection import Projection, ProjectionKind
from sscd.terminal import warn

ProjectionChoice = Literal["none", "center", "pca", "whiten"]


@dataclass(frozen=True)
class Steps:
    """The steps that were asked for on a command line.

    Attributes:
        projection: Which projection is learnt.
        dims: Dimensions of the result; None for as many as there are.
        stretch: Weight and ranks, as in `0.5[0,9]`.
        score_norm: Weight and ranks, as in `1.0[0,2]`.
    """

    projection: ProjectionKind | None
    dims: int | None
    stretch: Neighbourhood | None
    score_norm: Neighbourhood | None

    @classmethod
    def parse(
        cls,
        *,
        projection: ProjectionChoice,
        dims: int | None,
        stretch: str | None,
        score_norm: str | None,
    ) -> "Steps":
        """Read the options.

        Raises:
            UserError: One of them cannot be read, or `dims` has nothing to reduce them.
        """
        kind: ProjectionKind | None = None if projection == "none" else projection
        if dims is not None and dims < 1:
            raise UserError(f"--dims {dims}: give at least 1")
        if dims is not None and kind in (None, "center"):
            raise UserError(
                f"--dims {dims}: dimensions are reduced by PCA, which needs --training and "
                "--projection pca or whiten"
            )
        return cls(
            kind,
            dims,
            Neighbourhood.parse(stretch, option="--stretch") if stretch else None,
            Neighbourhood.parse(score_norm, option="--score_norm") if score_norm else None,
        )

    @property
    def given(self) -> bool:
        """Whether there is any."""
        return any((self.projection, self.stretch, self.score_norm))

    def projected_dims(self, own: int, *, limit: int | None = None) -> int:
        """Dimensions after the projection, of descriptors of `own` dimensions.

        Args:
            own: Dimensions of the network's descriptors.
            limit: What the finished descriptor may have at most, if there is a limit.

        Raises:
            UserError: They do not fit.
        """
        added = 1 if self.score_norm else 0
        wanted = self.dims - added if self.dims is not None else own
        if limit is not None and self.projection in ("pca", "whiten") and self.dims is None:
            wanted = min(wanted, limit - added)
        if not 1 <= wanted <= own:
            raise UserError(f"--dims {self.dims} is out of range; the network gives {own}")
        if limit is not None and wanted + added > limit:
            more = ", and score normalisation takes one of them" if added else ""
            raise UserError(
                f"the descriptor has {wanted} dimensions; track 2 takes at most {limit}{more}: "
                "give --training and --projection whiten (or pca) to reduce it"
            )
        return wanted


def fit(
    steps: Steps, training: Descriptors | None, *, own: int, limit: int | None = None
) -> tuple[PostProcessing, TrainingSet | None]:
    """Learn the steps on training descriptors.

    Args:
        steps: What to learn.
        training: Descriptors of training pictures; None where there are none.
        own: Dimensions of the network's descriptors.
        limit: As for `Steps.projected_dims`.

    Returns:
        The chain, and the training set where it needs one.

    Raises:
        UserError: There are no training descriptors, too few, or the dimensions do not fit.
    """
    dims = steps.projected_dims(own, limit=limit)
    if not steps.given:
        return PostProcessing(), None
    if training is None:
        raise UserError("post-processing is learnt on training pictures; give --training")
    projection = None
    if steps.projection:
        projection = Projection.fit(training.vectors, kind=steps.projection, dims=dims)
    origin = training.origin
    chain = PostProcessing(
        projection,
        steps.stretch,
        steps.score_norm,
        model=origin.model,
        preprocessing=origin.preprocessing,
    )
    if not chain.needs_training:
        return chain, None
    learnt = training_set(chain, training)
    return replace(chain, training=learnt.fingerprint), learnt


def training_set(chain: PostProcessing, training: Descriptors) -> TrainingSet:
    """Training descriptors as a chain needs them.

    Args:
        chain: Its projection is applied.
        training: Descriptors as the network made them.
    """
    digest = hashlib.blake2b(repr(training.origin).encode(), digest_size=8)
    digest.update("\n".join(sorted(training.ids)).encode())
    return TrainingSet(chain.project(training.vectors), digest.hexdigest())


def process(
    descriptors: Descriptors,
    side: Side,
    chain: PostProcessing,
    *,
    training: TrainingSet | None,
    device: Device = "auto",
) -> Descriptors:
    """Take descriptors through the chain; their origin remembers it.

    Raises:
        UserError: As `PostProcessing.apply`, a descriptor has no direction, or the chain was fitted
            on descriptors of another model.
    """
    if not chain.steps:
        return descriptors
    fitted_on = Origin(chain.model, chain.preprocessing, descriptors.origin.postprocessing)
    names = ("the post-processing", f"the {side} descriptors")
    if fitted_on.model and (line := check_same_origin(fitted_on, descriptors.origin, names=names)):
        warn(line)
    try:
        vectors = chain.apply(descriptors.vectors, side, training=training, device=device)
    except ValueError as error:
        raise UserError(f"{side} descriptors: {error}") from error
    origin = descriptors.origin
    mark = chain.fingerprint
    if origin.postprocessing:
        both = f"{origin.postprocessing} {mark}".encode()
        mark = hashlib.blake2b(both, digest_size=8).hexdigest()
    return Descriptors(descriptors.ids, vectors, replace(origin, postprocessing=mark))


def check_origins(a: Descriptors, b: Descriptors, *, names: tuple[str, str]) -> None:
    """Check that one model made both; warn where one of them does not say.

    Raises:
        UserError: They differ.
    """
    if a.vectors.shape[1] != b.vectors.shape[1]:
        raise UserError(
            f"{names[0]} have {a.vectors.shape[1]} dimensions and {names[1]} "
            f"{b.vectors.shape[1]}; describe both with one model and the same settings"
        )
    if line := check_same_origin(a.origin, b.origin, names=names):
        warn(line)


def saved_postprocessing(path: Path | None) -> PostProcessing | None:
    """The post-processing of an exported file; None for None.

    Raises:
        UserError: It has none, or it is damaged.
    """
    if path is None:
        return None
    settings, arrays = read_postprocessing(path)
    return PostProcessing.from_saved(settings, arrays, source=str(postprocessing_path(path)))
