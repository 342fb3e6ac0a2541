import numpy as np
import pytest

from sscd.augment.augly.assets import asset_folder
from sscd.augment.augly.library import global_random_state_kept


def test_assets_are_there() -> None:
    assert list(asset_folder("fonts").glob("Impact.ttf"))
    assert list(asset_folder("twemojis").glob("smileys/*.png"))
    names = {path.name for path in asset_folder("screenshot_templates").iterdir()}
    assert {"web.png", "mobile.png", "bboxes.json"} <= names


def test_the_global_state_comes_back_even_after_an_error() -> None:
    before = np.random.get_state(legacy=False)  # noqa: NPY002
    with pytest.raises(ValueError, match="between 0"), global_random_state_kept():
        np.random.seed(np.random.randint(9) - 10)  # noqa: NPY002
    after = np.random.get_state(legacy=False)  # noqa: NPY002
    assert str(before) == str(after)
