"""Makes this machine what its document says, and reports what it is. Runs every half minute; doing nothing is cheap.

Booting is converging for the first time, so there is one way to become healthy: after a first boot, a reboot at any
moment, a changed document, a new secret, or a service that died.
"""
import fcntl
import hashlib
import importlib
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import machine  # noqa: E402
import report  # noqa: E402
import sources  # noqa: E402
try:
    import backups  # noqa: E402
except ModuleNotFoundError:
    # a machine that keeps nothing
    backups = None

STATE = "/var/lib/invenioils"
APPLIED = STATE + "/applied.json"
# what died or was changed by hand is mended at the latest after this, even if the document stays as it is
WHOLE_AGAIN = 900
# nobody needs to hear of this one: what was ready stays so
ROUTINE = "it was a while ago"


def fingerprint(*parts):
    """One hash over the programs and everything they act on."""
    whole = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    folder = os.path.dirname(os.path.abspath(__file__))
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with open(path, "rb") as file:
                whole.update(name.encode() + b"\0" + file.read())
    return whole.hexdigest()


def due(print_now, role):
    """Why there is something to do, or None."""
    done = machine.read_json(APPLIED, {})
    boot = machine.read("/proc/sys/kernel/random/boot_id").strip()
    if done.get("fingerprint") != print_now:
        return "something changed"
    if done.get("boot") != boot:
        return "the machine was started"
    if not done.get("good"):
        return "the last time failed"
    if time.time() - done.get("at", 0) > WHOLE_AGAIN:
        return ROUTINE
    ill = [layer for layer, state in role.health(machine.CONTEXT).items() if state != "ready"]
    return "not healthy: " + ", ".join(ill) if ill else None


def converge():
    identity = machine.read_json("/etc/invenioils/machine.json")
    if os.path.exists(machine.MAINTENANCE):
        return report.send(identity, {}, "maintenance", "a person is at work")
    role = importlib.import_module("role_" + identity["role"])
    documents = sources.documents(identity)
    if "main" not in documents:
        return report.send(identity, {}, "waiting", "there is no document yet")
    main = documents["main"]
    if main["format"] != 1:
        raise machine.Trouble(f"the document has format {main['format']}, which this machine's programs cannot read; replace the machine")
    bundles = sources.bundles(documents)
    context = machine.Context(identity, documents, bundles)
    machine.CONTEXT = context

    now = fingerprint(documents, bundles)
    why = due(now, role)
    state, words = "ready", ""
    if why:
        print(f"converging: {why}", flush=True)
        if why != ROUTINE:
            report.send(identity, context.facts, "converging", why)
        record = {"fingerprint": now, "boot": machine.read("/proc/sys/kernel/random/boot_id").strip(), "good": False, "at": time.time()}
        machine.write(APPLIED, json.dumps(record))
        import common
        common.apply(context)
        role.apply(context)
        if backups:
            backups.apply(context)
        record["good"] = True
        record["at"] = time.time()
        machine.write(APPLIED, json.dumps(record))
    health = role.health(context)
    facts = {}
    if hasattr(role, "around"):
        around, facts["silent"] = role.around(context)
        health.update(around)
    ill = sorted(layer for layer, seen in health.items() if seen != "ready")
    if ill:
        state, words = "unhealthy", ", ".join(f"{layer}: {health[layer]}" for layer in ill)
    facts.update(context.facts, health=health, backups=backups.facts() if backups else {}, **role.facts(context))
    report.send(identity, facts, state, words)
    # what may take a while, and of which nobody waits to hear
    if hasattr(role, "watch"):
        role.watch(context)


def main():
    os.makedirs("/run/invenioils", mode=0o755, exist_ok=True)
    os.makedirs(STATE, mode=0o700, exist_ok=True)
    lock = open("/run/invenioils/converge.lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("another run is at work")
        return 0
    try:
        converge()
    except machine.Trouble as trouble:
        print(f"trouble: {trouble}", file=sys.stderr)
        report.send(machine.read_json("/etc/invenioils/machine.json"), {}, "trouble", str(trouble))
        return 1
    except Exception as fault:
        # a mistake of ours: told like any trouble, by its kind alone, since its words might hold a secret
        report.send(machine.read_json("/etc/invenioils/machine.json"), {}, "trouble", f"{type(fault).__name__}, see the journal of invenioils-converge")
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
