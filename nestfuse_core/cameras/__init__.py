"""What two cameras deliver: their frames, when each was taken, and which belong together."""
