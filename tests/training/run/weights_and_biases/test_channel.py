"""What goes wrong between a training and W&B is left out, counted, and warned of once."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from sscd.training.run.weights_and_biases import channel as channel_module
from sscd.training.run.weights_and_biases.channel import Channel

pytest.importorskip("wandb")


class Run:
    """Notes what is done with it."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.code: int | None = None

    def finish(self, *, exit_code: int) -> None:
        self.code = exit_code


def fail(_: Any) -> None:
    raise OSError(28, "No space left on device")


def test_failures_are_warned_of_once(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run()
    channel = Channel(lambda _: run)
    for number in range(3):
        channel.do(fail)
        channel.do(lambda it, n=number: it.done.append(n))  # type: ignore[misc]
    assert not channel.close(exit_code=3, seconds=30)
    assert (run.done, run.code, channel.failures) == ([0, 1, 2], 3, 3)
    warned = capsys.readouterr().err
    assert warned.count("warning") == 1
    assert "No space left on device; the training goes on" in warned


def test_a_run_that_cannot_be_opened(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(_: Any) -> Any:
        raise RuntimeError("invalid project name\nand more")

    channel = Channel(refuse)
    channel.wait()
    channel.do(lambda it: it.done.append(1))
    assert not channel.close(exit_code=0, seconds=30)
    assert channel.run is None
    assert capsys.readouterr().err.count("invalid project name; the training goes on") == 1


def test_a_server_that_does_not_answer_holds_up_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, answer = Run(), threading.Event()
    channel = Channel(lambda _: run, patience=0.05)
    channel.do(lambda _: answer.wait(60), asks_server=True)  # type: ignore[arg-type]
    channel.do(lambda it: it.done.append("row"))
    channel.do(lambda it: it.done.append("table"), asks_server=True)
    assert not channel.close(exit_code=0, seconds=30)
    assert (run.done, run.code) == (["row"], 0)
    answer.set()
    assert capsys.readouterr().err.count("no answer from the server") == 1


def test_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run()
    channel = Channel(lambda _: run)
    channel.do(lambda it: it.done.append("table"), asks_server=True)
    assert channel.close(exit_code=0, seconds=30)
    assert (run.done, capsys.readouterr().err) == (["table"], "")


def test_a_signal_while_it_closes_leaves_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    run, answer = Run(), threading.Event()
    killed: list[Any] = []
    monkeypatch.setattr(channel_module, "kill_service", killed.append)
    channel = Channel(lambda _: run)
    channel.do(lambda _: answer.wait(60))  # type: ignore[arg-type]

    def interrupt(*_: Any, **__: Any) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(channel._background, "close", interrupt)
    with pytest.raises(KeyboardInterrupt):
        channel.close(exit_code=1, seconds=30)
    assert len(killed) == 1
    answer.set()


def test_a_run_that_cannot_be_opened_until_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    killed, answers = threading.Event(), []
    monkeypatch.setattr(channel_module, "kill_service", lambda _: killed.set())

    def wait_for_server(closed: Callable[[], bool]) -> Any:
        killed.wait(60)
        answers.append(closed())
        raise RuntimeError("the client was killed")

    channel = Channel(wait_for_server)
    channel.wait(0.0)
    assert not channel.close(exit_code=1, seconds=0.05)
    channel.wait(60)
    assert answers == [True], "no other one is begun in its place"
