"""Keeps what works on the site's data going for as long as this machine's release may work on it.

    keeper.py worker PROGRAM…     a worker
    keeper.py scheduler           Celery's scheduler, on exactly one machine: two would send every mail to patrons twice
    keeper.py web                 flags for the web server: what it may still let through

Who works on the data holds a lock in the database, shared with all the others, by a session of its own. An upgrade (see
`setup.py`) asks for that lock alone: everybody sees it wait, finishes what is at hand, and lets go. Afterwards those go on
whose release is the version that the data then has. A lock ends with its session, so nothing stays shut because a machine died.
"""
import json
import os
import signal
import subprocess
import sys
import threading
import time

RELEASE = 4_915_113_703
LEADER = 4_915_113_702
CURRENT = "/opt/ils/current"
RUN = "/var/lib/ils/run"
# nothing may be written: the data is being changed
CHANGING = "/run/ils/changing"
# the data is another version's, and others serve it: the load balancer shall send nobody here any more
OUTDATED = "/run/ils/outdated"
# people who come to this machine are answered by the release that is on it
SERVING = "/run/ils/serving"
# a load balancer asked, and the data's other machines know it: nobody needs to write down any more who asks
TOLD = "/run/ils/told"
# who asked this machine how it is, by the web server
ASKED = "/var/log/nginx/asked"
# until load balancers have seen that a machine answers
SEEN = 20
BEAT = 2
STOP = threading.Event()


class Data:
    """A session of the database."""

    def __init__(self):
        import psycopg2
        from setup import libpq
        with open("/etc/ils/settings.json", encoding="utf-8") as file:
            dsn = libpq(json.load(file)["SQLALCHEMY_DATABASE_URI"])
        alive = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
        # the database looks after its end of the connection, too: the lock of a machine that is gone must not stay
        ours = ["statement_timeout=0", "idle_session_timeout=0"] + [f"tcp_{name}={value}" for name, value in alive.items()]
        self.connection = psycopg2.connect(dsn, keepalives=1, **alive, application_name="invenioils-keeper",
                                           options=" ".join("-c " + one for one in ours))
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.holds = False

    def ask(self, words, *values):
        self.cursor.execute(words, values)
        return self.cursor.fetchone()

    def state(self):
        """The last word on the data's version, whether an upgrade waits for everybody to let go, and whether a web machine of that
        version has answered long enough."""
        return self.ask(
            "with newest as (select step from invenioils.done where step like 'version %%' or step like 'changing to %%' order by at desc limit 1)"
            " select (select step from newest),"
            " exists (select 1 from pg_locks where locktype = 'advisory' and classid = %s and objid = %s and not granted),"
            " exists (select 1 from newest, invenioils.done served where served.step = 'serving ' || split_part(newest.step, ' ', 2)"
            " and served.at < now() - make_interval(secs => %s))",
            RELEASE >> 32, RELEASE & 0xFFFFFFFF, SEEN)

    def serving(self, version):
        self.cursor.execute("insert into invenioils.done (step) values (%s) on conflict do nothing", ("serving " + version.split()[1],))

    def take(self, alone):
        if not self.ask("select pg_try_advisory_lock_shared(%s)", RELEASE)[0]:
            return False
        if alone and not self.ask("select pg_try_advisory_lock(%s)", LEADER)[0]:
            self.let_go()
            return False
        self.holds = True
        return True

    def let_go(self):
        self.ask("select pg_advisory_unlock_all()")
        self.holds = False


class Process:
    """A worker or the scheduler."""

    def __init__(self, words, alone):
        self.words, self.alone, self.child = words, alone, None
        self.say("waiting")

    def say(self, state):
        if self.alone:
            with open(RUN + "/scheduler", "w", encoding="utf-8") as file:
                file.write(state + "\n")
        print(state, flush=True)

    def open(self, _data):
        if self.child is None:
            self.say("leading" if self.alone else "working")
            self.child = subprocess.Popen(self.words)

    def close(self, *_):
        """A worker ends what it has begun; what it has not stays in the queue."""
        if self.child is None:
            return
        self.child.terminate()
        try:
            self.child.wait(10 if self.alone else 280)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child = None
        self.say("waiting")

    def unsure(self):
        """Without the database a worker does no harm; a scheduler may have a successor by now."""
        if self.alone:
            self.close()

    def ended(self):
        return self.child.poll() if self.child else None


class Web:
    """The web server goes on; files tell it what to turn away."""

    alone = False

    def __init__(self):
        self.told = False

    def open(self, data):
        for flag in (CHANGING, OUTDATED):
            if os.path.exists(flag):
                os.unlink(flag)
        # what answers nobody but itself, being in no pool, takes the place of no other
        if not self.told and os.path.exists(SERVING) and asked_by_others():
            data.serving(own())
            self.told = True
            self.put(TOLD)

    def close(self, newest, served):
        """Those of the version before show what they can until one of the new version is seen to answer."""
        if not os.path.exists(CHANGING):
            self.put(CHANGING, "about to be changed" if newest == own() else newest)
            # what was let through before has its time to be written
            time.sleep(5)
        if newest.startswith("version ") and newest != own() and served and not os.path.exists(OUTDATED):
            self.put(OUTDATED)

    def put(self, flag, words=""):
        with open(flag, "w", encoding="utf-8") as file:
            file.write(words)
        print(os.path.basename(flag), words, flush=True)

    def unsure(self):
        pass

    def ended(self):
        return None


def asked_by_others():
    """Whether somebody else than this machine asked how it is and was told that it is well."""
    try:
        with open(ASKED, encoding="utf-8") as file:
            asked = [line.split() for line in file]
    except OSError:
        return False
    return any(words[0] != words[1] and words[2] == "200" for words in asked if len(words) == 3)


def own():
    return "version " + os.path.basename(os.path.realpath(CURRENT)).rpartition("-")[0]


def keep(what):
    import psycopg2
    data, mine = None, own()
    while not STOP.is_set():
        try:
            data = data or Data()
            newest, wanted, served = data.state()
            may = newest == mine and not wanted
            if may and (data.holds or data.take(what.alone)):
                what.open(data)
            else:
                what.close(newest or "", served)
                if data.holds:
                    data.let_go()
        except psycopg2.Error as why:
            print(f"the database does not answer: {type(why).__name__}", flush=True)
            data = None
            what.unsure()
        if what.ended() is not None:
            return what.ended()
        STOP.wait(BEAT)
    if isinstance(what, Process):
        what.close()
    return 0


def main():
    signal.signal(signal.SIGTERM, lambda *_: STOP.set())
    kind, words = sys.argv[1], sys.argv[2:]
    if kind == "scheduler":
        words = [os.path.dirname(sys.executable) + "/celery", "-A", "invenio_app.celery", "beat", "-l", "INFO",
                 "-s", RUN + "/schedule", "--pidfile="]
    return keep(Web() if kind == "web" else Process(words, kind == "scheduler"))


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.exit(main())
