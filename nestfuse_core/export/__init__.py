"""The fusion network as ONNX graphs: tracing it, checking the graphs against torch, and writing them."""
