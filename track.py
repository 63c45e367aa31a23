"""Follow one target through an RGB-thermal sequence; ``python track.py --help`` lists the options."""

from rgbt_tracker.cli.track import main

if __name__ == "__main__":
    main()
