"""What computes a tracker's network, behind one small interface: torch, or ONNX Runtime without torch."""
