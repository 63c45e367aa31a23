"""Two cameras on one rig: where the thermal one looks in the visible picture, when, and the file that says so."""
