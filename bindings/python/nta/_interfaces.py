"""What Python programs implement to take part in a pipeline."""

from __future__ import annotations

import abc
from typing import Iterable, Optional, Union

from . import _nta


class PacketSource(abc.ABC):
    """Where packets come from.

    ``nta.Pipeline`` accepts every object with such a ``read`` method; deriving from this class is
    not required. Optional attributes: ``name`` (str), ``is_live`` (bool: silence means that time
    passes), ``dropped`` (int: packets lost so far, for the ledger).
    """

    @abc.abstractmethod
    def read(self) -> Optional[Iterable[_nta.Packet]]:
        """The next packets in capture order; an empty list when none has come, None at the end."""


class Detector(abc.ABC):
    """Flow events in, alerts out.

    ``nta.Pipeline`` accepts every object with such an ``observe`` method. Two more methods are
    called when they exist: ``advance_to(time)``, time has passed up to ``time`` (nanoseconds), and
    ``finish()``, the traffic has ended; both return alerts as ``observe`` does. ``name`` (str) is
    optional. Alerts without ``id``, ``time`` or ``detector`` get them.
    """

    @abc.abstractmethod
    def observe(
        self, event: _nta.FlowEvent
    ) -> Union[None, _nta.Alert, Iterable[_nta.Alert]]:
        """Looks at one event and returns what it finds: None, one alert or several."""


for _source in (_nta.PcapFileReader, _nta.LiveCapture, _nta.MemorySource, _nta.MultiSource):
    PacketSource.register(_source)
for _detector in (
    _nta.PortScanDetector,
    _nta.BaselineDetector,
    _nta.BeaconDetector,
    _nta.DnsTunnelDetector,
    _nta.ExfiltrationDetector,
    _nta.FlowAnomalyDetector,
    _nta.RarePeerDetector,
):
    Detector.register(_detector)
