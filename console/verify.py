"""handloom verify: check a dataset."""

from console.arguments import Data, Json, parse_call
from console.output import complain, print_result
from console.progress import Bar
from frames.errors import BadInput


def run_verify(arguments: list[str]) -> int:
    """handloom verify DATA [--rerender K] [--shard-range I/N]"""

    def verify(
        data: Data,
        rerender: int = 0,
        pick: int = 0,
        checksums: bool = True,
        labels: bool = True,
        split: str = "",
        shard_range: str = "1/1",
        json: Json = False,
    ) -> int:
        """Check a dataset: SHA-256, schema, missing shards, every label against its images.

        Args:
            rerender: Render this many random frames again and compare their bytes.
            pick: Seed of the choice of those frames.
            checksums: Compare every shard with its SHA-256.
            labels: Decode every image and check every label.
            split: Check only the frames of this split and the shards they are in.
            shard_range: I/N: check only the I-th of N equal parts, for several machines at once;
                together they find what one would. Frames to render again are drawn from the whole
                dataset, whatever the split or part: give parts their own --pick.
        """
        from frames.checks.verify import verify_dataset
        from frames.engines.filling import parse_range
        from frames.store.folder import META_NAME, count_shards, find_shards, read_meta
        from frames.store.splits import find_split
        from synth.rerender import rerender as render_again

        if rerender < 0:
            raise BadInput(f"rerender must be >= 0 frames, got {rerender}")
        meta = read_meta(data)
        shards = count_shards(meta)
        if split:
            shards = len(find_shards(meta, find_split(meta, split, data / META_NAME)))
        shards = len(parse_range(shard_range, shards))
        with Bar("shards", quiet=json) as bar:
            bar.begin(shards, 0)
            report = verify_dataset(
                *(data, checksums, labels, lambda done, total: bar.advance(1)),
                *(split or None, shard_range),
            )
        problems = [*report.problems]
        if rerender:
            try:
                problems += render_again(data, rerender, pick)
            except BadInput as error:  # what was found before must be told too
                problems.append(str(error))
        for problem in problems:
            complain(problem)
        again = f", {rerender} rendered again to the byte" if rerender and not problems else ""
        plural = "" if len(problems) == 1 else "s"
        verdict = f"{len(problems)} problem{plural}" if problems else "sound"
        text = f"{data}: {report.frames:,} frames in {report.shards:,} shards{again}: {verdict}"
        result = {"frames": report.frames, "shards": report.shards, "problems": problems}
        print_result(json, text, result)
        return 2 if problems else 0

    return int(parse_call(verify, "handloom verify", arguments)())
