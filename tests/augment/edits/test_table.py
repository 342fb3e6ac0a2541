from pathlib import Path
from typing import Any

import pytest
import yaml

from sscd.augment.edits.catalogue import CATALOGUE
from sscd.augment.edits.fields import field_types
from sscd.augment.edits.pixels import Blur
from sscd.augment.edits.table import load_table, without
from sscd.configs import find_edits, shipped_edits
from sscd.errors import UserError


def _content() -> dict[str, Any]:
    return {
        "name": "mine",
        "about": "a table",
        "chain": {1: 0.5, 2: 0.5},
        "operations": {
            "blur": {
                "weight": 2,
                "source": "ours",
                "radius": {"value": [0, 0.25], "source": "ours"},
            },
            "rotation": {
                "weight": 1.0,
                "source": "ours",
                "degrees": {"value": [3, 180], "source": "ours"},
                "cropped": {"value": 0.5, "source": "ours"},
                "black": {"value": 1, "source": "ours"},
            },
            "legofy": {
                "weight": 1.0,
                "source": "ours",
                "bricks": {"value": [20, 30], "source": "ours"},
            },
            "color_filter": {
                "weight": 1.0,
                "source": "ours",
                "filters": {"value": ["aden", "moon"], "source": "ours"},
            },
            "greyscale": {"weight": 1.0, "source": "ours"},
        },
    }


def _load(tmp_path: Path, content: object) -> Any:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return load_table(path)


def test_a_table_gives_the_operations_their_ranges(tmp_path: Path) -> None:
    table = _load(tmp_path, _content())
    assert table.name == "mine"
    assert list(table.operations) == ["blur", "rotation", "legofy", "color_filter", "greyscale"]
    blur = table.operations["blur"]
    assert blur == Blur(radius=(0.0, 0.25))
    assert all(isinstance(end, float) for end in blur.radius)
    assert table.operations["legofy"].bricks == (20, 30)
    assert table.operations["color_filter"].filters == ("aden", "moon")
    assert table.weights["blur"] == 2.0
    assert (table.chain, table.first) == ({1: 0.5, 2: 0.5}, ())
    assert (table.minimum_surviving_area, table.minimum_contrast) == (0.0, 0.0)
    assert not table.needs_secondary


def test_an_operation_of_weight_0_is_not_drawn(tmp_path: Path) -> None:
    content = _content()
    content["operations"]["blur"]["weight"] = 0
    assert "blur" not in _load(tmp_path, content).operations


@pytest.mark.parametrize("name", sorted(shipped_edits()))
def test_shipped_tables_load_and_say_where_each_range_is_from(name: str) -> None:
    table = load_table(name)
    assert table.name == name
    path = find_edits(f"{name}.yaml")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert len(content["operations"]) == len(table.operations)
    for operation, settings in content["operations"].items():
        sources = [settings["source"]]
        sources += [settings[key]["source"] for key in field_types(CATALOGUE[operation])]
        honest = (
            "paper",
            "ours",
            "figure",
            "SSCD",
            "AugLy",
            "Pillow",
            "all of pilgram",
            "the usual",
        )
        assert all(source.startswith(honest) for source in sources), operation


def test_phases_hold_what_the_paper_names() -> None:
    phase1, phase2 = load_table("phase1"), load_table("phase2")
    new = {"stripes", "random_noise", "legofy", "vertical_flip", "collage"}
    assert set(phase2.operations) - set(phase1.operations) == new
    assert set(phase1.operations) <= set(phase2.operations)
    assert list(phase1.chain) == [1, 2, 3, 4]
    assert list(phase1.chain.values()) == sorted(phase1.chain.values())
    assert list(phase2.chain) == [1, 2, 3, 4, 5]
    assert sum(p for length, p in phase2.chain.items() if length >= 3) > 0.8
    for name, short_side in (("phase1", 10), ("phase2", 15)):
        blur = load_table(name).operations["blur"]
        assert isinstance(blur, Blur)
        assert blur.radius == pytest.approx((5 / 768, short_side / 768), rel=0.01)


