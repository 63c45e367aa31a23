"""What tracking leaves behind: result files, overlay videos, a window."""
