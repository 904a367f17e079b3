"""From one version of the application's data to a higher one. Runs with the new version's Python, under the lock of `setup.py`.

Machines of the version before serve on meanwhile. They are asked to write nothing (see `keeper.py`); then a dump, then all
migrations in one transaction, then the indices. Up to the migrations a failure changes nothing, and the version before
goes on in full; after them only the new version may, and this goes on where it stopped. Every message says which it is.
"""
import itertools
import json
import os
import re
import subprocess
import time

import bucket
import machine
from keeper import RELEASE

# how long workers may take over what they have begun, and a migration over getting at its table
PATIENCE = "600s"
LOCKS = "60s"
# Each try has people and workers wait. After one that failed they work on for as long.
PAUSE = "5 minutes"


def upgrade(book, site, wish):
    before, now = book.version(), wish["version"]
    if before == now:
        taken_back(book, now)
        return
    if order(now) < order(before):
        raise SystemExit(f"the data is of version {before}, which {now} cannot read: set `version` to {before}; or restore a backup "
                         f"that was taken with {now} into a new instance")
    mark, failed = f"changing to {now}", f"failed for {now}: "
    book.cursor.execute("select step from invenioils.done where starts_with(step, %s) and at > now() - %s::interval", (failed, PAUSE))
    lately = book.cursor.fetchone()
    if lately:
        raise SystemExit(lately[0][len(failed):])
    for old in [step for step in book.done if step.startswith(failed)]:
        book.strike(old)
    try:
        alone(book, before)
        if mark not in book.done:
            try:
                print(f"dumped: {dump(wish, before, now)}", flush=True)
            except (OSError, subprocess.SubprocessError, machine.Trouble) as why:
                raise SystemExit(f"no dump, so nothing was changed and {before} serves on: {said(why)}. It is tried again in {PAUSE}") from None
        migrate(book, site, before, now, mark)
    except SystemExit as why:
        book.write(failed + str(why))
        raise
    try:
        book.once(f"indices of {now}", lambda: indices(site))
        book.once(f"reindexed for {now}", site.reindex)
    except (Exception, SystemExit) as why:
        raise SystemExit(f"the data is of version {now} now, but its indices are not: {said(why)}. See to the search service; this goes on "
                         f"by itself every half minute. Until then {before} shows what it can and changes nothing") from None
    # what may run from now on: the last word wins
    book.once("version " + now, lambda: None)
    book.strike(mark)


def taken_back(book, version):
    """Ends what somebody began who is gone, or that is no longer wanted: who holds the lock is alone with it."""
    if book.version() != version:
        return
    for mark in [step for step in book.done if step.startswith("changing to ")]:
        then = mark.split()[2]
        begun = f"revisions before {then}: "
        had = [step[len(begun):] for step in book.done if step.startswith(begun)]
        if f"migrations of {then}" in book.done or had[-1:] != [revisions(book)]:
            raise SystemExit(f"the data is of version {then} now, which {version} only shows and cannot change: set `version` to {then}, and it is "
                             f"gone on with. Or restore the dump before-upgrades/{version}-to-{then}.dump")
        book.strike(mark)
        print(f"taken back: {mark}", flush=True)


def order(version):
    """Number by number; a letter ends it, since a pre-release of what runs is no step that anybody takes."""
    return [int(number) for number in re.findall(r"\d+", version.partition("+")[0])[:4]]


def said(why):
    if isinstance(why, subprocess.CalledProcessError):
        return (why.stderr or "").strip().splitlines()[-1][:200] if (why.stderr or "").strip() else f"it ended with {why.returncode}"
    return " ".join(str(why).split())[:220] or type(why).__name__


def alone(book, before):
    """Waits until nobody works on the data any more. The lock ends with the session, whatever happens to us."""
    import psycopg2
    book.cursor.execute("select set_config('lock_timeout', %s, false)", (PATIENCE,))
    try:
        book.cursor.execute("select pg_advisory_lock(%s)", (RELEASE,))
    except psycopg2.errors.LockNotAvailable:
        book.cursor.execute("select distinct host(a.client_addr) from pg_locks l join pg_stat_activity a using (pid) where l.locktype = 'advisory'"
                            " and l.classid = %s and l.objid = %s and l.granted", (RELEASE >> 32, RELEASE & 0xFFFFFFFF))
        who = ", ".join(sorted(str(row[0]) for row in book.cursor.fetchall()))
        raise SystemExit(f"nothing was changed and {before} serves on: a worker is still busy ({who}) after {PATIENCE}. It is tried again in "
                         f"{PAUSE}; or stop ils-worker there") from None
    finally:
        book.cursor.execute("select set_config('lock_timeout', '0', false)")


def revisions(book):
    book.cursor.execute("select version_num from alembic_version order by 1")
    return " ".join(row[0] for row in book.cursor.fetchall())


