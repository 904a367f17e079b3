"""Backups of this machine's service: made when due, kept as the policy says, given back, and rehearsed.

    backup.py due                       whatever is due now, backups and rehearsals
    backup.py now POLICY                one at once
    backup.py list POLICY               what there is, newest last
    backup.py restore POLICY ID [KEY]   gives one back into the service; KEY is a file with the age identity
    backup.py rehearse POLICY [KEY]     restores the newest into a scratch place, counts, throws it away
    backup.py archive PATH NAME         one segment of PostgreSQL's log, for points in time

A backup is one object, `<prefix>/<environment>/<service>/<id>.<kind>[.age]`, and a small one beside it, `.json`, which is
written last: what has none was never finished. A rehearsal leaves `<id>.verified`, so that a list of names tells all.
"""
import datetime
import hashlib
import json
import os
import subprocess
import sys
import time
import zoneinfo

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import backup_what  # noqa: E402
import bucket  # noqa: E402
import cron  # noqa: E402
import machine  # noqa: E402

STATE = "/var/lib/invenioils/backups"


def main(verb="", *words):
    if verb == "archive":
        return archive(*words)
    plans = machine.read_json("/etc/invenioils/backups.json", {})
    if verb == "due":
        return sum(due(name, plan) for name, plan in plans.items())
    plan = plans.get(words[0]) if words else None
    complete = verb in ("now", "list", "rehearse") or verb == "restore" and len(words) > 1
    if not plan or not complete:
        print(__doc__, file=sys.stderr)
        return 2
    if verb == "now":
        return make(words[0], plan)
    if verb == "list":
        for one in finished(plan):
            print(f"{one['id']} {one['size_bytes']:>12} {one['sha256'][:12]} {'verified' if one.get('verified') else ''}")
        return 0
    wanted = words[1] if verb == "restore" else newest(plan)
    if not wanted:
        print("there is no backup yet", file=sys.stderr)
        return 1
    key = words[2 if verb == "restore" else 1] if len(words) > (2 if verb == "restore" else 1) else None
    return give_back(words[0], plan, wanted, key, rehearsal=verb == "rehearse")


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
    wanted = newest(plan)
    if not wanted:
        print("there is no backup yet, so there is nothing to rehearse")
        return 0
    if plan["recipients"]:
        print("the backups are encrypted for people: a rehearsal needs their key, and checks the object alone")
        return verify_object(name, plan, wanted)
    return give_back(name, plan, wanted, None, rehearsal=True)


def note(name, **facts):
    path = f"{STATE}/{name}.json"
    machine.write(path, json.dumps(dict(machine.read_json(path, {}), **facts), sort_keys=True))


def folder(plan):
    return "/".join(part for part in (plan["prefix"], plan["environment"], plan["service"]) if part)


def finished(plan):
    store = bucket.Bucket(plan)
    names = [name for name in store.list(folder(plan) + "/") if name.endswith(".json")]
    return sorted((json.loads(store.read(name)) for name in names), key=lambda one: one["id"])


def newest(plan):
    done = finished(plan)
    return done[-1]["id"] if done else None


def make(name, plan):
    """Makes one backup. A failure is told to whoever wants to hear of it."""
    kind = backup_what.kind_of(plan)
    if not kind:
        return 0
    identity = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    object_name = f"{folder(plan)}/{identity}.{kind}" + (".age" if plan["recipients"] else "")
    try:
        store = bucket.Bucket(plan)
        with backup_what.reader(plan) as plain:
            stream = encrypted(plain.stdout, plan["recipients"]) if plan["recipients"] else plain
            size, digest = store.write_stream(object_name, stream.stdout)
            for process in {stream, plain}:
                if process.wait() != 0:
                    raise machine.Trouble(f"{kind} ended with {process.returncode}")
        about = {"id": identity, "object": object_name, "kind": kind, "size_bytes": size, "sha256": digest, "node": plan["node"],
                 "finished_at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "verified": False}
        store.write(f"{folder(plan)}/{identity}.json", json.dumps(about).encode())
        note(name, latest={key: about[key] for key in ("id", "finished_at", "size_bytes", "verified")}, failed=None)
        if plan["role"] == "database" and plan["point_in_time_days"]:
            base(plan, store, identity)
        forget(plan, store)
        print(f"made {object_name}, {size} bytes")
        return 0
    except (machine.Trouble, OSError, subprocess.SubprocessError) as why:
        note(name, failed=str(why)[:400])
        alert(plan, f"The backup `{name}` of {plan['environment']}/{plan['service']} on {plan['node']} failed: {why}")
        print(f"failed: {why}", file=sys.stderr)
        return 1


def base(plan, store, identity):
    """The cluster as it is, from which its archived log leads to any point in time; and what is too old goes."""
    words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", "pg_basebackup", "-D", "-", "-Ft", "-X", "none", "-c", "fast"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd="/") as copy:
        store.write_stream(f"{folder(plan)}/base/{identity}.tar", copy.stdout)
        if copy.wait() != 0:
            raise machine.Trouble(f"pg_basebackup ended with {copy.returncode}")
    oldest = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=plan["point_in_time_days"])
    bases = store.list(f"{folder(plan)}/base/")
    needed = [name for name in bases if name.rpartition("/")[2] < oldest.strftime("%Y%m%dT%H%M%SZ")]
    # the newest of those that are old enough is the start for the oldest point that was promised
    for name in needed[:-1]:
        store.delete(name)


