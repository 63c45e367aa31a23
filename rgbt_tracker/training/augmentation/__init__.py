"""Changes to training pairs: copy-paste, distractors, corruptions, light and pseudo-thermal views."""
