"""What both packages need: errors, files, console, devices, memory, checkpoints, pictures and video."""
