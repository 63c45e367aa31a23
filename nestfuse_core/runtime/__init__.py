"""What computes the fusion network, behind one small interface: torch, or ONNX Runtime without torch."""
