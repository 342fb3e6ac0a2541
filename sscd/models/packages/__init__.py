"""What a trained network leaves the house as: safetensors, ONNX and torch.export, with a card."""
