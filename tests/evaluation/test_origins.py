import pytest

from sscd.data.descriptors import Origin
from sscd.errors import UserError
from sscd.evaluation.origins import check_same_origin

KNOWN = Origin("model-a", "288 short_side", "whitened-1")


def test_nothing_to_say_of_the_same_or_of_two_unknown() -> None:
    assert check_same_origin(KNOWN, KNOWN) is None
    assert check_same_origin(Origin(), Origin()) is None


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Origin("model-b", "288 short_side", "whitened-1"), "differ in model: model-a and model-b"),
        (Origin("model-a", "224 square", "whitened-1"), "differ in preprocessing: 288 short_side"),
        (Origin("model-a", "288 short_side", "other"), "postprocessing: whitened-1 and other"),
        (Origin("model-a", "288 short_side"), "postprocessing: whitened-1 and none"),
        (Origin("model-b"), "differ in model"),
    ],
)
def test_different_origins_are_refused_and_both_models_named(other: Origin, words: str) -> None:
    with pytest.raises(UserError, match=words) as raised:
        check_same_origin(KNOWN, other)
    assert "model-a" in str(raised.value)
    assert other.model in str(raised.value)
    with pytest.raises(UserError, match="differ in"):
        check_same_origin(other, KNOWN)


def test_one_unknown_is_a_warning_that_says_which() -> None:
    warning = check_same_origin(KNOWN, Origin())
    assert warning is not None
    assert warning.startswith("the references do not say which model made them, the queries say")
    warning = check_same_origin(Origin(), KNOWN, names=("queries", "calibration"))
    assert warning is not None
    assert warning.startswith("the queries do not say which model made them, the calibration say")
    assert "model-a" in warning


def test_what_is_known_in_part() -> None:
    warning = check_same_origin(Origin("m", "288 short_side"), Origin("m"))
    assert warning is not None
    assert "which preprocessing" in warning
    warning = check_same_origin(Origin(postprocessing="whitened"), Origin())
    assert warning is not None
    assert "which postprocessing" in warning
