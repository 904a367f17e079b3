"""Takes everything away that the service of this machine holds, as somebody might who should not have been let in."""
import json
import sys
import urllib.request

sys.path.insert(0, "/usr/local/lib/invenioils")
import backup  # noqa: E402
import backup_files  # noqa: E402


def database():
    import role_database
    role_database.sql("drop schema public cascade; drop schema invenioils cascade; create schema public", "ils")
    with open("/etc/invenioils/backups.json", encoding="utf-8") as file:
        plan = json.load(file)["backups"]
    for part in list(backup.parts(plan))[1:]:
        store = backup_files.source_of(part)
        for name in store.contents(""):
            store.delete(name)


def search():
    for path in ("/*", "/_template/*"):
        urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:9200" + path, method="DELETE"), timeout=60).close()


with open("/etc/invenioils/machine.json", encoding="utf-8") as file:
    {"database": database, "search": search}[json.load(file)["role"]]()
