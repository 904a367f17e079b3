"""Points in time of a database: its log, segment by segment as PostgreSQL writes it, now and then a copy of the cluster to
start from, and the way back.

The way back leads through a second cluster beside the one in use, which reads the log up to the moment; what is in it then is
put in the place of the database. So it is the same for one node and for several, and nothing is lost until it is whole.
"""
import datetime
import json
import os
import subprocess
import sys
import zoneinfo

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import backup_files  # noqa: E402
import backup_what  # noqa: E402
import bucket  # noqa: E402
import machine  # noqa: E402
import role_database as database  # noqa: E402

POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
SCRATCH = machine.DATA + "/point-in-time"


def archive(folder, path, name):
    """A segment is archived when it is in the bucket; before that PostgreSQL keeps it. Twice the same is fine."""
    # a cluster that was made anew counts its log from the beginning again: each has a folder of its own
    with open("global/pg_control", "rb") as file:
        system = int.from_bytes(file.read(8), sys.byteorder)
    with open(path, "rb") as file:
        data = file.read()
    for plan in machine.read_json("/etc/postgresql-common/archive.json").values():
        sealed = bool(plan["recipients"])
        text = subprocess.run(backup_files.seal(plan), input=data, stdout=subprocess.PIPE, check=True).stdout if sealed else data
        bucket.Bucket(plan).write(f"{folder(plan)}/wal/{system}/{name}{'.age' if sealed else ''}", text)
    return 0


def base(plan, store, folder, identity):
    """The cluster as it is, from which its log leads to any later moment; and what is too old goes."""
    system, start = database.sql("select system_identifier from pg_control_system()"), database.sql("select pg_walfile_name(pg_current_wal_lsn())")
    name = f"{folder}/base/{identity}.tar" + (".age" if plan["recipients"] else "")
    words = POSTGRES + ["pg_basebackup", "-D", "-", "-Ft", "-X", "none", "-c", "fast"]
    with backup_what.piped("the copy of the cluster", words, backup_files.seal(plan)) as stream:
        store.write_stream(name, stream)
    about = {"id": identity, "object": name, "system": system, "start": start, "finished_at": datetime.datetime.now(datetime.timezone.utc).isoformat()}
    store.write(f"{folder}/base/{identity}.json", json.dumps(about).encode())
    forget(plan, store, folder)


def bases(store, folder):
    found = [json.loads(store.read(name)) for name in store.list(folder + "/base/") if name.endswith(".json")]
    return sorted(found, key=lambda one: one["finished_at"])


def forget(plan, store, folder):
    oldest = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=plan["point_in_time_days"])
    done = bases(store, folder)
    # the newest of those that are old enough is the start for the oldest moment that was promised
    old = [one for one in done if datetime.datetime.fromisoformat(one["finished_at"]) < oldest][:-1]
    for one in old:
        store.delete(f"{folder}/base/{one['id']}.json")
        store.delete(one["object"])
    kept = [one for one in done if one not in old]
    for name in store.contents(folder + "/wal/") if old else ():
        system, _, segment = name[len(folder + "/wal/"):].partition("/")
        needed = [one["start"][8:24] for one in kept if one["system"] == system]
        if not segment.startswith("0000") or ".history" in segment:
            continue
        if not needed or segment[8:24] < min(needed):
            store.delete(name)


def until(plan, folder, moment, key=None):
    """The database as it was at a moment, or as far as the archive goes: `latest`."""
    if plan["role"] != "database" or not plan["point_in_time_days"]:
        raise machine.Trouble("this policy archives no points in time: see `point_in_time_days`")
    point = None if moment == "latest" else parsed(moment, plan)
    if database.answers():
        finish_log()
    store = bucket.Bucket(plan)
    able = [one for one in bases(store, folder) if point is None or datetime.datetime.fromisoformat(one["finished_at"]) <= point]
    if not able:
        raise machine.Trouble(f"there is no copy of the cluster that is older than {moment}")
    start = able[-1]
    if start["object"].endswith(".age") and not key:
        raise machine.Trouble("this archive is encrypted: name the file with the age identity")
    machine.run("rm", "-rf", SCRATCH)
    machine.folder(SCRATCH, mode=0o700, owner="postgres")
    try:
        unpack(store, start, key)
        configure(plan, folder, start, point, key)
        run_to_the_point()
        with open(SCRATCH + "/dump", "wb") as file:
            subprocess.run(POSTGRES + ["pg_dump", "-Fc", "-h", SCRATCH, "-d", database.NAME], stdout=file, check=True, cwd="/")
        counted = backup_what.restore_database(SCRATCH + "/dump", False)
        return f"restored {plan['service']} as of {moment}, from the copy {start['id']}: {counted}"
    finally:
        if os.path.exists(SCRATCH + "/cluster/postmaster.pid"):
            machine.run(database.BIN + "/pg_ctl", "-D", SCRATCH + "/cluster", "-m", "immediate", "stop", user="postgres", check=False)
        machine.run("rm", "-rf", SCRATCH)


