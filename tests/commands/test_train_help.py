"""The help of a training is there at once, and names what the parser knows."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sscd.cli import main
from sscd.commands.train_help import RUN_OPTIONS, SECTIONS
from sscd.configs import shipped_configs
from sscd.errors import Stopped
from tests.conftest import REPOSITORY


def test_the_short_page_imports_no_torch() -> None:
    code = (
        "import sys; from sscd.cli import main; status = main(['train', '--help']); "
        "assert not {'torch', 'lightning', 'jsonargparse'} & set(sys.modules); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stderr
    for name in (*RUN_OPTIONS, "quiet", "json"):
        assert f"--{name} " in done.stdout
    for name in (*SECTIONS, *shipped_configs()):
        assert name in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_the_pages_name_what_the_parser_knows(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", "--help", "all"])
    assert ended.value.code == 0
    page = capsys.readouterr().out
    assert page.startswith("usage: sscd train [--config NAME …] [--KEY VALUE …]")
    assert "fit" not in page.split("options:")[0]
    for name in ("quiet", "json"):
        assert f"--{name}: " in page
    options = set(re.findall(r"(?<![\w-])--([a-z_]+(?:\.[a-z_]+)*)", page))
    plain = {name for name in options if "." not in name} - {"help", "quiet", "json"}
    sections = {name.partition(".")[0] for name in options if "." in name}
    assert sections == set(SECTIONS)
    hidden = {"weights_only"}  # Lightning's own, of no use here
    assert plain - sections - hidden - set(RUN_OPTIONS) == set()
    assert set(RUN_OPTIONS) <= plain


@pytest.mark.parametrize("arguments", [["-h"], ["--config", "nowhere", "--help"]])
def test_help_comes_before_anything_else(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *arguments]) == 0
    assert capsys.readouterr().out.startswith("usage: sscd train")


@pytest.mark.parametrize("more", [[], ["--quiet"]])
def test_an_interrupted_training_gives_its_object(
    more: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def stop(*_: object) -> None:
        raise Stopped("stopped by SIGTERM; go on", status=75)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sscd.commands.train._train", stop)
    assert main(["train", "--json", *more]) == 75
    printed = capsys.readouterr()
    value = json.loads(printed.out)
    assert (value["ended"], value["reason"]) == ("interrupted", "stopped by SIGTERM; go on")
    assert (value["run"], value["files"], value["best"]) == (None, {}, None)
    assert printed.err == "sscd: error: stopped by SIGTERM; go on\n"
    assert main(["train"]) == 75
    assert capsys.readouterr().out == ""