def migrate(book, site, before, now, mark):
    """All migrations are one transaction: a failure of one takes back all of them."""
    if f"migrations of {now}" in book.done:
        return
    had = revisions(book)
    # the application is loaded first, so that the mark stands while something is done and no longer
    site.load()
    if mark not in book.done:
        book.write(f"revisions before {now}: {had}")
        book.write(mark)
    # by themselves they are a transaction each
    context = site.app.config.get("ALEMBIC_CONTEXT") or {}
    site.app.config["ALEMBIC_CONTEXT"] = dict(context, transaction_per_migration=False)
    # a session that sits on a table must not stop everybody who comes after us
    os.environ["PGOPTIONS"] = f"-c lock_timeout={LOCKS}"
    try:
        site.command("alembic", "upgrade")
    except (Exception, SystemExit) as why:
        if revisions(book) == had:
            book.strike(mark)
            raise SystemExit(f"a migration failed and was taken back, so {before} serves on: {said(why)}. It is tried again in {PAUSE}; or "
                             f"set `version` back to {before}") from None
        raise SystemExit(f"migrations failed in the middle, neither {before} nor {now} may run: {said(why)}. Restore the dump "
                         f"before-upgrades/{before}-to-{now}.dump and set `version` to {before}") from None
    finally:
        del os.environ["PGOPTIONS"]
    book.once(f"migrations of {now}", lambda: None)


def dump(wish, before, now):
    """Where it outlives this machine: among the site's files. One for each upgrade, of the moment before it."""
    from psycopg2.extensions import make_dsn, parse_dsn
    from setup import libpq
    with open("/etc/ils/settings.json", encoding="utf-8") as file:
        settings = json.load(file)
    words = parse_dsn(libpq(settings["SQLALCHEMY_DATABASE_URI"]))
    environment = dict(os.environ, PGPASSWORD=words.pop("password", ""))
    name = f"before-upgrades/{before}-to-{now}.dump"
    if wish["files"].startswith("s3://"):
        store = bucket.Bucket({"endpoint": settings["S3_ENDPOINT_URL"], "bucket": wish["files"][5:], "region": settings["S3_REGION_NAME"],
                               "access_key": settings["S3_ACCESS_KEY_ID"], "secret_key": settings["S3_SECRET_ACCESS_KEY"]})
        with subprocess.Popen(["pg_dump", "-Fc", make_dsn(**words)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            store.write_stream(name, Whole(program))
        return f"{wish['files']}/{name}"
    target = f"{wish['files']}/{name}"
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    subprocess.run(["pg_dump", "-Fc", "-f", target + ".part", make_dsn(**words)], check=True, env=environment, capture_output=True, text=True)
    os.replace(target + ".part", target)
    return target


class Whole:
    """What a program writes; a failure in the place of its end, so that half a dump is not taken for one."""

    def __init__(self, program):
        self.program = program

    def read(self, size):
        data = self.program.stdout.read(size)
        if not data and self.program.wait() != 0:
            raise subprocess.CalledProcessError(self.program.returncode, "pg_dump", stderr=self.program.stderr.read().decode(errors="replace"))
        return data


def indices(site):
    """Those that the version before had not, and those whose fields are others now, with all that is in them."""
    site.load()
    with site.app.app_context():
        from invenio_search import current_search, current_search_client as client
        from invenio_search.utils import build_alias_name
        list(current_search.put_templates())
        names = {name: build_alias_name(name) for name in current_search.mappings}
        missing = [name for name, alias in names.items() if not client.indices.exists_alias(name=alias)]
        if missing:
            list(current_search.create(index_list=missing, ignore_existing=False))
        for name in sorted(set(names) - set(missing)):
            with open(current_search.mappings[name], encoding="utf-8") as file:
                wanted = json.load(file)
            for old, live in client.indices.get_mapping(index=names[name]).items():
                if differs(wanted.get("mappings", {}), live["mappings"]):
                    poured(client, old, names[name], wanted)


def differs(wanted, live):
    """Whether the live mapping lacks a field or has another type for it. What it has besides came with records."""
    have = live.get("properties", {})
    for name, field in wanted.get("properties", {}).items():
        found = have.get(name)
        if found is None or any(field.get(key, plain) != found.get(key, plain) for key, plain in (("type", "object"), ("analyzer", None))) or differs(field, found):
            return True
    return False


def poured(client, old, alias, wanted):
    """A new index in the place of an old one, under all of its names, in one moment."""
    names = client.indices.get_alias(index=old)[old]["aliases"]
    new = next(name for name in (f"{alias}-{int(time.time()) + n}" for n in itertools.count()) if not client.indices.exists(index=name))
    client.indices.create(index=new, body=wanted)
    done = client.reindex(body={"source": {"index": old}, "dest": {"index": new}}, refresh=True, request_timeout=3600)
    if done.get("failures"):
        client.indices.delete(index=new)
        raise SystemExit(f"the index {old} could not be taken over: {str(done['failures'][0].get('cause', {}).get('reason'))[:150]}")
    actions = [{"add": {"index": new, "alias": name}} for name in names] + [{"remove_index": {"index": old}}]
    client.indices.update_aliases(body={"actions": actions})
    print(f"a new index for {alias}: {new}", flush=True)
