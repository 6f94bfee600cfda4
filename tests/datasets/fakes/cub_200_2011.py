"""Writes a tiny CUB-200-2011: few images, all species and attributes."""

from pathlib import Path

from mtl_dm.datasets.cub_200_2011._names import ATTRIBUTES, SPECIES
from tests.datasets.fakes import Layout, write_image

# Id, class, path, training, box (x, y, width, height); images are 16 wide and 24 high.
IMAGES = [
    (1, 1, "001.Black_footed_Albatross/Black_Footed_Albatross_0001_796111.jpg", 0, (2, 3, 8, 16)),
    (2, 1, "001.Black_footed_Albatross/Black_Footed_Albatross_0002_55.jpg", 1, (0, 0, 16, 24)),
    (3, 17, "017.Cardinal/Cardinal_0001_17057.jpg", 1, (4, 4, 10, 12)),
    (4, 200, "200.Common_Yellowthroat/Common_Yellowthroat_0001_190400.jpg", 1, (1, 2, 12, 12)),
    (5, 73, "073.Blue_Jay/Blue_Jay_0001_63260.jpg", 0, (0, 5, 9, 9)),
]


def attribute(image: int, number: int) -> tuple[int, int]:
    """Whether attribute `number` is present in an image, and the certainty."""
    return (image + number) % 2, 1 + (image + number // 2) % 4


def attribute_lines(ids) -> list[str]:
    return [
        f"{image} {number} {attribute(image, number)[0]} {attribute(image, number)[1]} 1.509"
        for image in ids
        for number in range(1, 313)
    ]


def write_lines(path: Path, lines) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(map(str, lines)) + "\n")
    return path


def write_cub(parent: Path, names: str = "../attributes.txt") -> Path:
    """Write the release; `names` says where attributes.txt is. Return the folder around it."""
    folder = parent / "birds" / "CUB_200_2011"
    write_lines(folder / "images.txt", [f"{key} {path}" for key, _, path, _, _ in IMAGES])
    write_lines(folder / "image_class_labels.txt", [f"{e[0]} {e[1]}" for e in IMAGES])
    write_lines(folder / "train_test_split.txt", [f"{e[0]} {e[3]}" for e in IMAGES])
    boxes = [f"{e[0]} " + " ".join(f"{value:.1f}" for value in e[4]) for e in IMAGES]
    write_lines(folder / "bounding_boxes.txt", boxes)
    species = enumerate(SPECIES, start=1)
    write_lines(folder / "classes.txt", [f"{key} {key:03d}.{name}" for key, name in species])
    lines = [f"{key} {name}" for key, name in enumerate(ATTRIBUTES, start=1)]
    write_lines(folder / names, lines)
    write_lines(folder / "attributes" / "image_attribute_labels.txt", attribute_lines(range(1, 6)))
    for key, _, path, _, _ in IMAGES:
        write_image(folder / "images" / path, key)
    return folder.parent


LAYOUTS = {
    "attributes.txt beside": Layout(write_cub, {"train": 3, "test": 2}),
    "attributes.txt inside": Layout(
        lambda parent: write_cub(parent, "attributes/attributes.txt") / "CUB_200_2011",
        {"train": 3, "test": 2},
    ),
}
