#!/usr/bin/python3 -I
"""What an engineer does on a machine by hand, as root. The guide to restoring a library says when.

    invenioils maintenance on     stops the application here; nothing is converged and nothing backed up until it is off
    invenioils maintenance off    goes on, and waits until this machine is what its document says
    invenioils backup POLICY      makes a backup at once
    invenioils backups POLICY     what backups there are
    invenioils restore POLICY [ID [KEY]]     gives one back into this machine's service
    invenioils until POLICY TIME [KEY]       gives the database back as it was at a moment
    invenioils rebuild            makes every index anew from the database; on one web or worker machine
    invenioils status             what this machine last said of itself
"""
import fcntl
import os
import subprocess
import sys
import time

sys.path.insert(0, "/usr/local/lib/invenioils")

import machine  # noqa: E402
import report  # noqa: E402

UNITS = {"web": ["ils-web.service"], "worker": ["ils-scheduler.service", "ils-worker.service"]}
BACKUPS = {"backup": "now", "backups": "list", "restore": "restore", "until": "until"}


def main(verb="", *words):
    if verb in BACKUPS and words:
        import backup
        return backup.main(BACKUPS[verb], *words)
    if verb == "maintenance" and words in (("on",), ("off",)):
        return begin() if words[0] == "on" else end()
    if verb == "rebuild" and not words:
        return rebuild()
    if verb == "status" and not words:
        print(machine.read(report.STATUS).strip() or "nothing yet")
        return 0
    print(__doc__, file=sys.stderr)
    return 2


def identity():
    return machine.read_json("/etc/invenioils/machine.json")


def begin():
    machine.write(machine.MAINTENANCE, "by hand\n", mode=0o644)
    # a convergence or a backup that has begun ends first, or it would start again what is stopped here
    os.makedirs("/run/invenioils", mode=0o755, exist_ok=True)
    for name in ("converge", "backup"):
        with open(f"/run/invenioils/{name}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
    for unit in UNITS.get(identity()["role"], []):
        if os.path.exists(f"/etc/systemd/system/{unit}"):
            stop(unit)
    report.send(identity(), {}, "maintenance", "a person is at work")
    print("maintenance: nothing happens here by itself until `invenioils maintenance off`")
    return 0


def stop(unit):
    """What a worker is at may want the very service that was lost, and wait for it for minutes. Tasks that were not ended are
    done again later."""
    machine.run("systemctl", "stop", "--no-block", unit)
    try:
        machine.until(45, lambda: not stopping(unit), "its end")
    except machine.Trouble:
        machine.run("systemctl", "kill", "--signal=KILL", unit)
        machine.until(30, lambda: not stopping(unit), f"the end of {unit}")


def stopping(unit):
    return machine.run("systemctl", "show", "-P", "ActiveState", unit).strip() in ("active", "deactivating")


def end():
    machine.remove(machine.MAINTENANCE)
    # whatever the person did is looked at whole, not only what shows
    machine.remove("/var/lib/invenioils/applied.json")
    machine.run("systemctl", "reset-failed", "invenioils-converge.service", check=False)
    for _ in range(6):
        # the first may be one that began before, and what was started again may need a moment
        done = subprocess.run(["systemctl", "start", "invenioils-converge.service"], check=False)
        state = machine.read_json(report.STATUS, {})
        if state.get("state") == "ready" or done.returncode != 0:
            break
        time.sleep(10)
    print(f"{state.get('state', 'unknown')} {state.get('why', '')}".strip())
    return 0 if done.returncode == 0 and state.get("state") == "ready" else 1


def rebuild():
    role = identity()["role"]
    if role not in UNITS:
        print("the application is on web and worker machines, and so is this command", file=sys.stderr)
        return 1
    import application
    import sources
    documents = sources.documents(identity())
    context = machine.Context(identity(), documents, sources.bundles(documents))
    application.rebuild(context)
    return 0


if __name__ == "__main__":
    machine.program(main)
