"""handloom view: frames as pictures."""

from pathlib import Path

from console.arguments import Data, Json, parse_call
from console.output import print_result
from frames.errors import BadInput


def run_view(arguments: list[str]) -> int:
    """handloom view DATA [--out sheet.png|page.html]"""

    def view(
        data: Data,
        out: Path = Path("sheet.png"),
        count: int = 0,
        first: int = -1,
        split: str = "",
        json: Json = False,
    ) -> int:
        """Draw frames: a contact sheet (.png) or a page to leaf through in a browser (.html).

        Args:
            out: Picture or page to write.
            count: Frames to show; 0 for 24 on a sheet and 200 on a page.
            first: Show consecutive frames from this one; -1 for frames spread over the dataset.
            split: Show only frames of this split; first counts from its beginning.
        """
        import numpy as np

        from frames.dataset import open_dataset
        from frames.page import write_page
        from frames.sheet import draw_sheet, write_picture

        if out.suffix not in (".png", ".html"):
            raise BadInput(f"out must end in .png or .html, got {out}")
        if count < 0:
            raise BadInput(f"count must be >= 0, got {count}")
        dataset = open_dataset(data, partial=True, split=split or None)
        wanted = min(count or (24 if out.suffix == ".png" else 200), len(dataset))
        if not len(dataset):
            raise BadInput(f"{data} has no finished shard yet: run the same command again")
        if not -1 <= first < len(dataset):
            raise BadInput(
                f"first must be below {len(dataset)} (the frames there are), or -1 for frames"
                f" spread over all, got {first}"
            )
        places = np.linspace(0, len(dataset) - 1, wanted).round().astype(int)
        if first >= 0:
            places = np.arange(first, min(first + wanted, len(dataset)))
        shown = [dataset[int(i)] for i in places]
        if out.suffix == ".png":
            columns = min(4, max(1, round(len(shown) ** 0.5)))
            write_picture(draw_sheet(shown, columns, title=str(data)), out)
        else:
            write_page(shown, out, title=str(data))
        print_result(json, f"{out}: {len(shown)} frames", {"out": str(out), "frames": len(shown)})
        return 0

    return int(parse_call(view, "handloom view", arguments)())
