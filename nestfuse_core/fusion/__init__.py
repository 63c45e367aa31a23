"""Fusing pictures, folders and videos."""
