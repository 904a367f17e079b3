"""OpenSearch's own archive: where it comes from, who vouches for it, and how it comes to lie on the machine."""
import base64
import os
import platform
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

import machine
from machine import run, write

HOME = "/opt/opensearch"
PUBLISHER = "https://artifacts.opensearch.org"
RELEASES = PUBLISHER + "/releases/core/opensearch"
# what https://opensearch.org/verify-signatures/ says of the keys; a key lasts, its end is put off year by year, so it is
# fetched, and known by its fingerprint
SINCE_3 = ("opensearch-release.pgp", "A8B2D9E04CD51FEF6AA2DB53BA81D99981191457")
BEFORE_3 = ("opensearch.pgp", "C5B7498965EFD1C2924BA9D539D319879310D3FC")


def address(context):
    """Where the program comes from: the project itself, or a mirror that has its layout, or one archive by its address."""
    version = context.thing["version"]
    arch = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "x64")
    base, _, pin = (context.packages.get("opensearch_url") or "").partition("#sha256=")
    if base.endswith((".tar.gz", ".tgz")):
        return base, pin
    return f"{(base or RELEASES).rstrip('/')}/{version}/opensearch-min-{version}-linux-{arch}.tar.gz", pin


def installed(context):
    """Unpacks the program once; a new version comes to lie beside the old one."""
    version = context.thing["version"]
    program = f"{HOME}/{version}"
    if os.path.exists(program + "/.complete"):
        return program
    url, pin = address(context)
    machine.folder(HOME, mode=0o755)
    archive = f"{HOME}/archive.tar.gz"
    machine.fetch(url, archive, sha256=pin or None)
    try:
        if url.startswith(RELEASES) and not pin:
            signed(url, archive, version)
        elif not pin:
            published(url, archive)
        unpacked(url, archive, program)
    finally:
        os.unlink(archive)
    write(program + "/.complete", version + "\n", mode=0o644)
    return program


def unpacked(url, archive, program):
    shutil.rmtree(program, ignore_errors=True)
    os.makedirs(program)
    run("tar", "-xzf", archive, "-C", program, "--strip-components=1", "--no-same-owner")
    for needed in ("lib", "modules"):
        if not os.path.isdir(f"{program}/{needed}"):
            raise machine.Trouble(f"{url} is no OpenSearch: it has no folder `{needed}`")
    # one way to be safe for every archive: the proxy in front; the plugin would want a second set of users
    shutil.rmtree(program + "/plugins/opensearch-security", ignore_errors=True)
    for folder in ("bin", "plugins", "logs"):
        os.makedirs(f"{program}/{folder}", exist_ok=True)
    run("chmod", "-R", "a+rX", program)


def signed(url, archive, version):
    """The publisher's signature, by the publisher's key: whoever has the server, or stands before it, cannot make one."""
    machine.apt("gpgv")
    name, fingerprint = BEFORE_3 if version.split(".")[0] in ("1", "2") else SINCE_3
    with tempfile.TemporaryDirectory() as folder:
        machine.fetch(url + ".sig", folder + "/signature")
        machine.fetch(f"{PUBLISHER}/publickeys/{name}", folder + "/key")
        vouched(url, archive, folder + "/signature", folder + "/key", fingerprint)


def vouched(url, archive, signature, key, fingerprint):
    """Refuses what that very key has not signed. One that has ended since then counts: what it signed was good."""
    with open(key, "rb") as file:
        ring = binary(file.read())
    with open(key, "wb") as file:
        file.write(ring)
    done = subprocess.run(["gpgv", "--status-fd", "1", "--keyring", key, signature, archive], capture_output=True, text=True, timeout=600)
    words = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("[GNUPG:] ")]
    good = any(it[0] == "VALIDSIG" and it[-1] == fingerprint for it in words if it)
    if not good or any(it[0] in ("REVKEYSIG", "BADSIG") for it in words if it):
        raise machine.Trouble(f"{url} is not signed by its publisher's key {fingerprint}: nothing of it is installed. Fetch an archive that you "
                              "trust to a place of your own, and say `packages.opensearch_url` with its `#sha256=…`")


def binary(key):
    """Keys are published as text; gpgv reads them as they are."""
    if not key.startswith(b"-----BEGIN"):
        return key
    ring = b""
    for block in key.split(b"-----BEGIN PGP PUBLIC KEY BLOCK-----")[1:]:
        body = block.split(b"-----END")[0].strip().splitlines()
        # headers end with an empty line, and the sum of the whole begins with `=`
        start = next((number for number, line in enumerate(body, 1) if not line.strip()), 0)
        ring += base64.b64decode(b"".join(line.strip() for line in body[start:] if not line.startswith(b"=")))
    return ring


def published(url, archive):
    """A mirror may have the sum that the project publishes beside each archive; if not, the pin should be given."""
    try:
        with urllib.request.urlopen(url + ".sha512", timeout=60) as answer:
            wanted = answer.read().decode().split()[0].lower()
    except urllib.error.HTTPError as why:
        if why.code not in (403, 404, 410):
            raise machine.Trouble(f"{url}.sha512 cannot be fetched: {why}") from None
        print(f"{url}.sha512 is not there: what was fetched is not verified; add `#sha256=…` to the address", flush=True)
        return
    except OSError as why:
        raise machine.Trouble(f"{url}.sha512 cannot be fetched: {why}") from None
    if run("sha512sum", archive).split()[0] != wanted:
        raise machine.Trouble(f"{url} is not what its publisher made: its SHA-512 is not the one in {url}.sha512")
