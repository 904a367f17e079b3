"""A release of the application, in a folder of its own, so that the one before serves until this one may.

Where the version is one that we know, each file that is installed is one that it was tested with: a package index, or a
mirror of one, can refuse to give it and can do no other harm. What users add comes as the index has it.
"""
import base64
import hashlib
import json
import os
import re
import shutil

import machine
from machine import run, write

RELEASES = "/opt/ils/releases"
# 96 bits of a SHA-256, and all of them, in URL-safe Base64
SHORT, WHOLE = 16, 43


def installed(context):
    """The folder of the release that this machine shall run, made if need be."""
    thing = context.thing
    about = thing["application"]
    # `lorem` is imported whether or not there is demonstration data
    wanted = [f"invenio-app-ils[lorem,opensearch2]=={thing['version']}"]
    if about["package"] != "invenio-app-ils":
        wanted.append(about["package"])
    # resolved together: by itself the store's package would pull in what this version cannot work with
    wanted += ["invenio-s3", "gunicorn"] + list(about.get("extra_packages") or [])
    known = pins(thing["version"])
    more = about.get("constraints") or ""
    print_of = hashlib.sha256(json.dumps([wanted, known, more]).encode()).hexdigest()[:12]
    program = f"{RELEASES}/{thing['version']}-{print_of}"
    if not os.path.exists(program + "/.complete"):
        install(context, program, wanted, known, more)
    return program


def pins(version):
    """What this version was tested with: of the newest all, of an older one what differs from that. Nothing of others.

    Gives for each package its version and the sums of its files: the beginning of each wheel's, all of a source's."""
    older, newest = f"constraints-{version}.txt", "constraints-9.0.1.txt"
    if not os.path.exists(f"{os.path.dirname(os.path.abspath(__file__))}/{older}"):
        return {}
    found = {}
    for line in machine.shared_file(newest).splitlines() + machine.shared_file(older).splitlines():
        exact, _, sums = line.partition(" # ")
        name, equal, number = exact.partition("==")
        if equal:
            found[name] = (number, sums.split())
    return found


def install(context, program, wanted, known, more):
    shutil.rmtree(program, ignore_errors=True)
    machine.folder(RELEASES, mode=0o755)
    os.makedirs(program, mode=0o755)
    run("python3", "-m", "venv", program + "/venv")
    env = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CERT": "/etc/ssl/certs/ca-certificates.crt", "TMPDIR": program, "PIP_NO_INPUT": "1",
           "PIP_NO_CACHE_DIR": "1", "PIP_QUIET": "1"}
    if context.packages.get("index_url"):
        env["PIP_INDEX_URL"] = context.packages["index_url"]
    limits = []
    exact = "".join(f"{name}=={number}\n" for name, (number, _) in sorted(known.items()))
    for name, text in (("constraints.txt", exact), ("more.txt", more)):
        if text and not text.startswith(("http://", "https://")):
            write(f"{program}/{name}", text, mode=0o644)
            limits += ["-c", f"{program}/{name}"]
        elif text:
            limits += ["-c", text.strip()]
    try:
        add(program, limits, ["setuptools<80", "wheel"], known, env)
        build(program, known, env)
        add(program, limits, wanted, known, env)
        run(program + "/venv/bin/pip", "check", env=env)
    except machine.Trouble as why:
        told = [line for line in str(why).splitlines() if line.strip()][-1][-180:]
        raise machine.Trouble(f"{wanted[0]} cannot be installed, so what served before serves on; it is tried again every half minute. See that "
                              f"machines reach the package index (`packages.index_url`), or set `version` back: {told}") from None
    for folder in ("files", "built"):
        shutil.rmtree(f"{program}/{folder}", ignore_errors=True)
    # root made it while others could not look: now they may
    run("chmod", "-R", "a+rX", program)
    write(program + "/.complete", "\n".join(wanted) + "\n", mode=0o644)


def build(program, known, env):
    """Packages that have no wheel run a program of theirs while they are installed: pip looks at these before it opens them."""
    lines = [f"{name}=={number} --hash=sha256:{base64.urlsafe_b64decode(sums[0] + '=').hex()}\n"
             for name, (number, sums) in known.items() if sums and len(sums[0]) == WHOLE]
    if lines:
        write(f"{program}/sources.txt", "".join(lines), mode=0o644)
        again(program + "/venv/bin/pip", "wheel", "--require-hashes", "--no-deps", "--no-build-isolation", "-w", program + "/built",
              "-r", f"{program}/sources.txt", env=env)


def add(program, limits, what, known, env):
    """Fetches packages with all that they need, looks at each file, and only then installs them."""
    pip, files, built = program + "/venv/bin/pip", program + "/files", program + "/built"
    os.makedirs(built, exist_ok=True)
    wheels = ["--only-binary", ",".join(sorted(known))] if known else []
    again(pip, "download", "-d", files, "--find-links", built, *wheels, *limits, *what, env=env)
    look(files, built, known)
    run(pip, "install", "--no-deps", *(f"{files}/{name}" for name in sorted(os.listdir(files))), env=env)


def look(files, built, known):
    """Refuses a file of a package that is pinned, whatever its version is called, unless we know it or built it ourselves."""
    ours = [sum_of(f"{built}/{name}") for name in os.listdir(built)]
    for name in sorted(os.listdir(files)):
        project = name.split("-")[0] if name.endswith(".whl") else name.rsplit("-", 1)[0]
        pinned = known.get(re.sub(r"[-_.]+", "-", project).lower())
        if pinned and sum_of(f"{files}/{name}") not in ours + [one[:SHORT] for one in pinned[1]]:
            raise machine.Trouble(f"{name} is not the file that this version was tested with")


def sum_of(path):
    with open(path, "rb") as file:
        return base64.urlsafe_b64encode(hashlib.file_digest(file, "sha256").digest()).decode()[:SHORT]


def again(*command, env):
    """Once more after a bad moment of the index."""
    if not machine.works(*command, env=env):
        run(*command, env=env)


def tidy(program):
    """The release before stays for a way back; older ones go."""
    if not os.path.isdir(RELEASES):
        return
    others = [f"{RELEASES}/{name}" for name in os.listdir(RELEASES) if f"{RELEASES}/{name}" != program]
    for old in sorted(others, key=os.path.getmtime, reverse=True)[1:]:
        shutil.rmtree(old, ignore_errors=True)
