"""Brings the application's data to the version that is installed: first set-up, or an upgrade. Runs with its Python.

Exactly once for the whole site: under a lock in the database, and each step is written down there when it is done. A
machine that dies meanwhile leaves the lock to the next, which goes on at the first step that is missing. Every step may
run twice. It never runs `invenio setup`, which empties everything. What an upgrade does is in `upgrade.py`.
"""
import glob
import importlib.util
import json
import os
import sys

LOCK = 4_915_113_701
PIDS = "locid ilocid docid serid pitmid eitmid dreqid loanid acqoid provid illbid".split()


def main():
    wish = json.load(sys.stdin)
    import psycopg2
    with open("/etc/ils/settings.json", encoding="utf-8") as file:
        dsn = json.load(file)["SQLALCHEMY_DATABASE_URI"]
    # the database looks after its end of the connection, too: the locks of a machine that is gone must not stay
    ours = "-c statement_timeout=0 -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
    connection = psycopg2.connect(libpq(dsn), application_name="invenioils-setup", options=ours)
    connection.autocommit = True
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import upgrade
    if wish.get("idle"):
        if idle(connection.cursor()):
            upgrade.taken_back(Book(connection.cursor()), wish["version"])
        return
    book = Book(connection.cursor())
    site = Site(wish)
    if book.started():
        upgrade.upgrade(book, site, wish)
    for name, step in steps(site, wish):
        book.once(name, step)
    book.once("version " + wish["version"], lambda: None)
    if wish.get("rebuild"):
        rebuild(site)
    # a session's lock ends with its session, also when this process is killed
    connection.close()


def idle(cursor):
    """Whether there is data and nobody brings it to a version. Who gets the lock here may take it again."""
    cursor.execute("select to_regclass('invenioils.done') is not null and pg_try_advisory_lock(%s)", (LOCK,))
    return cursor.fetchone()[0]


