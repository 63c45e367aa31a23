"""Fuse infrared and visible images, folders of them, or videos: python fuse_images.py --ir A --vis B --output C."""

from nestfuse_core.common.guard import run

if __name__ == "__main__":
    run("nestfuse_core.cli:script")