def parsed(text, plan):
    try:
        point = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise machine.Trouble(f"`{text}` is no moment: write it as 2026-03-01T09:30:00Z, or `latest`") from None
    if not point.tzinfo:
        point = point.replace(tzinfo=zoneinfo.ZoneInfo(plan["timezone"]))
    if point > datetime.datetime.now(datetime.timezone.utc):
        raise machine.Trouble(f"{text} has not come yet")
    return point


def finish_log():
    """The segment in use goes into the archive. With one more transaction: PostgreSQL knows that it has reached a moment when it
    meets something later."""
    last = database.sql("select pg_current_xact_id(); select pg_walfile_name(pg_switch_wal())").splitlines()[-1]
    done = "select 1 from pg_stat_archiver where right(last_archived_wal, 16) >= right('%s', 16)" % last
    machine.until(300, lambda: database.sql(done) == "1", "the archiving of the newest segment")


def unpack(store, start, key):
    machine.folder(SCRATCH + "/cluster", mode=0o700, owner="postgres")
    opened = ["age", "--decrypt", "-i", os.path.abspath(key)] if start["object"].endswith(".age") else []
    words = POSTGRES + ["tar", "-x", "-C", SCRATCH + "/cluster"]
    with backup_what.piped("unpacking the copy of the cluster", opened, words, into=True) as stream:
        for block in store.read_stream(start["object"]):
            stream.write(block)


def configure(plan, folder, start, point, key):
    """Nobody reaches it but its own user, and it archives nothing."""
    cluster = SCRATCH + "/cluster"
    if key:
        machine.write(SCRATCH + "/key", machine.read(key), mode=0o600, owner="postgres")
    about = {**plan, "wal": f"{folder}/wal/{start['system']}/", "key": SCRATCH + "/key"}
    machine.write(SCRATCH + "/plan.json", json.dumps(about), mode=0o600, owner="postgres")
    values = {
        "listen_addresses": "", "unix_socket_directories": SCRATCH, "hot_standby": "off", "archive_mode": "off", "ssl": "off",
        "hba_file": cluster + "/pg_hba.conf", "ident_file": cluster + "/pg_ident.conf", "shared_buffers": "64MB",
        "max_worker_processes": 8, "autovacuum": "off",
        "restore_command": f"/usr/bin/python3 -I /usr/local/lib/invenioils/backup_time.py {SCRATCH}/plan.json %f %p",
        "recovery_target_timeline": "latest",
    }
    if point:
        values.update(recovery_target_time=point.isoformat(), recovery_target_action="promote")
    machine.remove(cluster + "/postgresql.auto.conf")
    text = "".join(f"{name} = {database.quoted(value)}\n" for name, value in values.items())
    for name, words in (("postgresql.conf", text), ("pg_hba.conf", "local all postgres peer\n"), ("pg_ident.conf", ""), ("recovery.signal", "")):
        machine.write(f"{cluster}/{name}", words, mode=0o600, owner="postgres")
    machine.remove(cluster + "/standby.signal")


def run_to_the_point():
    """It answers when it has arrived, and ends when it cannot."""
    log, cluster = SCRATCH + "/log", SCRATCH + "/cluster"
    machine.works(database.BIN + "/pg_ctl", "-D", cluster, "-l", log, "-w", "start", user="postgres")
    arrived = lambda: machine.works("psql", "-qAtX", "-h", SCRATCH, "-d", "postgres", "-c", "select 1", user="postgres", timeout=10)
    machine.until(86400, lambda: arrived() or not os.path.exists(cluster + "/postmaster.pid"), "the way to that moment")
    if not arrived():
        said = [line for line in machine.read(log).splitlines() if "FATAL" in line]
        raise machine.Trouble("the way to that moment failed: " + (said[0].partition(":  ")[2] if said else "no word why"))


def fetch(path, name, target):
    """What PostgreSQL asks for on its way. 1: the archive does not have it; anything worse must not look like its end."""
    plan = machine.read_json(path)
    store = bucket.Bucket(plan)
    have = store.contents(plan["wal"] + name)
    for found in (plan["wal"] + name, plan["wal"] + name + ".age"):
        if found in have:
            data = store.read(found)
            if found.endswith(".age"):
                data = subprocess.run(["age", "--decrypt", "-i", plan["key"]], input=data, stdout=subprocess.PIPE, check=True).stdout
            with open(target, "wb") as file:
                file.write(data)
            return 0
    return 1


if __name__ == "__main__":
    try:
        sys.exit(fetch(*sys.argv[1:]))
    except Exception as why:
        # whatever it is: Python's own 1 would say that the archive ends here
        print(f"failed: {type(why).__name__}: {why}", file=sys.stderr)
        sys.exit(200)