def libpq(uri):
    """The application's address of its database, as the driver takes it."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.dialects.postgresql.psycopg2 import dialect
    url = make_url(uri)
    _, keywords = dialect().create_connect_args(url)
    from psycopg2.extensions import make_dsn
    return make_dsn(**keywords)


class Book:
    """What is done, in the database itself: restored with it, lost with it."""

    def __init__(self, cursor):
        self.cursor = cursor
        cursor.execute("select pg_advisory_lock(%s)", (LOCK,))
        cursor.execute("create schema if not exists invenioils")
        cursor.execute("create table if not exists invenioils.done (step text primary key, at timestamptz not null default now())")
        cursor.execute("select step from invenioils.done order by at")
        self.done = [row[0] for row in cursor.fetchall()]

    def started(self):
        return any(step.startswith("version ") for step in self.done)

    def version(self):
        return [step.split()[1] for step in self.done if step.startswith("version ")][-1]

    def once(self, name, step):
        if name not in self.done:
            step()
            self.write(name)
            print(f"done: {name}", flush=True)

    def write(self, name):
        self.cursor.execute("insert into invenioils.done (step) values (%s) on conflict do nothing", (name,))
        self.done.append(name)

    def strike(self, name):
        self.cursor.execute("delete from invenioils.done where step = %s", (name,))
        self.done.remove(name)


class Site:
    """The application, loaded once; its commands run in this process, so that no password is in any argument."""

    def __init__(self, wish):
        self.wish = wish
        self.app = None

    def load(self):
        if self.app is None:
            from flask.cli import ScriptInfo
            from invenio_app.cli import cli
            from invenio_app.factory import create_app
            self.cli = cli
            self.app = create_app()
            # ten seconds, its usual patience, are for people's searches and not for a whole set of indices on a busy machine
            own = self.app.config.get("SEARCH_CLIENT_CONFIG") or {}
            self.app.config["SEARCH_CLIENT_CONFIG"] = {"timeout": 300, **own}
            self.info = ScriptInfo(create_app=lambda *_, **__: self.app)

    def command(self, *words, may_fail=False):
        self.load()
        from click.testing import CliRunner
        with self.app.app_context():
            result = CliRunner().invoke(self.cli, list(words), obj=self.info, prog_name="invenio")
        if result.exit_code != 0 and not may_fail:
            told = " ".join((result.output or "").split())[-600:] or repr(result.exception)
            raise SystemExit(f"`invenio {' '.join(words[:3])}` failed: {told}")
        return result

    def indices(self):
        """A half-made set of indices can only come from a set-up that died: nothing is in them yet."""
        made = self.command("index", "init", may_fail=True)
        if made.exit_code != 0:
            self.command("index", "destroy", "--force", "--yes-i-know")
            self.command("index", "init")

    def location(self):
        self.command("files", "location", "create", "--default", "ils", self.wish["files"])

    def roles(self):
        for role in ("admin", "librarian", "librarian-readonly"):
            self.command("roles", "create", role)
        for action, role in (("superuser-access", "admin"), ("ils-backoffice-access", "librarian"),
                             ("ils-backoffice-readonly-access", "librarian-readonly")):
            self.command("access", "allow", action, "role", role)

    def vocabularies(self):
        folder = os.path.dirname(importlib.util.find_spec("invenio_app_ils").origin) + "/vocabularies/data"
        self.command("vocabulary", "index", "json", "--force", *sorted(glob.glob(folder + "/*.json")))
        self.command("vocabulary", "index", "languages", "--force")

    def administrator(self):
        from_user = ["users", "create", self.wish["admin_email"], "-a", "-c", "--password=" + self.wish["admin_password"],
                     "--profile", json.dumps({"full_name": "Administrator"})]
        made = self.command(*from_user, may_fail=True)
        if made.exit_code not in (0, 2):
            raise SystemExit("the administrator could not be made: " + type(made.exception).__name__)
        # the role may be there from a set-up that died
        added = self.command("roles", "add", self.wish["admin_email"], "admin", may_fail=True)
        if added.exit_code != 0 and not isinstance(added.exception, TypeError):
            raise SystemExit("the administrator could not be given the role `admin`")

    def reindex(self):
        """Every record from the database. An operator may do it at any time."""
        for pid in PIDS:
            self.command("index", "reindex", "--yes-i-know", "-t", pid)
        self.command("index", "run")
        self.command("patrons", "index", may_fail=True)


def steps(site, wish):
    return [
        ("database", lambda: (site.command("db", "init", "create"))),
        ("indices", site.indices),
        ("index queue", lambda: site.command("index", "queue", "init")),
        ("queues", lambda: site.command("queues", "declare")),
        ("files location", site.location),
        ("roles", site.roles),
        ("pages", lambda: site.command("fixtures", "pages")),
        ("vocabularies", site.vocabularies),
        ("administrator", site.administrator),
    ]


def rebuild(site):
    """Every index anew from the database. Vocabularies and statistics are in the search engine alone: they stay."""
    site.load()
    with site.app.app_context():
        from invenio_search import current_search, current_search_client
        for name in current_search.mappings:
            if not name.startswith("vocabularies"):
                # an alias as a rule; an index of this name is what a stray document left behind
                behind = current_search_client.indices.get(index=current_search_alias(name), ignore_unavailable=True, allow_no_indices=True)
                for index in behind:
                    current_search_client.indices.delete(index=index)
        # statistics of the next month are made by them
        for put in (current_search.put_templates, current_search.put_component_templates, current_search.put_index_templates):
            list(put())
    if "vocabularies" in " ".join(missing_indices(site)):
        site.vocabularies()
    site.command("index", "queue", "init", "purge")
    site.reindex()
    with site.app.app_context():
        current_search_client.indices.refresh()
        for name in sorted(current_search.mappings):
            counted = current_search_client.count(index=current_search_alias(name))["count"]
            print(f"{name}: {counted}", flush=True)


def missing_indices(site):
    """Makes indices that there should be and are not, such as a new version's. Those that exist are left alone."""
    site.load()
    with site.app.app_context():
        from invenio_search import current_search, current_search_client
        wanted = [name for name in current_search.mappings if not current_search_client.indices.exists_alias(name=current_search_alias(name))]
        if wanted:
            list(current_search.create(index_list=wanted, ignore_existing=False))
        return wanted


def current_search_alias(name):
    from invenio_search.utils import build_alias_name
    return build_alias_name(name)


if __name__ == "__main__":
    main()
