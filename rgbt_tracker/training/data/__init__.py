"""What training pairs are drawn from, and how they become batches."""
