"""The windows of the series that a forecaster learns from and is asked about.

torch alone. Each series comes as a file of float64 numbers, oldest first, that the parent has checked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from runners.worker.errors import JobError

Item = tuple[Tensor, Tensor, Tensor]  # a window of values, its time frame, the value after it


@dataclass(frozen=True, slots=True)
class Split:
    """The windows of both parts. No window of `validation` forecasts a value that `train` has seen."""

    train: "Windows"
    validation: "Windows"


class Windows(Dataset[Item]):  # type: ignore[misc]  # torch is Any here
    """Every window of some series: `starts` has (time frame, place of its first value)."""

    def __init__(self, series: list[Tensor], starts: list[tuple[int, int]], window: int) -> None:
        self._series, self._starts, self._window = series, starts, window

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> Item:
        frame, start = self._starts[index]
        end = start + self._window
        values = self._series[frame]
        return values[start:end], torch.tensor(frame), values[end]


class Shuffled(Sampler[int]):  # type: ignore[misc]  # torch is Any here
    """All places in an order that depends on seed and epoch alone, so that a resume goes on with it."""

    def __init__(self, size: int, seed: int, *, every_epoch: bool) -> None:
        self._size, self._seed, self._every_epoch = size, seed, every_epoch
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Lightning tells which epoch begins."""
        self._epoch = epoch if self._every_epoch else 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed((self._seed * 100_003 + self._epoch) % 2**63)
        return iter(torch.randperm(self._size, generator=generator).tolist())


def read_split(data: Mapping[str, Any]) -> Split:
    """The windows of the job's `series`, each brought to mean 0 and deviation 1 by its training part."""
    window, share = data["window"], data["validation_share"]
    series: list[Tensor] = []
    learned: list[tuple[int, int]] = []
    asked: list[tuple[int, int]] = []
    for frame, (name, path) in enumerate(data["series"].items()):
        values = torch.frombuffer(bytearray(Path(path).read_bytes()), dtype=torch.float64)
        cut = len(values) - max(1, round(share * len(values)))
        series.append(_scaled(name, values, cut))
        learned += [(frame, start) for start in range(cut - window)]
        asked += [(frame, start) for start in range(cut - window, len(values) - window)]
    return Split(Windows(series, learned, window), Windows(series, asked, window))


def loader(windows: Windows, batch_size: int, seed: int, *, every_epoch: bool) -> DataLoader[Item]:
    """Batches in a seeded order, another one `every_epoch`; the time frames are mixed in each."""
    sampler = Shuffled(len(windows), seed, every_epoch=every_epoch)
    return DataLoader(windows, batch_size=batch_size, sampler=sampler)


def _scaled(name: str, values: Tensor, cut: int) -> Tensor:
    mean, deviation = values[:cut].mean(), values[:cut].std()
    if not bool(deviation > 0):
        raise JobError("constant series", f"the training part of {name} is one value throughout")
    return ((values - mean) / deviation).float()
