"""A release of the application, in a folder of its own, so that the one before serves until this one may.

Where the version is one that we know, each file that is installed is one that it was tested with: a package index, or a
mirror of one, can refuse to give it and can do no other harm. What users add comes as the index has it.
"""
import base64
import glob
import hashlib
import json
import os
import re
import shutil
import zipfile

import machine
from machine import run, write

RELEASES = "/opt/ils/releases"
# what no server process imports: a quarter of all modules. They work as they are, only slower at their first import
UNUSED = "/(IPython|jedi|parso|pip|prompt_toolkit|pygments/lexers|setuptools|testing|tests?|wcwidth)/"
# 96 bits of a SHA-256, and all of them, in URL-safe Base64
SHORT, WHOLE = 16, 43
# what installs the rest, for x86_64 and aarch64
UV = """uv==0.13.9 \
 --hash=sha256:d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19 \
 --hash=sha256:5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe
"""


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
        # what users add may need what no version was tested with
        all_known = bool(known) and about["package"] == "invenio-app-ils" and not about.get("extra_packages")
        install(context, program, wanted, known, all_known, more)
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


def install(context, program, wanted, known, all_known, more):
    shutil.rmtree(program, ignore_errors=True)
    machine.folder(RELEASES, mode=0o755)
    os.makedirs(program + "/built", mode=0o755)
    run("python3", "-m", "venv", "--without-pip", program + "/venv")
    # as `ensurepip` does, which takes seconds more to compile all of it
    with zipfile.ZipFile(max(glob.glob("/usr/share/python-wheels/pip-*.whl"))) as pip:
        pip.extractall(*glob.glob(program + "/venv/lib/python3*/site-packages"))
    env = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CERT": "/etc/ssl/certs/ca-certificates.crt", "TMPDIR": program, "PIP_NO_INPUT": "1",
           "PIP_NO_CACHE_DIR": "1", "PIP_QUIET": "1"}
    if context.packages.get("index_url"):
        env["PIP_INDEX_URL"] = context.packages["index_url"]
    env.update(settings(program, env))
    limits = []
    exact = "".join(f"{name}=={number}\n" for name, (number, _) in sorted(known.items()))
    for name, text in (("constraints.txt", exact), ("more.txt", more)):
        if text and not text.startswith(("http://", "https://")):
            write(f"{program}/{name}", text, mode=0o644)
            limits += ["-c", f"{program}/{name}"]
        elif text:
            limits += ["-c", text.strip()]
    try:
        fetch(program, "uv.txt", UV, "install", env)
        add(program, limits, ["setuptools<80", "wheel"], known, all_known, env)
        # packages that have no wheel run a program of theirs while they are installed: pip looks at these before it opens them
        sources = "".join(f"{name}=={number} --hash=sha256:{base64.urlsafe_b64decode(sums[0] + '=').hex()}\n"
                          for name, (number, sums) in known.items() if sums and len(sums[0]) == WHOLE)
        if sources:
            fetch(program, "sources.txt", sources, "wheel", env, "--no-build-isolation", "-w", program + "/built")
        add(program, limits, wanted, known, all_known, env)
        run(program + "/venv/bin/uv", "pip", "check", "-p", program + "/venv", env=env)
        # users of these cannot write here, so each start of theirs would compile again
        run(program + "/venv/bin/python", "-m", "compileall", "-q", "-j", "0", "-x", UNUSED, program + "/venv/lib", check=False)
    except machine.Trouble as why:
        lines = [line.strip() for line in str(why).splitlines() if line.strip()]
        told = next((line for line in lines if line.startswith("cause: ")), lines[-1]).removeprefix("cause: ")[:180]
        raise machine.Trouble(f"{wanted[0]} cannot be installed, so what served before serves on; it is tried again every half minute. See that "
                              f"machines reach the package index (`packages.index_url`), or set `version` back: {told}") from None
    for folder in ("cache", "built"):
        shutil.rmtree(f"{program}/{folder}", ignore_errors=True)
    # root made it while others could not look: now they may
    run("chmod", "-R", "a+rX", program)
    write(program + "/.complete", "\n".join(wanted) + "\n", mode=0o644)


def settings(program, env):
    """For uv, which does most of it in half of pip's time, what pip is told on this machine: by us or by who made its image."""
    # pip's own proxy comes before that of the environment
    words = {"index-url": ["UV_DEFAULT_INDEX"], "extra-index-url": ["UV_INDEX"], "proxy": ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"],
             "cert": ["SSL_CERT_FILE"]}
    # uv gives a connection ten seconds, of which a slow name server behind a proxy may take more
    found = {"UV_CACHE_DIR": program + "/cache", "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1", "UV_HTTP_CONNECT_TIMEOUT": "60"}
    for line in run(program + "/venv/bin/python", "-m", "pip", "config", "list", env={**env, "PIP_QUIET": "0"}).splitlines():
        key, _, value = line.partition("=")
        for word in words.get(key.rpartition(".")[2], ()):
            found[word] = value.strip("'\"").replace("\\n", " ").strip()
    return found


def fetch(program, name, lines, how, env, *more):
    """pip, with files whose whole sums we know and nothing that they need."""
    write(f"{program}/{name}", lines, mode=0o644)
    again(program + "/venv/bin/python", "-m", "pip", how, "--require-hashes", "--no-deps", *more, "-r", f"{program}/{name}", env=env)


def add(program, limits, what, known, all_known, env):
    """Finds out which packages are needed and the sums of their files, leaves those that we know, and installs nothing else."""
    uv, files = [program + "/venv/bin/uv", "pip"], f"{program}/files.txt"
    wheels = ["-p", program + "/venv", "--find-links", program + "/built", *(f"--only-binary={name}" for name in sorted(known))]
    write(f"{program}/wanted.txt", "\n".join(what) + "\n", mode=0o644)
    again(*uv, "compile", "-q", *wheels, *limits, "--generate-hashes", "--no-header", "--no-annotate", "-o", files, f"{program}/wanted.txt", env=env)
    write(files, vetted(machine.read(files), program + "/built", known, all_known), mode=0o644)
    again(*uv, "install", "-q", "--no-deps", *wheels, "-r", files, env=env)


def vetted(resolved, built, known, all_known):
    """Requirements with their sums. Of a package that is pinned only the sums that we know, whatever its version is called, and of
    what we built ourselves; others only if there may be others."""
    ours = [sum_of(f"{built}/{name}") for name in os.listdir(built)]
    lines = []
    for one in re.split(r"\n(?=[^\s#])", resolved.strip()):
        what = one.split("--hash=")[0].rstrip(" \\\n")
        sums = re.findall(r"--hash=sha256:([0-9a-f]{64})", one)
        name = re.sub(r"[-_.]+", "-", re.match(r"[\w.-]*", what)[0]).lower()
        if name in known:
            tested = ours + [pin[:SHORT] for pin in known[name][1]]
            sums = [it for it in sums if short(bytes.fromhex(it)) in tested]
            if not sums:
                raise machine.Trouble(f"{what} of the index is not the file that this version was tested with")
        elif all_known:
            raise machine.Trouble(f"{what} of the index is none of the packages that this version was tested with")
        lines.append(" ".join([what, *(f"--hash=sha256:{it}" for it in sums)]) + "\n")
    return "".join(lines)


def short(digest):
    return base64.urlsafe_b64encode(digest).decode()[:SHORT]


def sum_of(path):
    with open(path, "rb") as file:
        return short(hashlib.file_digest(file, "sha256").digest())


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
