"""Backups of this machine's service: made when due, kept as the policy says, given back, and rehearsed.

    backup.py due                         whatever is due now, backups and rehearsals
    backup.py now POLICY                  one at once
    backup.py list POLICY                 what there is, newest last
    backup.py restore POLICY [ID [KEY]]   gives one back into the service, the newest if it is not said which (or `latest`)
    backup.py rehearse POLICY [KEY]       restores the newest into a scratch place, counts, throws it away
    backup.py until POLICY TIME [KEY]     the database as it was at a moment, such as 2026-03-01T09:30:00Z
    backup.py archive PATH NAME           one segment of PostgreSQL's log, for points in time

KEY is a file with the age identity. POLICY may be POLICY/SERVICE where a machine backs up the files of an object store
besides its own service; they come after it, so that every file that the database knows is among them.

A backup is one object, `<prefix>/<environment>/<service>/<id>.<kind>[.age]`, and a small one beside it, `.json`, which is
written last: what has none was never finished. A rehearsal leaves `<id>.verified`, and `<id>.partial` lies beside one that
lacks what goes with it, so that a list of names tells all.
"""
import contextlib
import datetime
import fcntl
import glob
import hashlib
import json
import os
import subprocess
import sys
import time
import traceback
import zoneinfo

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import alerts  # noqa: E402
import backup_files  # noqa: E402
import backup_what  # noqa: E402
import bucket  # noqa: E402
import cron  # noqa: E402
import machine  # noqa: E402

STATE = "/var/lib/invenioils/backups"


def main(verb="", *words):
    if verb == "archive":
        import backup_time
        return backup_time.archive(folder, *words)
    plans = machine.read_json("/etc/invenioils/backups.json", {})
    if verb == "due":
        if os.path.exists(machine.MAINTENANCE):
            return 0
        with turn(wait=False) as free:
            return sum(due(name, plan) for name, plan in plans.items()) if free else 0
    name, _, only = (words[0] if words else "").partition("/")
    if name not in plans or verb not in ("now", "list", "restore", "rehearse", "until") or verb == "until" and len(words) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    plan = plans[name]
    if verb == "now":
        with turn():
            return make(name, plan)
    chosen = [part for part in parts(plan) if only in ("", part["service"])]
    if not chosen or not backup_what.kind_of(plan):
        print(f"this machine has no backups of {only or name}: another node of the service has", file=sys.stderr)
        return 1
    if verb == "list":
        return sum(told(part) for part in chosen)
    with turn():
        if verb == "until":
            import backup_time
            return attempt(plan, "restore", words[1], lambda: backup_time.until(plan, folder(plan), *words[1:]))
        key = words[2 if verb == "restore" else 1] if len(words) > (2 if verb == "restore" else 1) else None
        return give_back(name, chosen, words[1] if verb == "restore" and len(words) > 1 else "latest", key, rehearsal=verb == "rehearse")


