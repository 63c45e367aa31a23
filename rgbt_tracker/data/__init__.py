"""Material to train and test on: drawn RGB-thermal sequences and crop sets."""

from rgbt_tracker.data.cropset import CropEntry, CropPair, CropSet

__all__ = ["CropEntry", "CropPair", "CropSet"]
