"""What libraries say about themselves while we train, and what of it is not for the user."""

import logging
import warnings

_NOT_FOR_THE_USER = (
    r".*isinstance\(treespec, LeafSpec\)",  # Lightning's own use of torch
    r".*You have overridden `transfer_batch_to_device`",  # on purpose
    r".*Checkpoint directory .* exists and is not empty",  # that of a resumed run is
    r".*smaller than the logging interval",  # the last step of an epoch is logged in any case
    r".*recommended to use `self.log\(.*sync_dist=True",  # validation's are the same on all ranks
    r".*module\(s\) in eval mode at the start of training",  # batch norm, frozen on request
)


def quieten() -> None:
    """Silence what libraries say about themselves; what concerns the training stays."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    for message in _NOT_FOR_THE_USER:
        warnings.filterwarnings("ignore", message=message)
