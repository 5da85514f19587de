#!/usr/bin/env python3
"""Runs a command with the corpus directory as its last argument; exit status 77 (skipped) when there is none."""

import os
import subprocess
import sys

corpus = os.environ.get("NTA_CORPUS_DIR", "")
if not corpus:
    print("SKIPPED: NTA_CORPUS_DIR is not set, so no foreign capture was read")
    sys.exit(77)
sys.exit(subprocess.run([*sys.argv[1:], corpus]).returncode)
