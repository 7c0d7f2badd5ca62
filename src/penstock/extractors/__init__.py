"""Networks that metrics look through, as ONNX files with a name and a digest."""
