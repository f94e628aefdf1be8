"""The windows of the series that a forecaster is trained and validated on.

Imports torch only. Each series is a file of float64 numbers, oldest first, which the parent has checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from runners.worker.errors import JobError
from runners.worker.messages import Forecast

Item = tuple[Tensor, Tensor, Tensor]  # a window of values, its time frame, the value after it


@dataclass(frozen=True, slots=True)
class Split:
    """The windows of both parts. No window of `validation` forecasts a value that `train` contains."""

    train: "Windows"
    validation: "Windows"


class Windows(Dataset[Item]):  # type: ignore[misc]  # torch is Any here
    """Windows of some series: `starts` has (time frame, index of the first value) of each."""

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
    """All indices in an order that depends on seed and epoch only, so that a resumed training repeats it."""

    def __init__(self, size: int, seed: int, *, every_epoch: bool) -> None:
        self._size, self._seed, self._every_epoch = size, seed, every_epoch
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning at the start of each epoch."""
        self._epoch = epoch if self._every_epoch else 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed((self._seed * 100_003 + self._epoch) % 2**63)
        return iter(torch.randperm(self._size, generator=generator).tolist())


def read_split(job: Forecast) -> Split:
    """The windows of the job's series, each scaled to mean 0 and deviation 1 of its training part."""
    window, share = job.window, job.validation_share
    series: list[Tensor] = []
    train: list[tuple[int, int]] = []
    validation: list[tuple[int, int]] = []
    for frame, (name, path) in enumerate(job.series.items()):
        values = torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.float64)
        cut = len(values) - max(1, round(share * len(values)))
        series.append(_scaled(name, values, cut))
        train += [(frame, start) for start in range(cut - window)]
        validation += [(frame, start) for start in range(cut - window, len(values) - window)]
    return Split(Windows(series, train, window), Windows(series, validation, window))


def loader(windows: Windows, batch_size: int, seed: int, *, every_epoch: bool) -> DataLoader[Item]:
    """Batches of mixed time frames in a seeded order, a new one each epoch if `every_epoch`."""
    sampler = Shuffled(len(windows), seed, every_epoch=every_epoch)
    return DataLoader(windows, batch_size=batch_size, sampler=sampler)


def _scaled(name: str, values: Tensor, cut: int) -> Tensor:
    mean, deviation = values[:cut].mean(), values[:cut].std()
    if not bool(deviation > 0):
        raise JobError("constant series", f"the training part of {name} is one value throughout")
    return ((values - mean) / deviation).float()