BROKEN: list[tuple[list[str | int], object, str]] = [
    (["name"], 3, "name got 3; expected a line of text"),
    (["about"], "", "about got ''; expected a line of text"),
    (["chain"], [1, 2], r"chain got \[1, 2\]; expected"),
    (["chain"], {}, "chain got {}"),
    (["chain"], {0: 1.0}, "length got 0; expected a whole number from 1"),
    (["chain"], {True: 1.0}, "length got True"),
    (["chain"], {1.5: 1.0}, "length got 1.5"),
    (["chain"], {1: 0.5, 2: 0.4}, "add up to 0.9; make them add up to 1"),
    (["chain"], {1: 1.5, 2: -0.5}, "probability of 1 got 1.5; expected a number from 0 to 1"),
    (["chain"], {1: [1.0]}, "probability of 1 got"),
    (["first"], ["crop"], "first: 'crop' is not one of this table's operations"),
    (["first"], "blur", "first got 'blur'; expected a list"),
    (["first"], [["blur"]], "is not one of this table's operations"),
    (["minimum_surviving_area"], 1.5, "minimum_surviving_area got 1.5; expected a number from 0"),
    (["minimum_contrast"], "low", "minimum_contrast got 'low'; expected a number"),
    (["minimum_contrast"], True, "minimum_contrast got True"),
    (["colour"], 1, "unknown key 'colour'; expected name, about"),
    (["operations"], {}, "operations got {}; expected a section"),
    (["operations"], ["blur"], "expected a section"),
    (["operations", "blurr"], {}, "unknown operation 'blurr'; expected one of text_overlay"),
    (["operations", 7], {}, "unknown operation 7"),
    (["operations", "blur"], None, "operation blur: got None; expected weight, source"),
    (["operations", "blur", "weight"], -1, "operation blur: weight got -1; expected"),
    (["operations", "blur", "weight"], float("inf"), "weight got inf"),
    (["operations", "blur", "source"], None, "operation blur: source got None"),
    (["operations", "blur", "sigma"], {}, "operation blur: unknown key 'sigma'; expected weight"),
    (["operations", "blur", "radius"], [0, 1], r"radius got \[0, 1\]; expected {value"),
    (["operations", "blur", "radius", "source"], " ", "operation blur: radius: source got ' '"),
    (["operations", "blur", "radius", "value"], 0.1, r"radius: got 0.1; expected \[lowest, high"),
    (["operations", "blur", "radius", "value"], [0.1], "radius: got"),
    (["operations", "blur", "radius", "value"], [0.2, 0.1], "expected the lower number first"),
    (
        ["operations", "blur", "radius", "value"],
        [0.1, 2],
        "got 2; expected numbers? from 0 to 1|got 2; expected a number from 0 to 1",
    ),
    (["operations", "blur", "radius", "value"], [0.1, float("nan")], "got nan; expected a number"),
    (["operations", "blur", "radius", "value"], [0, True], "got True; expected a number"),
    (["operations", "blur", "radius", "value"], [0, [1]], r"got \[1\]; expected a number"),
    (["operations", "blur", "radius", "value"], [0, 10**400], "got 1000.*; expected a number"),
    (["operations", "blur", "radius", "value"], ["0", "1"], "got '0'; expected a number"),
    (["operations", "legofy", "bricks", "value"], [20.5, 30], "got 20.5; expected a whole number"),
    (["operations", "legofy", "bricks", "value"], [0, 30], "got 0; expected a whole number from 1"),
    (["operations", "rotation", "black", "value"], 1.1, "black: got 1.1; expected a number from 0"),
    (["operations", "color_filter", "filters", "value"], [], r"got \[\]; expected a list of"),
    (["operations", "color_filter", "filters", "value"], "aden", "expected a list of strings"),
    (["operations", "color_filter", "filters", "value"], ["sepia"], "got 'sepia'; expected one of"),
    (["operations", "color_filter", "filters", "value"], [3], "got 3; expected one of"),
]


@pytest.mark.parametrize(("keys", "value", "message"), BROKEN, ids=range(len(BROKEN)))
def test_what_is_wrong_is_named(
    tmp_path: Path, keys: list[str | int], value: object, message: str
) -> None:
    content: Any = _content()
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    with pytest.raises(UserError, match=message) as caught:
        _load(tmp_path, content)
    assert "mine.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 900


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["chain"], "'chain' is missing; add it"),
        (["about"], "'about' is missing"),
        (["operations", "blur", "weight"], "operation blur: 'weight' is missing"),
        (["operations", "blur", "source"], "operation blur: 'source' is missing"),
        (["operations", "blur", "radius"], "operation blur: 'radius' is missing"),
        (["operations", "blur", "radius", "source"], "blur: radius: 'source' is missing"),
        (["operations", "blur", "radius", "value"], "blur: radius: 'value' is missing"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, keys: list[str], message: str) -> None:
    content: Any = _content()
    place = content
    for key in keys[:-1]:
        place = place[key]
    del place[keys[-1]]
    with pytest.raises(UserError, match=message):
        _load(tmp_path, content)


def test_weights_of_0_alone_are_refused(tmp_path: Path) -> None:
    content = _content()
    for settings in content["operations"].values():
        settings["weight"] = 0
    with pytest.raises(UserError, match="every weight is 0"):
        _load(tmp_path, content)


def test_tables_are_found_by_name_or_path(tmp_path: Path) -> None:
    shipped = shipped_edits()
    assert {"validation", "phase1", "phase2"} <= set(shipped)
    for name in ("phase1", "phase1.yaml", "configs/edits/phase1.yaml"):
        assert load_table(name).name == "phase1"
    for wrong in ("phase9", "elsewhere/phase1.yaml", str(tmp_path), "quickstart"):
        with pytest.raises(UserError, match="neither a file nor one of those that come with sscd"):
            load_table(wrong)


def test_operations_can_be_switched_off() -> None:
    table = load_table("phase1")
    lighter = without(table, ["onto_background", "crop"])
    assert not lighter.needs_secondary
    assert set(table.operations) - set(lighter.operations) == {"onto_background", "crop"}
    assert set(lighter.weights) == set(lighter.operations)
    assert without(table, []) == table
    assert without(load_table("validation"), ["crop"]).first == ()
    with pytest.raises(UserError, match="no operation 'onto' to switch off; expected one of text"):
        without(table, ["onto"])
    with pytest.raises(UserError, match="every operation is switched off"):
        without(table, list(table.operations))
