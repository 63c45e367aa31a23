"""Heads: fused template and search features to class scores and box parameters."""
