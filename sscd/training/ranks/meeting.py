"""What the processes of a launch must agree on before they have a process group."""

import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from torch import distributed
from torch.distributed import DistError
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from sscd.errors import UserError
from sscd.training.run.run_directory import DECIDED

if TYPE_CHECKING:
    from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment

PATIENCE = timedelta(minutes=10)
"""How long ranks wait for the others to start: pods of one job may be scheduled minutes apart."""
_SAY_AFTER = 30.0  # seconds
_ASK = timedelta(seconds=5)
_FAILED = 2  # as `sscd.cli` ends for a UserError


class Meeting:
    """Rank 0 decides, the others follow.

    The store is the one that torch's process group meets at afterwards: rank 0 keeps it (under
    torchrun its agent does), and so it lives as long as this object.

    Args:
        address: The host of rank 0.
        port: The port there.
        rank: This process.
        ranks: How many meet.
        patience: How long to wait for them.
    """

    def __init__(
        self, address: str, port: int, *, rank: int, ranks: int, patience: timedelta = PATIENCE
    ) -> None:
        self.address = address
        self.port = port
        self.rank = rank
        self.ranks = ranks
        self._patience = patience
        self._kept: Store | None = None

    @classmethod
    def of(cls, environment: "ClusterEnvironment") -> "Meeting":
        """The meeting of a launch that gave each process its rank."""
        return cls(
            environment.main_address,
            environment.main_port,
            rank=environment.global_rank(),
            ranks=environment.world_size(),
        )

    def decide(self, question: str, answer: Callable[[], Any]) -> Any:
        """What `answer` gives rank 0, on all ranks.

        Args:
            question: A name, asked once.
            answer: Gives what JSON can hold; runs on rank 0 alone.

        Raises:
            UserError: On rank 0, what `answer` raises; on any, that the others did not come.
            SystemExit: On the other ranks, where rank 0 has said what is wrong.
        """
        store = self._store()
        if self.rank == 0:
            try:
                told = json.dumps({"answer": answer()})
            except UserError:
                store.set(question, json.dumps({"failed": True}))
                raise
            store.set(question, told)
            return json.loads(told)["answer"]
        try:
            heard = json.loads(store.get(question))
        except (DistError, RuntimeError) as error:
            raise UserError(f"rank {self.rank} lost rank 0 at {self.place}") from error
        if "answer" not in heard:
            raise SystemExit(_FAILED)
        return heard["answer"]

    @property
    def place(self) -> str:
        """Host and port, to be read."""
        return f"{self.address}:{self.port}"

    def _store(self) -> Store:
        if self._kept is None:
            url = f"tcp://{self.place}?rank={self.rank}&world_size={self.ranks}"
            with _impatience(f"rank {self.rank} of {self.ranks} waits at {self.place} for others"):
                try:
                    store, _, _ = next(iter(rendezvous(url, timeout=self._patience)))
                except (DistError, RuntimeError) as error:
                    seconds = round(self._patience.total_seconds())
                    raise UserError(
                        f"rank {self.rank} of {self.ranks} found not all others at {self.place} in "
                        f"{seconds} s; check that all have started, and that MASTER_ADDR and "
                        "MASTER_PORT name the host of rank 0 and a port that is free and open there"
                    ) from error
            self._kept = PrefixStore("sscd", store)
        return self._kept


def decide_for_all(meeting: Meeting | None, answer: Callable[[], Any]) -> Any:
    """What `answer` gives the first process, in all processes of a launch.

    Args:
        meeting: Where ranks that were started by a launcher meet; None for a process alone or
            one that starts others itself.
        answer: Gives what JSON can hold.
    """
    if meeting is None and "LOCAL_RANK" in os.environ and DECIDED in os.environ:
        return json.loads(os.environ[DECIDED])
    decided = meeting.decide("decided", answer) if meeting else answer()
    if "LOCAL_RANK" not in os.environ:  # it may start others, which inherit this
        os.environ[DECIDED] = json.dumps(decided)
    return decided


@contextmanager
def one_voice(meeting: Callable[[], Meeting | None]) -> Iterator[None]:
    """Let the first rank alone say what is wrong, where all of them would.

    Args:
        meeting: Gives where the ranks have met before their process group, if they have.

    Raises:
        UserError: The first time that any rank raises one of these words; also where a rank has
            lost another, which torch reports by a page.
        SystemExit: Another rank has said it.
    """
    try:
        yield
    except UserError as error:
        if not _is_first(str(error), _met(meeting())):
            raise SystemExit(_FAILED) from error
        raise
    except RuntimeError as error:
        met = _met(meeting())
        if met is None or not _is_lost(error):
            raise
        message = "another rank has stopped; see its own message, above or in its log"
        if not _is_first(message, met):
            raise SystemExit(_FAILED) from error
        raise UserError(message) from error


def _met(meeting: Meeting | None) -> tuple[str, int] | None:
    if meeting is not None:
        return meeting.address, meeting.port
    if distributed.is_initialized() and os.environ.get("MASTER_PORT", "").isdigit():
        return os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return None


def _is_lost(error: RuntimeError) -> bool:
    text = str(error)
    signs = ("Connection closed by peer", "Connection reset by peer", "ncclRemoteError")
    return isinstance(error, distributed.DistNetworkError) or any(sign in text for sign in signs)


def _is_first(message: str, met: tuple[str, int] | None) -> bool:
    """Whether no rank has said this yet; true where there are no others to ask."""
    if met is None:
        return True
    words = hashlib.blake2b(message.encode(), digest_size=16).hexdigest()
    try:
        store = distributed.TCPStore(  # type: ignore[attr-defined]
            *met, is_master=False, wait_for_workers=False, timeout=_ASK
        )
        return bool(PrefixStore("sscd", store).add(words, 1) == 1)
    except (DistError, RuntimeError):
        return True


@contextmanager
def _impatience(message: str) -> Iterator[None]:
    def say() -> None:
        print(f"sscd: {message}", file=sys.stderr, flush=True)  # noqa: T201

    timer = threading.Timer(_SAY_AFTER, say)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
