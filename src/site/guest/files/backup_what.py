"""What a backup of each role is, as a stream, and how it is given back. Each is one program's output, so nothing has to
fit on the disk beside the data."""
import contextlib
import json
import os
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import machine  # noqa: E402
from machine import DATA, run  # noqa: E402

SCRATCH = "rehearsal"
# seconds for as many files as there may be
LONG = 86400


def kind_of(plan):
    """The kind, or None where another node of the service does it."""
    role = plan["role"]
    if role == "database":
        import role_database
        said = role_database.follows()
        if said not in ("t", "f"):
            raise machine.Trouble("the database does not answer, so that nobody knows whether another node does it")
        return "dump" if said == "f" else None
    if role == "files":
        return "files"
    first = plan["node"].endswith("-0")
    return {"search": "ndjson", "queue": "definitions", "storage": "tar"}.get(role) if first else None


def writer(plan):
    """The program that writes it."""
    return {
        "database": ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", "pg_dump", "-Fc", "-d", "ils"],
        "queue": ["rabbitmqctl", "-q", "export_definitions", "-"],
        # 1: a file was written to or deleted meanwhile, as happens on a machine in use; what tar cannot read is a 2
        "storage": ["sh", "-c", f"tar -C {DATA}/files -cf - . || [ $? -eq 1 ]"],
        "search": [sys.executable, "-I", __file__, "search"],
    }[plan["role"]]


@contextlib.contextmanager
def piped(what, *programs, into=False):
    """Programs of which each reads what the one before it writes; empty ones do not count. Gives what the last one writes, or with
    `into` what the first one reads. Where one of them fails, or we do, none stays: each might wait for another for ever."""
    programs = [words for words in programs if words]
    running, broken = [], None
    try:
        for words in programs:
            before = running[-1].stdout if running else subprocess.PIPE if into else None
            after = None if into and words is programs[-1] else subprocess.PIPE
            running.append(subprocess.Popen(words, stdin=before, stdout=after, cwd="/"))
            if running[1:]:
                # only the next one reads it, so that its end is noticed
                before.close()
        stream = running[0].stdin if into else running[-1].stdout
        try:
            yield stream
            stream.close()
        except BrokenPipeError as why:
            # one of them has ended, and its status says more
            broken = why
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        for words, process in reversed(list(zip(programs, running))):
            if process.wait() != 0:
                raise machine.Trouble(f"{what}: `{os.path.basename(words[0])}` ended with {process.returncode}, and the journal may say why")
        if broken:
            raise broken
    finally:
        for process in running:
            process.kill()
        for process in running:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    pipe and pipe.close()


def restore(plan, path, rehearsal):
    """Gives a backup back, or tries to in a scratch place. Gives what was counted."""
    return globals()["restore_" + plan["role"]](path, rehearsal)


def restore_database(path, rehearsal):
    """Into a database beside the one in use, which takes its place only when it is whole."""
    import role_database as database
    database.sql(f"drop database if exists {SCRATCH} with (force)")
    database.sql(f"create database {SCRATCH} owner ils encoding 'UTF8' template template0")
    with open(path, "rb") as dump:
        done = subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--",
                               "pg_restore", "--exit-on-error", "-d", SCRATCH], stdin=dump, capture_output=True, text=True, cwd="/")
    if done.returncode != 0:
        raise machine.Trouble("pg_restore: " + done.stderr.strip()[-400:])
    tables = database.sql("select count(*) from information_schema.tables where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')", SCRATCH)
    rows = database.sql("analyze; select coalesce(sum(n_live_tup), 0) from pg_stat_user_tables", SCRATCH)
    if rehearsal:
        database.sql(f"drop database {SCRATCH} with (force)")
    else:
        database.sql("drop database if exists ils_before with (force)")
        database.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'ils' and pid <> pg_backend_pid()")
        if database.sql("select 1 from pg_database where datname = 'ils'"):
            database.sql("alter database ils rename to ils_before")
        database.sql(f"alter database {SCRATCH} rename to ils")
        database.shut("ils")
    return f"{tables} tables, {rows} rows"


def restore_queue(path, rehearsal):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    queues = len(json.loads(text).get("queues", []))
    if not rehearsal:
        # the broker's tool runs as the broker's user, who cannot look where the backup lies
        beside = "/var/lib/rabbitmq/.restored-definitions"
        machine.write(beside, text, owner="rabbitmq")
        try:
            run("rabbitmqctl", "-q", "import_definitions", beside)
        finally:
            machine.remove(beside)
    return f"{queues} queues"


