"""The local demo page: choose a pair, draw a box, watch both modalities track, fuse a frame."""
