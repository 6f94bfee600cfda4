"""What the Clothing Attribute Dataset labels, and in which files."""

from __future__ import annotations

from mtl_dm.tasks import Task

FOLDER = "ClothingAttributeDataset"
"""Name of the released folder."""

IMAGES = 1856
"""Number of images published."""

CATEGORY_FILE = "category"
CATEGORIES = ("shirt", "sweater", "t_shirt", "outerwear", "suit", "tank_top", "dress")
"""The categories; value v of the file is entry v - 1."""

# File -> attribute; value 2 is active, 1 is not. The order is that of the released README.
BINARY_FILES = {
    "necktie": "necktie",
    "collar": "collar",
    "gender": "female",  # value 2 is female, so the name says what active means
    "placket": "placket",
    "skin_exposure": "high_skin_exposure",
    "scarf": "scarf",
    "pattern_solid": "solid_pattern",
    "pattern_floral": "floral_pattern",
    "pattern_spot": "spotted_pattern",
    "pattern_graphics": "graphics_pattern",
    "pattern_plaid": "plaid_pattern",
    "pattern_stripe": "striped_pattern",
    "red": "red",
    "yellow": "yellow",
    "green": "green",
    "cyan": "cyan",
    "blue": "blue",
    "purple": "purple",
    "brown": "brown",
    "white": "white",
    "gray": "gray",
    "black": "black",
    "many_colors": "many_colors",
}

# File -> attributes, one against the rest; value v of the file makes entry v - 1 active.
ONE_VS_REST_FILES = {
    "sleevelength": ("no_sleeves", "short_sleeves", "long_sleeves"),
    "neckline": ("v_shape_neckline", "round_neckline", "other_neckline"),
}

ATTRIBUTES = (
    *BINARY_FILES.values(),
    *(attribute for group in ONE_VS_REST_FILES.values() for attribute in group),
)
"""The 29 attributes, in the order of every label array."""

VALUES = {
    **dict.fromkeys(BINARY_FILES, 2),
    **{name: len(group) for name, group in ONE_VS_REST_FILES.items()},
    CATEGORY_FILE: len(CATEGORIES),
}
"""Label file (without its ending) -> number of values, counted from 1 in the file."""

TASKS = (
    Task.multiclass("category", CATEGORIES),
    Task.multilabel("attributes", ATTRIBUTES),
)
