"""Writes a tiny CelebA with identities, as released and flat."""

from pathlib import Path

from tests.datasets.fakes import Layout, write_image

# Line 2 of list_attr_celeba.txt, written out so that the tests do not lean on the reader's list.
NAMES = (
    "5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose "
    "Black_Hair Blond_Hair Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee "
    "Gray_Hair Heavy_Makeup High_Cheekbones Male Mouth_Slightly_Open Mustache Narrow_Eyes "
    "No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns Smiling "
    "Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace "
    "Wearing_Necktie Young"
)

# Identity -> number of images.
PEOPLE = {2880: 5, 1: 3, 10177: 4, 77: 2, 8: 1}
IDENTITIES = [identity for identity, count in PEOPLE.items() for _ in range(count)]


def attributes(number: int) -> list[int]:
    """Attribute k of image n is active where n + k is divisible by 3."""
    return [1 if (number + place) % 3 == 0 else -1 for place in range(40)]


def attribute_line(number: int) -> str:
    # The released file pads positive values with a second space.
    return f"{number:06d}.jpg " + " ".join(f"{value:2d}" for value in attributes(number))


def write_labels(folder: Path, count: int = len(IDENTITIES)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [str(count), NAMES + " ", *(attribute_line(n) for n in range(1, count + 1))]
    (folder / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    lines = [f"{n:06d}.jpg {identity}" for n, identity in enumerate(IDENTITIES[:count], start=1)]
    (folder / "identity_CelebA.txt").write_text("\n".join(lines) + "\n")


def write_images(folder: Path, count: int = len(IDENTITIES)) -> None:
    for number in range(1, count + 1):
        write_image(folder / f"{number:06d}.jpg", number, 218, 178)


def write_released(parent: Path) -> Path:
    folder = parent / "CelebA"
    write_labels(folder / "Anno")
    write_images(folder / "Img" / "img_align_celeba")
    return folder


def write_flat(parent: Path) -> Path:
    folder = parent / "celeba"
    write_labels(folder)
    write_images(folder / "img_align_celeba")
    return folder


# Held out of 5, 3, 4, 2, 1 images: one each for test and validation, of two only for test.
SPLITS = {"train": 3 + 1 + 2 + 1 + 1, "validation": 3, "test": 4}

LAYOUTS = {"released": Layout(write_released, SPLITS), "flat": Layout(write_flat, SPLITS)}
