"""Shoes (SADD): ten types of women's shoes and ten attributes."""

from mtl_dm.datasets.shoes_sadd.builder import ShoesSadd, ShoesSaddConfig

__all__ = ["ShoesSadd", "ShoesSaddConfig"]
