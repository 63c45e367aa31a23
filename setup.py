"""The part of the packaging that pyproject.toml has no words for: the folder configs/ is a package of another name."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["nestfuse_core*", "rgbt_tracker*"]), "rgbt_tracker.configs"],
    package_dir={"rgbt_tracker.configs": "configs"},
)
