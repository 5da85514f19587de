"""flows_to_parquet.py CAPTURE PARQUET: flows to Parquet through Arrow (needs pyarrow)."""

import sys

import pyarrow
import pyarrow.parquet

import nta

flows = nta.read_flows(sys.argv[1])
pyarrow.parquet.write_table(pyarrow.table(flows), sys.argv[2])
print(f"{len(flows)} flows written")
