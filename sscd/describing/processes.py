"""Describing partitions in several processes of this machine, one for each device."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

import torch

from sscd.data.records import Pictures
from sscd.describing.output import Output
from sscd.describing.partitions import PartitionDescriber
from sscd.errors import UserError
from sscd.models.describer import DescriberSpec
from sscd.terminal import working

_POLL_S = 0.2


def describe_in_processes(
    spec: DescriberSpec, pictures: Pictures, output: Output, numbers: Sequence[int], *, count: int
) -> None:
    """Describe partitions in processes that each take every `count`-th, with a progress bar.

    Process i runs on GPU i, counted round, or on its share of the processors. Ctrl-C, or the death
    of one, ends all of them; parts that are finished stay.

    Raises:
        UserError: A process died or failed; the message names it.
    """
    context = multiprocessing.get_context("spawn")
    done = context.RawArray("q", count)  # without a lock, which a killed process would keep
    running: list[tuple[Any, Connection]] = []
    total = sum(len(output.request.span(number)) for number in numbers)
    try:
        for index in range(count):
            receiver, sender = context.Pipe(duplex=False)
            arguments = (index, count, spec, pictures, output, numbers[index::count], done, sender)
            process = context.Process(target=_work, args=arguments)
            process.start()
            sender.close()
            running.append((process, receiver))
        with working(f"describing {pictures.name}", total=total) as work:
            while any(process.exitcode is None for process, _ in running):
                wait(
                    [process.sentinel for process, _ in running if process.exitcode is None],
                    _POLL_S,
                )
                work.move_to(sum(done))
                _check(running)
        _check(running)
    finally:
        for process, _ in running:
            process.terminate()
        for process, receiver in running:
            process.join()
            receiver.close()


def _check(running: Sequence[tuple[Any, Connection]]) -> None:
    for index, (process, receiver) in enumerate(running):
        if process.exitcode:
            raise _death(index, len(running), process.exitcode, receiver)


def _death(index: int, count: int, exitcode: int, receiver: Connection) -> UserError:
    try:
        if receiver.poll():
            return UserError(str(receiver.recv()))
    except (EOFError, OSError):  # it died before it could say why
        pass
    how = f"by signal {-exitcode}" if exitcode < 0 else f"with status {exitcode}"
    return UserError(
        f"process {index} of {count} died {how}, perhaps for want of memory; the parts that are "
        "finished stay, and the same command goes on"
    )


def _work(
    index: int,
    count: int,
    spec: DescriberSpec,
    pictures: Pictures,
    output: Output,
    numbers: Sequence[int],
    done: Any,
    sender: Connection,
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        describer = spec.build(index=index)
        if describer.device.type == "cpu":
            torch.set_num_threads(max(1, torch.get_num_threads() // count))
        for pictures_done in PartitionDescriber(describer, pictures, output)(numbers):
            done[index] += pictures_done
    except UserError as error:
        sender.send(str(error))
        sys.exit(1)


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
