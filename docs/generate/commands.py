"""Write the reference of commands: what each takes, as its own parser knows it."""

from collections.abc import Iterator
from dataclasses import replace

import mkdocs_gen_files

from docs.generate.pages import written
from docs.generate.parsers import Option, listed, options, parser_behind
from sscd.cli import COMMANDS, main

OF_A_TRAINING = """
Every key of the [configuration](configuration.md) is an option. Without `--config` it is the
quickstart. `train.py` is the same command.
""".strip()

OF_A_PREVIEW = "The `--config` and `--data.…` options of a training say which views are drawn."


def _parsed_by(name: str) -> list[Option]:
    """The options; on a command line what may be null is left out."""
    found = options(parser_behind(lambda: main([name])))
    return [
        replace(
            option,
            kind=option.kind.removesuffix(" or null"),
            default="" if option.default == "null" else option.default,
            anchor=f"{name}-{option.key}",
        )
        for option in found
    ]


def _command(name: str) -> Iterator[str]:
    summary = COMMANDS[name].summary
    yield from ("", f"## sscd {name}", "", f"{summary[0].upper()}{summary[1:]}.", "")
    if name == "train":
        yield from ("```text", "sscd train --config NAME [--config NAME …] [--KEY VALUE …]", "```")
        yield from ("", OF_A_TRAINING)
        return
    found = _parsed_by(name)
    if name == "preview":
        yield from (OF_A_PREVIEW, "")
        found = [option for option in found if option.key.partition(".")[0] != "data"]
    yield from ("```text", _usage(name, found), "```", "", *listed(found, prefix="--"))


def _usage(name: str, found: list[Option]) -> str:
    words = [f"sscd {name}"]
    for option in found:
        if option.by_place:
            words.append(option.key.upper() + (" …" if option.kind.startswith("list:") else ""))
        elif option.required:
            words.append(f"--{option.key} {option.key.upper()}")
    return " ".join([*words, "[options]"])


lines = [written("commands.md")]
for each in COMMANDS:
    lines += _command(each)
with mkdocs_gen_files.open("commands.md", "w") as page:
    page.write("\n".join(lines) + "\n")
