"""Training of NestFuse's auto-encoder: data, losses, loop, checkpoints, loss curves."""
