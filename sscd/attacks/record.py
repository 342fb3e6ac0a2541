"""What is known of one attacked picture, as a line of a manifest."""

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class AttackedPicture:
    """A picture that was attacked and saved.

    Attributes:
        id: Its id, that of its source.
        source: Where the source lies.
        file: The saved picture, relative to the directory of the attack, as POSIX.
        digest: 64 bits of BLAKE2b of the source file, hexadecimal.
        target_psnr: The PSNR that was asked for, dB.
        psnr: Of the saved file to the source, dB; None where they are equal.
        ssim: The mean structural similarity of both.
        cosine: Of the descriptors of both, by the attacked network.
    """

    id: str
    source: str
    file: str
    digest: str
    target_psnr: float
    psnr: float | None
    ssim: float
    cosine: float

    def line(self) -> str:
        """As one line of JSON, without its end."""
        return json.dumps(dataclasses.asdict(self), allow_nan=False)

    @classmethod
    def parse(cls, line: str) -> Self | None:
        """Read a line; None where it is torn or of another kind."""
        try:
            values = json.loads(line)
            if not isinstance(values, dict):
                return None
            record = cls(**values)
            texts = (record.id, record.source, record.file, record.digest)
            numbers = (record.target_psnr, record.psnr or 0.0, record.ssim, record.cosine)
            whole = all(isinstance(text, str) for text in texts)
            return record if whole and all(map(math.isfinite, numbers)) else None
        except (ValueError, TypeError):
            return None
