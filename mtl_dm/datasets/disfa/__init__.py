"""DISFA: action units of every frame of 27 people watching a video."""

from mtl_dm.datasets.disfa.builder import Disfa

__all__ = ["Disfa"]
