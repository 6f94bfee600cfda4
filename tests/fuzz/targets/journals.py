"""What an alignment keeps: journals and settings; and the boxes that it is given."""

from pathlib import Path

from data_prep.faces import folder as aligned
from data_prep.faces.boxes import read_boxes
from data_prep.faces.one_image import Options
from data_prep.faces.records import Record, faces_csv
from data_prep.faces.worker import journal_folder
from tests.datasets.fakes import write_image
from tests.fuzz.target import Read, Target, exchanged


def prepare(folder: Path) -> tuple[list[bytes], Read]:
    source, target = folder / "photos", folder / "faces"
    size = write_image(source / "a.jpg", 0).stat().st_size
    write_image(target / "a.jpg", 0)
    corners = (0.0, 0.0, 9.5, 9.0)
    record = Record("a.jpg", size, None, "a.jpg", None, corners, (1.0,) * 10, 0.9, 1, True)
    journal = journal_folder(target) / "one.jsonl"
    journal.parent.mkdir(parents=True)
    journal.write_text(record.to_line(), encoding="utf-8")
    plan = aligned.plan(source, target, {})
    aligned.begin(plan, "dots", Options())
    settings = target / "_align" / "options.json"
    boxes = folder / "boxes.csv"
    boxes.write_text('path,left,top,right,bottom\na.jpg,1,2,3.5,4\n"b, c.jpg",0,0,1,1\n')

    def read_journal(path: Path) -> None:
        del path
        # What is known of a face ends in a table.
        faces_csv(aligned.plan(source, target, {}).done.values())

    readers = {
        journal: read_journal,
        settings: lambda _: aligned.begin(plan, "dots", Options()),
        boxes: read_boxes,
    }
    return exchanged(list(readers), lambda path: readers[path](path))


TARGET = Target(prepare)
