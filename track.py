"""Follow one target through an RGB-thermal sequence; ``python track.py --help`` lists the options."""

from nestfuse_core.common.guard import run

if __name__ == "__main__":
    run("rgbt_tracker.cli.track:script")
