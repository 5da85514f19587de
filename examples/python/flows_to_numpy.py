"""flows_to_numpy.py FILE: the destinations that took most bytes, counted on columns."""

import sys

import numpy as np

import nta

flows = nta.read_flows(sys.argv[1])
columns = flows.to_numpy()  # views of the flows' memory, nothing is copied
wire_bytes = columns["forward_wire_bytes"] + columns["reverse_wire_bytes"]

# An address is 16 bytes: as two integers it can be grouped.
pairs = columns["destination_address"].view("u8").reshape(-1, 2)
addresses, group = np.unique(pairs, axis=0, return_inverse=True)
totals = np.zeros(len(addresses), dtype=np.uint64)
np.add.at(totals, group.ravel(), wire_bytes)

busiest = np.argsort(totals)[::-1][:5]
names = nta.format_addresses(np.ascontiguousarray(addresses[busiest]).view("V16").ravel())
for name, total in zip(names, totals[busiest]):
    print(f"{total:>12} {name}")
