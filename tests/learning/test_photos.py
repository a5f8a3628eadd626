"""Which photographs are trained on."""

import csv

from PIL import Image

from harmonizer.learning.photos import read_photos
from harmonizer.samples import is_held_out


def test_a_copy_of_a_held_out_photograph_is_not_trained_on(photo_folder, tmp_path):
    for file in photo_folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    rows = list(csv.DictReader((tmp_path / "index.csv").read_text().splitlines()))
    tested = next(row for row in rows if is_held_out(row["image"]))
    trained = next(row for row in rows if not is_held_out(row["image"]))
    copies = ["copy_a.png", "copy_b.png", "copy_c.png"]
    assert not any(map(is_held_out, copies))
    with Image.open(tmp_path / tested["image"]) as picture:
        picture.save(tmp_path / copies[0])
        picture.point([round(0.6 * value + 30) for value in range(256)] * 3).save(tmp_path / copies[1])
    with Image.open(tmp_path / trained["image"]) as picture:
        picture.save(tmp_path / copies[2])  # two of those trained on may be alike
    (tmp_path / "index.csv").unlink()
    lines = [f"{row['image']},{row['mask']}" for row in rows] + [f"{copy},{rows[0]['mask']}" for copy in copies]
    (tmp_path / "index.csv").write_text("\n".join(["image,mask", *lines]))
    before, after = (len(read_photos(folder, held_out=False)) for folder in (photo_folder, tmp_path))
    assert after == before + 1
    assert len(read_photos(tmp_path, held_out=True)) == len(rows) - before