def encrypted(plain, recipients):
    words = ["age", "--encrypt"]
    for recipient in recipients:
        words += ["-r", recipient]
    return subprocess.Popen(words, stdin=plain, stdout=subprocess.PIPE)


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
    all_of_them = finished(plan)
    stay = kept([one["id"] for one in all_of_them], plan["retention"])
    for one in all_of_them:
        if one["id"] not in stay:
            store.delete(f"{folder(plan)}/{one['id']}.json")
            store.delete(one["object"])
            if one["verified"]:
                store.delete(f"{folder(plan)}/{one['id']}.verified")


def fetched(plan, wanted, target):
    """One backup's object in a file, verified."""
    store = bucket.Bucket(plan)
    about = next((one for one in finished(plan) if one["id"] == wanted), None)
    if not about:
        raise machine.Trouble(f"there is no finished backup {wanted}")
    whole = hashlib.sha256()
    with open(target, "wb") as file:
        for block in store.read_stream(about["object"]):
            whole.update(block)
            file.write(block)
    if whole.hexdigest() != about["sha256"]:
        raise machine.Trouble(f"{about['object']} has changed since it was made: its SHA-256 differs")
    return about


def give_back(name, plan, wanted, key, rehearsal):
    place = f"{machine.DATA}/backup-{os.getpid()}"
    os.makedirs(place, mode=0o700)
    try:
        about = fetched(plan, wanted, place + "/object")
        path = place + "/object"
        if about["object"].endswith(".age"):
            if not key:
                raise machine.Trouble("this backup is encrypted: name the file with the age identity")
            subprocess.run(["age", "--decrypt", "-i", key, "-o", place + "/plain", path], check=True)
            path = place + "/plain"
        counted = backup_what.restore(plan, path, rehearsal)
        print(f"{'rehearsed' if rehearsal else 'restored'} {wanted}: {counted}")
        if rehearsal:
            verified(name, plan, about, counted)
        return 0
    except (machine.Trouble, OSError, subprocess.SubprocessError) as why:
        alert(plan, f"The {'rehearsal' if rehearsal else 'restore'} of {plan['environment']}/{plan['service']} {wanted} failed: {why}")
        print(f"failed: {why}", file=sys.stderr)
        return 1
    finally:
        machine.run("rm", "-rf", place)


def verify_object(name, plan, wanted):
    place = f"{machine.DATA}/backup-{os.getpid()}.object"
    try:
        verified(name, plan, fetched(plan, wanted, place), "the object is as it was written")
        return 0
    finally:
        machine.remove(place)


def verified(name, plan, about, counted):
    about["verified"] = True
    about["counted"] = counted
    store = bucket.Bucket(plan)
    store.write(f"{folder(plan)}/{about['id']}.json", json.dumps(about).encode())
    store.write(f"{folder(plan)}/{about['id']}.verified", counted.encode())
    state = machine.read_json(f"{STATE}/{name}.json", {})
    if (state.get("latest") or {}).get("id") == about["id"]:
        note(name, latest=dict(state["latest"], verified=True))


def alert(plan, words):
    """Chat systems and on-call systems take the same small message. The address itself is a secret."""
    if plan.get("webhook"):
        bucket.post(plan["webhook"], {"text": words, "title": "Backup", "message": words})


def archive(path, name):
    """A segment is archived when it is in the bucket; before that PostgreSQL keeps it. Twice the same is fine."""
    for plan in machine.read_json("/etc/postgresql-common/archive.json").values():
        with open(path, "rb") as file:
            bucket.Bucket(plan).write(f"{folder(plan)}/wal/{name}", file.read())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except machine.Trouble as trouble:
        print(f"failed: {trouble}", file=sys.stderr)
        sys.exit(1)
