"""Results of trackers: one trajectory, its reader, its finder and its writer."""
