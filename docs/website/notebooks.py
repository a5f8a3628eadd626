"""A notebook as Markdown: its text, its code, and what the code gave."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

PICTURES = {"image/png": "png", "image/jpeg": "jpg"}


def to_markdown(notebook: Path, pictures: Path) -> str:
    """The Markdown of an executed notebook. Its pictures go into the folder `pictures`, which lies beside the page."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    parts = []
    for number, cell in enumerate(cells):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
        elif cell["cell_type"] == "code":
            parts.append(f"```python\n{source}\n```")
            outputs = cell["outputs"]
            parts += [_output(output, pictures, f"{number}_{place}") for place, output in enumerate(outputs)]
    return "\n\n".join(parts) + "\n"


def _output(output: dict[str, Any], pictures: Path, name: str) -> str:
    data = output.get("data", {})
    for kind, ending in PICTURES.items():
        if kind in data:
            pictures.mkdir(parents=True, exist_ok=True)
            file = pictures / f"{name}.{ending}"
            file.write_bytes(base64.b64decode(data[kind]))
            return f"![what the cell above draws]({pictures.name}/{file.name})"
    text = "".join(output.get("text") or data["text/plain"])
    return f"```text\n{text.rstrip()}\n```"
