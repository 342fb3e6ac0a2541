import io
from dataclasses import replace

from rich.console import Console

from sscd.report.systems.cells import time_text
from sscd.report.systems.markdown import attacks_markdown, systems_markdown
from sscd.report.systems.terminal import attacks_table, systems_table
from tests.report.systems.table_rows import ATTACKS, FACTS, measured, row


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.replace("\\|", "¦").strip("|").split("|")]


def test_a_row_a_system_with_its_intervals() -> None:
    text = systems_markdown([row("GIST", 0.1), row("HOW", 0.2, dims=None)], FACTS)
    lines = text.splitlines()
    assert lines[0].startswith(
        "disc: 50 copies among 100 queries, 200 references, 300 training pictures; "
        "the globally best 500,000 pairs."
    )
    head, rule, gist, how = lines[2:6]
    assert len(cells(head)) == len(cells(rule)) == len(cells(gist)) == len(cells(how)) == 9
    assert cells(gist)[:4] == [
        "GIST",
        "256",
        "0.100 (0.080 to 0.120)",
        "0.150 (0.130 to 0.170)",
    ]
    assert cells(gist)[8].endswith("normalised: less 0.5 × the 10th training score")
    assert cells(gist)[4:7] == ["0.050", "0.075", "12"]
    assert cells(how)[1] == "local"
    assert lines[-1] == "Not in the table: HOW: no"
    assert "†" not in text


def test_what_is_odd_is_said_under_the_table() -> None:
    odd = replace(row("a|b *c*", 0.1, earlier=True), missing_pairs=3, milliseconds=None)
    text = systems_markdown([odd, row("d", 0.2, earlier=True)], FACTS)
    assert len(cells(text.splitlines()[4])) == 9
    assert cells(text.splitlines()[4])[0] == "a¦b \\*c\\*"
    assert cells(text.splitlines()[4])[6] == "not known"
    assert cells(text.splitlines()[5])[6] == "12†"
    assert "† measured by an earlier call (2026-01-02)\n" in text
    mixed = systems_markdown([odd, row("d", 0.2)], FACTS)
    assert "† measured by an earlier call (2026-01-02), not together with the other times" in mixed
    assert "3 true pairs count as missed" in text


def test_without_intervals() -> None:
    plain = replace(row("a", 0.1), plain=measured(0.1, spread=None))
    text = systems_markdown([plain], FACTS)
    assert cells(text.splitlines()[4])[2] == "0.100"
    assert "In brackets 95 % intervals" in text  # of the normalised figure
    none = replace(plain, normalised=measured(0.2, spread=None))
    assert "intervals" not in systems_markdown([none], FACTS)


def test_pictures_that_could_not_be_read_are_counted() -> None:
    text = systems_markdown([row("a", 0.1)], replace(FACTS, unreadable=1234))
    assert "1,234 pictures could not be read; table.skipped.txt lists them" in text
    assert "could not be read" not in systems_markdown([row("a", 0.1)], FACTS)


def test_short_times_keep_two_digits_that_count() -> None:
    times = [time_text(replace(row("a", 0.1), milliseconds=ms)) for ms in (0.123, 4.56, 1234.5)]
    assert times == ["0.12", "4.6", "1234"]


def test_an_attack_a_row_with_the_attacked_network_marked() -> None:
    lines = attacks_markdown(ATTACKS).splitlines()
    assert "40 of 50 queries that have a match" in lines[0]
    assert cells(lines[2]) == ["attack", "PSNR measured", "a", "b"]
    assert cells(lines[4]) == ["none", "", "0.500", "0.000"]
    assert cells(lines[5]) == ["a, 40 dB", "39.99 dB", "0.125 \\*", "0.000"]


def test_the_terminal_shows_the_same_figures() -> None:
    screen = Console(width=100, record=True, file=io.StringIO())
    screen.print(systems_table([row("GIST [red]", 0.1, earlier=True)], FACTS))
    screen.print(attacks_table(ATTACKS))
    text = screen.export_text()
    for part in ("GIST [red]", "0.100", "(0.080 to 0.120)", "(0.130 to 0.170)", "12†", "0.125*"):
        assert part in text
    assert "times: CPU (2 threads)" in text