@contextlib.contextmanager
def turn(wait=True):
    """One at a time: a backup of what is being restored would be the newest, and wrong."""
    os.makedirs("/run/invenioils", mode=0o755, exist_ok=True)
    with open("/run/invenioils/backup.lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        sweep()
        yield True


def sweep():
    """What a run that was killed left behind. A restore after it makes its own place anew, but nobody knows when that is."""
    left = glob.glob(machine.DATA + "/backup-[0-9]*")
    if left and machine.read_json("/etc/invenioils/machine.json", {"role": ""})["role"] == "database":
        machine.works("psql", "-qAtX", "-d", "postgres", "-c", f"drop database if exists {backup_what.SCRATCH} with (force)", user="postgres")
    for place in left:
        machine.run("rm", "-rf", place, check=False)


def parts(plan):
    """This machine's own service, and then the files of an object store, which has no machine to do it."""
    yield plan
    for store in plan.get("files") or []:
        yield {**plan, "role": "files", "service": store["service"], "source": {"bucket": store["bucket"], "endpoint": store["endpoint"], "region": store["region"]}}


def parts_here(plan):
    """None where another node of the service does it."""
    return parts(plan) if backup_what.kind_of(plan) else ()


def told(part):
    done = finished(part)
    print(f"{part['service']}: {len(done)}")
    for one in done:
        print(f"{one['id']} {one['size_bytes']:>12} {one['sha256'][:12]} {'verified' if one.get('verified') else ''}")
    return 0


def due(name, plan):
    """A run that was missed while the machine was down is made up for, once."""
    if plan["paused"]:
        return 0
    state = machine.read_json(f"{STATE}/{name}.json", {})
    zone = zoneinfo.ZoneInfo(plan["timezone"])
    now = datetime.datetime.now(zone)
    failed = 0
    for field, act in (("schedule", make), ("verify_schedule", rehearse)):
        if not plan.get(field):
            continue
        if f"seen_{field}" not in state:
            # a policy that is new here is not late
            note(name, **{f"seen_{field}": time.time()})
            continue
        since = datetime.datetime.fromtimestamp(state[f"seen_{field}"], zone)
        if cron.fired(plan[field], since, now):
            note(name, **{f"seen_{field}": time.time()})
            failed |= act(name, plan)
    return failed


def rehearse(name, plan):
    ours = []
    failed = attempt(plan, "rehearsal", "latest", lambda: ours.extend(parts_here(plan)))
    return failed or give_back(name, ours, "latest", None, rehearsal=True)


def note(name, **facts):
    path = f"{STATE}/{name}.json"
    machine.write(path, json.dumps(dict(machine.read_json(path, {}), **facts), sort_keys=True))


def folder(plan):
    return "/".join(part for part in (plan["prefix"], plan["environment"], plan["service"]) if part)


def finished(plan):
    store = bucket.Bucket(plan)
    return those_of(store, store.list(folder(plan) + "/"))


def those_of(store, names):
    return sorted((json.loads(store.read(name)) for name in names if name.endswith(".json")), key=lambda one: one["id"])


def newest(plan):
    done = finished(plan)
    return done[-1] if done else None


def chosen_of(part, wanted):
    """A backup by its id. Of files the first that is not older will do, too: none goes missing by having more of them."""
    done = finished(part)
    if wanted == "latest":
        found = done[-1:]
    else:
        found = [one for one in done if one["id"] == wanted or part["role"] == "files" and one["id"] >= wanted]
    if not found:
        raise machine.Trouble(f"{part['service']} has no finished backup" + ("" if wanted == "latest" else " " + wanted))
    return found[0]


def make(name, plan):
    """Makes one backup of each part. A failure is told to whoever wants to hear of it, and the other parts are made all the same."""
    identity = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    ours, done = [], []
    failed = attempt(plan, "backup", identity, lambda: ours.extend(parts_here(plan)))
    for part in ours:
        failed |= attempt(part, "backup", identity, lambda: made(part, identity, done))
    if failed:
        note(name, failed=identity)
    elif ours:
        note(name, latest={"id": identity, "finished_at": now_in_words(), "size_bytes": sum(done), "verified": False}, failed=None)
    return failed


def attempt(part, what, which, act):
    """Runs it, and tells what came of it. 1: it failed, and whoever wants to hear of that has been told."""
    try:
        words = act()
        if words:
            print(words, flush=True)
        return 0
    except (machine.Trouble, OSError, subprocess.SubprocessError, ValueError) as fault:
        why = str(fault)
    except Exception as fault:
        # a mistake of ours: told by its kind alone, since its words might hold a secret
        traceback.print_exc()
        why = f"{type(fault).__name__}, see the journal of {part['node']}"
    alerts.send("A backup failed" if what == "backup" else f"A {what} failed", f"The {what} of {part['environment']}/{part['service']} ({which}) on {part['node']} failed: {why}")
    print(f"failed: {why}", file=sys.stderr)
    return 1


def now_in_words():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def made(part, identity, done):
    kind, store = backup_what.kind_of(part), bucket.Bucket(part)
    object_name = f"{folder(part)}/{identity}.{kind}" + (".age" if part["recipients"] and kind != "files" else "")
    if kind == "files":
        about = backup_files.mirror(part, store, folder(part), object_name)
    else:
        with backup_what.piped(kind, backup_what.writer(part), backup_files.seal(part)) as stream:
            size, digest = store.write_stream(object_name, stream)
        about = {"size_bytes": size, "sha256": digest}
    about.update(id=identity, object=object_name, kind=kind, node=part["node"], finished_at=now_in_words(), verified=False)
    half = f"{folder(part)}/{identity}.partial"
    with_base = kind == "dump" and part["point_in_time_days"]
    if with_base:
        # it can be restored from now on, but is not the whole of what the policy wants
        store.write(half, b"the copy of the cluster, from which points in time start, is missing\n")
    store.write(f"{folder(part)}/{identity}.json", json.dumps(about).encode())
    if with_base:
        import backup_time
        backup_time.base(part, store, folder(part), identity)
        store.delete(half)
    done.append(about["size_bytes"])
    forget(part, store)
    more = f" for {about['files']} files, {about['copied']} of them new" if kind == "files" else ""
    return f"made {object_name}, {about['size_bytes']} bytes{more}"


def kept(ids, retention):
    """Which backups stay. The newest always does, whatever the policy says."""
    stay = set(ids[-1:])
    stay.update(ids[-retention["last"]:] if retention.get("last") else [])
    for field, length in (("hourly", 11), ("daily", 8), ("monthly", 6), ("yearly", 4), ("weekly", 0)):
        count = retention.get(field) or 0
        newest = {}
        for one in ids:
            day = datetime.date(int(one[:4]), int(one[4:6]), int(one[6:8]))
            slot = one[:length] if length else "%d-%02d" % day.isocalendar()[:2]
            newest[slot] = one
        stay.update(newest[slot] for slot in sorted(newest)[len(newest) - min(count, len(newest)):])
    return stay


def forget(plan, store):
    """Takes away what the policy no longer keeps: first the word that it was finished, then the object."""
    names = store.list(folder(plan) + "/")
    all_of_them = those_of(store, names)
    ids = [one["id"] for one in all_of_them]
    halves = [one for one in ids if f"{folder(plan)}/{one}.partial" in names]
    # half a backup does not stand for a whole one
    stay = kept(ids, plan["retention"]) | set([one for one in ids if one not in halves][-1:])
    old = [one for one in all_of_them if one["id"] not in stay]
    for one in old:
        store.delete(f"{folder(plan)}/{one['id']}.json")
        store.delete(one["object"])
        for beside in (["verified"] if one["verified"] else []) + (["partial"] if one["id"] in halves else []):
            store.delete(f"{folder(plan)}/{one['id']}.{beside}")
    if old and plan["role"] == "files":
        backup_files.forget(plan, store, folder(plan), [one for one in all_of_them if one["id"] in stay])


def fetched(plan, about, target):
    """One backup's object in a file, verified."""
    store = bucket.Bucket(plan)
    whole = hashlib.sha256()
    with open(target, "wb") as file:
        for block in store.read_stream(about["object"]):
            whole.update(block)
            file.write(block)
    if whole.hexdigest() != about["sha256"]:
        raise machine.Trouble(f"{about['object']} has changed since it was made: its SHA-256 differs")


def give_back(name, chosen, wanted, key, rehearsal):
    """Each part in its turn; where one fails, those after it are left as they are."""
    word = "rehearsal" if rehearsal else "restore"
    for part in chosen:
        if attempt(part, word, wanted, lambda: given_back(name, part, wanted, key, rehearsal)):
            return 1
    return 0


def given_back(name, part, wanted, key, rehearsal):
    if rehearsal and not newest(part):
        return f"{part['service']} has no backup yet, so there is nothing to rehearse"
    about = chosen_of(part, wanted)
    place = f"{machine.DATA}/backup-{os.getpid()}"
    os.makedirs(place, mode=0o700)
    try:
        path = place + "/object"
        fetched(part, about, path)
        if about["object"].endswith(".age") and not key and rehearsal:
            counted = "the object is as it was written; it is encrypted for people, and more needs their key"
        elif about["kind"] == "files":
            counted = backup_files.give_back(part, bucket.Bucket(part), path, key, rehearsal)
        else:
            if about["object"].endswith(".age"):
                if not key:
                    raise machine.Trouble("this backup is encrypted: name the file with the age identity")
                subprocess.run(["age", "--decrypt", "-i", key, "-o", place + "/plain", path], check=True)
                path = place + "/plain"
            counted = backup_what.restore(part, path, rehearsal)
        if rehearsal:
            verified(name, part, about, counted)
        return f"{'rehearsed' if rehearsal else 'restored'} {part['service']} {about['id']}: {counted}"
    finally:
        machine.run("rm", "-rf", place)


def verified(name, plan, about, counted):
    about["verified"] = True
    about["counted"] = counted
    store = bucket.Bucket(plan)
    store.write(f"{folder(plan)}/{about['id']}.json", json.dumps(about).encode())
    store.write(f"{folder(plan)}/{about['id']}.verified", counted.encode())
    state = machine.read_json(f"{STATE}/{name}.json", {})
    if (state.get("latest") or {}).get("id") == about["id"]:
        note(name, latest=dict(state["latest"], verified=True))


if __name__ == "__main__":
    machine.program(main)
