"""Make the writers of tiny sequences (tests/rgbt_tracker/sequences/sequence_files.py) importable here too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sequences"))