def restore_storage(path, rehearsal):
    listed = run("tar", "-tf", path, timeout=LONG).splitlines()
    if not rehearsal:
        # files are written once and never changed: those that are there as they were stay
        unlike(path, DATA + "/files")
        run("tar", "-C", DATA + "/files", "-xpf", path, "--skip-old-files", timeout=LONG)
    return f"{sum(not name.endswith('/') for name in listed)} files"


def unlike(path, place):
    """Takes away files of another size or time than in the backup: a restore that was cut short leaves its last one unfinished, and
    sets the time of each at its end."""
    with tarfile.open(path) as archive:
        for one in archive:
            beside = os.path.join(place, one.name)
            if one.isreg() and os.path.isfile(beside):
                have = os.lstat(beside)
                if (have.st_size, int(have.st_mtime)) != (one.size, int(one.mtime)):
                    os.unlink(beside)
            # the list of all that came so far would fill the memory
            archive.members.clear()


WANTED = "events-stats-*,stats-*,vocabularies-*"


def write_search(out):
    """What no reindex can bring back: statistics and vocabularies, each index with its mapping and all documents."""
    import role_search as search
    found = search.call("GET", f"/{WANTED}?ignore_unavailable=true&allow_no_indices=true")
    if not any(name.startswith("vocabularies-") for name in found):
        # every site has them, and a backup without them would be a good one by its looks only
        raise machine.Trouble("there is no index of vocabularies: no instance has set this service up yet, or its indices are called otherwise")
    for name, about in sorted(found.items()):
        settings = about["settings"]["index"]
        kept = {key: settings[key] for key in ("number_of_shards", "number_of_replicas", "analysis", "mapping") if key in settings}
        out.write(json.dumps({"index": name, "mappings": about["mappings"], "aliases": about["aliases"], "settings": kept}) + "\n")
        page = search.call("POST", f"/{name}/_search?scroll=5m", {"size": 1000, "sort": ["_doc"], "query": {"match_all": {}}}, timeout=300)
        while page["hits"]["hits"]:
            for hit in page["hits"]["hits"]:
                out.write(json.dumps({"id": hit["_id"], "source": hit["_source"]}) + "\n")
            page = search.call("POST", "/_search/scroll", {"scroll": "5m", "scroll_id": page["_scroll_id"]}, timeout=300)


def restore_search(path, rehearsal):
    """An index is made anew whole; in a rehearsal under another name, and thrown away."""
    import role_search as search
    indices = documents = 0
    target, batch, made = None, [], []

    def flush():
        if batch:
            answer = search.call("POST", "/_bulk", ("\n".join(batch) + "\n").encode(), timeout=300)
            if answer["errors"]:
                raise machine.Trouble(f"documents of {target} were refused")
            batch.clear()

    try:
        if rehearsal:
            # of one that was cut short
            search.call("DELETE", f"/{SCRATCH}-*?ignore_unavailable=true&allow_no_indices=true", timeout=120)
        else:
            # as it was: an index that came later would share its alias with the one that comes back
            search.call("DELETE", f"/{WANTED}?ignore_unavailable=true&allow_no_indices=true", timeout=120)
        with open(path, encoding="utf-8") as file:
            for line in file:
                one = json.loads(line)
                if "index" in one:
                    flush()
                    indices += 1
                    target = f"{SCRATCH}-{one['index']}" if rehearsal else one["index"]
                    body = {"mappings": one["mappings"], "settings": one["settings"], "aliases": {} if rehearsal else one["aliases"]}
                    search.call("PUT", f"/{target}", body, timeout=120)
                    made.append(target)
                else:
                    documents += 1
                    batch += [json.dumps({"index": {"_index": target, "_id": one["id"]}}), json.dumps(one["source"])]
                    if len(batch) >= 1000:
                        flush()
            flush()
    finally:
        if rehearsal:
            for name in made:
                search.call("DELETE", f"/{name}?ignore_unavailable=true")
    return f"{indices} indices, {documents} documents"


if __name__ == "__main__" and sys.argv[1:] == ["search"]:
    machine.program(lambda _: write_search(sys.stdout))
