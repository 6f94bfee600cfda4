"""RAF-DB: basic and compound expressions of faces found by web search."""

from mtl_dm.datasets.raf_db.builder import RafDb

__all__ = ["RafDb"]
