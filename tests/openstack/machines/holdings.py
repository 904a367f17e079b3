"""What the service of this machine holds: rows of every table and digests of every file, or documents of every index."""
import hashlib
import json
import re
import subprocess
import sys
import urllib.request

sys.path.insert(0, "/usr/local/lib/invenioils")
import backup  # noqa: E402
import backup_files  # noqa: E402


def database():
    import role_database
    tables = role_database.sql("select quote_ident(table_schema) || '.' || quote_ident(table_name) from information_schema.tables where "
                               "table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')", "ils").splitlines()
    found = {f"table {name}": int(role_database.sql(f"select count(*) from {name}", "ils")) for name in tables}
    with open("/etc/invenioils/backups.json", encoding="utf-8") as file:
        plan = json.load(file)["backups"]
    for part in list(backup.parts(plan))[1:]:
        store = backup_files.source_of(part)
        for name in store.contents(""):
            found[f"file {name}"] = hashlib.sha256(store.read(name)).hexdigest()
    return found


def search():
    def ask(method, path):
        with urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:9200" + path, method=method), timeout=60) as answer:
            return json.load(answer)

    ask("POST", "/_refresh")
    names = [one["index"] for one in ask("GET", "/_cat/indices?format=json")]
    # the number at the end of a name is the moment at which the index was made
    return {"index " + re.sub(r"-[0-9]{9,}$", "", name): ask("GET", f"/{name}/_count")["count"] for name in names}


def queue():
    said = subprocess.run(["rabbitmqctl", "-q", "list_queues", "-p", "ils", "name", "durable"], capture_output=True, text=True, check=True)
    return {f"queue {line.split()[0]}": 1 for line in said.stdout.splitlines()[1:] if line.endswith("true")}


with open("/etc/invenioils/machine.json", encoding="utf-8") as file:
    print(json.dumps({"database": database, "search": search, "queue": queue}[json.load(file)["role"]]()))
