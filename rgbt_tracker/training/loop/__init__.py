"""The training loop: what a run starts from, its steps, what it leaves behind, and how it goes on."""
