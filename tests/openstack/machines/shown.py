"""Which secrets of a machine others could see: in arguments of processes, or in files that everybody may read. Runs in the
machine, as root; prints the names of what it found, never a secret."""
import glob
import json
import os

with open("/var/lib/invenioils/secrets.json", encoding="utf-8") as file:
    bundles = json.load(file)
secrets = {f"{bundle}.{name}": text for bundle, it in bundles.items() for name, text in it["values"].items()
           if isinstance(text, str) and len(text) > 11 and not any(word in name for word in ("certificate", "ca_pem", "username"))}
assert secrets, "a machine has secrets"

for path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        with open(path, "rb") as file:
            words = file.read().decode(errors="replace")
    except OSError:
        continue
    for name, text in secrets.items():
        if text in words:
            print(f"{name} in the arguments of {words.split(chr(0))[0]}")

for top in ("/etc", "/var/lib", "/var/log", "/srv", "/run", "/home", "/opt/ils", "/usr/local"):
    for folder, folders, files in os.walk(top):
        folders[:] = [one for one in folders if one != "venv" and os.stat(f"{folder}/{one}", follow_symlinks=False).st_mode & 0o001]
        for one in files:
            path = f"{folder}/{one}"
            about = os.stat(path, follow_symlinks=False)
            if about.st_mode & 0o170004 != 0o100004 or about.st_size > 1 << 22:
                continue
            with open(path, "rb") as file:
                words = file.read().decode(errors="replace")
            for name, text in secrets.items():
                if text in words:
                    print(f"{name} in {path}")
