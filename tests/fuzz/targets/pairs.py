"""Lists of pairs of faces, in the forms in which they are published."""

from pathlib import Path

from mtl_dm.data.pairs.lists import read_author_pairs, read_lfw_pairs, read_ytf_pairs
from tests.fuzz.target import Read, Target, exchanged

LFW = "2 1\nAnna 1 2\nAnna 1 Ben 1\nCy 1 2\nCy 1 Dee 3\n"
YTF = "split, number, one, other, same\n1, 1, a/0, a/1, 1\n1, 2, a/0, b/0, 0\n2, 3, c/0, d/1, 0\n"
AUTHORS = "heading\n" + "\n".join(
    f"{n} /x/S{n}/001/S{n}_1.png /x/S{n + n % 2}/001/S{n}_2.png {not n % 2} 1 2 3 True"
    for n in range(12)
)


def prepare(folder: Path) -> tuple[list[bytes], Read]:
    readers = {
        folder / "pairs.txt": read_lfw_pairs,
        folder / "splits.txt": read_ytf_pairs,
        folder / "authors.txt": read_author_pairs,
    }
    for path, text in zip(readers, (LFW, YTF, AUTHORS), strict=True):
        path.write_text(text, encoding="utf-8")
    return exchanged(list(readers), lambda path: readers[path](path))


TARGET = Target(prepare)
