"""Losses, schedules, which layers train, and their moving average."""
