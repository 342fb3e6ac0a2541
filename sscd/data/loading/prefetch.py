"""Batches on their way to a GPU while it computes."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from queue import Queue

import torch

from sscd.data.loading.view_batch import ViewBatch


@dataclass(frozen=True)
class _Sent:
    batch: ViewBatch
    arrived: torch.cuda.Event | None


class DevicePrefetcher(Iterator[ViewBatch]):
    """Hands out batches whose views lie on a device, and sends the next one meanwhile.

    A thread takes batches from the workers and copies their views to the device on a stream of its
    own, from pinned memory, so that the copy runs beside the kernels of the step before. One batch
    is under way and one more waits in pinned memory; no more of the device's memory is taken. The
    device alone waits for a copy, never the host. What the host reads of a batch (`contents`,
    `photometric`) stays there.

    Args:
        batches: Batches on the CPU, in pinned memory where the device is a GPU.
        device: Where their views shall lie.
    """

    def __init__(self, batches: Iterator[ViewBatch], device: torch.device) -> None:
        self._batches = batches
        self._device = device
        self._handed: Queue[_Sent | BaseException | None] = Queue()
        self._room = threading.Semaphore(1)
        self._stopped = False
        self._over = False
        self._thread = threading.Thread(target=self._run, name="prefetch", daemon=True)
        self._thread.start()

    def __next__(self) -> ViewBatch:
        if self._over:
            raise StopIteration
        sent = self._handed.get()
        if not isinstance(sent, _Sent):
            self._over = True
            raise StopIteration if sent is None else sent
        self._room.release()
        if sent.arrived is not None:
            computing = torch.cuda.current_stream(self._device)
            computing.wait_event(sent.arrived)
            # The memory is the copying stream's: it must not be used again before the step is done.
            for pixels in sent.batch.pixels.values():
                pixels.record_stream(computing)
        return sent.batch

    def stop(self) -> None:
        """End the thread; it finishes what it is at, a chunk at most."""
        self._stopped = self._over = True
        self._room.release()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        try:
            stream = self._stream()
            for batch in self._batches:
                self._room.acquire()
                if self._stopped:
                    return
                self._handed.put(self._send(batch, stream))
            self._handed.put(None)
        except BaseException as error:  # whoever iterates shall have it
            self._handed.put(error)

    def _stream(self) -> "torch.cuda.Stream | None":
        if self._device.type != "cuda":
            return None
        torch.cuda.set_device(self._device)  # each thread starts on the first one
        return torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]

    def _send(self, batch: ViewBatch, stream: "torch.cuda.Stream | None") -> _Sent:
        if stream is None:
            return _Sent(batch, None)
        with torch.cuda.stream(stream):
            return _Sent(batch.to(self._device), stream.record_event())
