"""Files in an object store: a mirror of the application's bucket, and with each backup a list of what was in it.

Files are written once and never changed under their key, so each is copied once and every later list names it again. Copies
go from bucket to bucket inside the store; where they are encrypted, or leave the store, they pass through this machine.
"""
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bucket  # noqa: E402
import machine  # noqa: E402

AT_ONCE = 8
# how many files a rehearsal reads from end to end
SAMPLE = 10


def source_of(plan):
    """The application's own bucket, by the keys that the policy has."""
    return bucket.Bucket({**plan, **plan["source"]})


def place(plan, folder):
    """Copies for other people are other copies."""
    people = "\n".join(sorted(plan["recipients"]))
    return f"{folder}/files{'-' + hashlib.sha256(people.encode()).hexdigest()[:8] if people else ''}/"


def same(one, other):
    """By size, and by digest where both have one of the whole: what was put together from parts has none."""
    if one is None or other is None or one[0] != other[0]:
        return False
    whole = [tag for _, tag in (one, other) if tag and "-" not in tag]
    return len(set(whole)) < 2


def mirror(plan, store, folder, list_name):
    """Copies what is new, and writes the list. Gives what there is to say of the backup."""
    source, prefix = source_of(plan), place(plan, folder)
    wanted, there = source.contents(""), store.contents(prefix)
    lines, fresh = [], []
    for key, facts in sorted(wanted.items()):
        name = prefix + key + (".age" if plan["recipients"] else "")
        have = there.get(name)
        if have and not plan["recipients"] and not same(have, facts):
            # changed under its key, which the application never does: both stay
            name = f"{name}.{facts[1] or facts[0]}"
            have = there.get(name)
        line = {"key": key, "size": facts[0], "name": name}
        # a digest would tell others what is in a file that was encrypted before them
        lines.append({**line, "sealed": True} if plan["recipients"] else {**line, "etag": facts[1]})
        if not have:
            fresh.append(line)

    def copy(line):
        try:
            carry(source, line["key"], store, line["name"], line["size"], seal(plan))
        except machine.Trouble:
            # a file may be deleted while we are at work
            if line["key"] in source.contents(line["key"]):
                raise

    in_turn(copy, fresh)
    there = store.contents(prefix) if fresh else there
    # what the application deleted meanwhile is not among them
    lines = [{**line, "stored": there[line["name"]][0]} for line in lines if line["name"] in there]
    differ = [line["key"] for line in lines if not plan["recipients"] and line["stored"] != line["size"]]
    if differ:
        raise machine.Trouble(f"{len(differ)} copies differ in size from their files, such as {differ[0]}")
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    _, digest = store.write_stream(list_name, io.BytesIO(text.encode()))
    return {"size_bytes": sum(line["size"] for line in lines), "files": len(lines), "copied": len(fresh), "sha256": digest}


def in_turn(work, lines):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work, lines))


def carry(source, key, target, name, size, through):
    """One object from bucket to bucket; `through` a program where it has to be."""
    if not through and source.plan["endpoint"] == target.plan["endpoint"]:
        return target.copy(source, key, name, size)
    blocks = source.read_stream(key)
    if not through:
        return target.write_stream(name, Flow(blocks))
    with subprocess.Popen(through, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        faults = []
        feeder = threading.Thread(target=feed, args=(blocks, process, faults))
        feeder.start()
        try:
            target.write_stream(name, process.stdout)
        finally:
            process.stdout.close()
            feeder.join()
        if process.wait() != 0 or faults:
            target.delete(name)
            raise machine.Trouble(f"{key} could not be carried over: {faults[0] if faults else through[0] + ' failed'}")


def feed(blocks, process, faults):
    try:
        for block in blocks:
            process.stdin.write(block)
    except Exception as why:
        # whatever it was: what came so far must not be taken for the whole
        faults.append(why if isinstance(why, (machine.Trouble, OSError)) else type(why).__name__)
        process.kill()
    finally:
        try:
            process.stdin.close()
        except OSError:
            # it has ended already, which its exit code tells
            pass


class Flow:
    """Blocks as something that can be read from."""

    def __init__(self, blocks):
        self.blocks = blocks

    def read(self, _):
        return next(self.blocks, b"")


def seal(plan):
    words = ["age", "--encrypt"] if plan["recipients"] else []
    for recipient in plan["recipients"]:
        words += ["-r", recipient]
    return words


def listed(data):
    return [json.loads(line) for line in data.decode().splitlines()]


def whole_list(store, about):
    """A backup's list, as it was written."""
    data = store.read(about["object"])
    digest = hashlib.sha256(data).hexdigest()
    if about.get("sha256", digest) != digest:
        raise machine.Trouble(f"{about['object']} has changed since it was made: its SHA-256 differs")
    return listed(data)


def forget(plan, store, folder, kept):
    """Takes away copies that none of the kept lists names. A list that cannot be read, or is damaged, ends this before anything
    goes."""
    named = {line["name"] for one in kept for line in whole_list(store, one)}
    for name in store.contents(folder + "/files"):
        if name not in named:
            store.delete(name)


def give_back(plan, store, path, key, rehearsal):
    """Copies back what is missing or differs, and looks again. Files that are newer than the backup stay."""
    with open(path, "rb") as file:
        lines = listed(file.read())
    places = {line["name"].partition("/files")[0] + "/files" for line in lines}
    there = {name: facts for folder in places for name, facts in store.contents(folder).items()}
    lost = [line["key"] for line in lines if there.get(line["name"], (None,))[0] != line["stored"]]
    if lost:
        raise machine.Trouble(f"{len(lost)} files of this backup are not in the mirror as they were, such as {lost[0]}")
    size = sum(line["size"] for line in lines)
    if rehearsal:
        read = read_some(store, lines)
        return f"{len(lines)} files, {size} bytes; {read} of them read"
    source = source_of(plan)
    have = source.contents("")
    differing = [line for line in lines if not same(have.get(line["key"]), (line["size"], line.get("etag")))]
    if any(line.get("sealed") for line in differing) and not key:
        raise machine.Trouble("these files are encrypted: name the file with the age identity")
    opened = ["age", "--decrypt", "-i", key]
    in_turn(lambda line: carry(store, line["name"], source, line["key"], line["size"], opened if line.get("sealed") else []), differing)
    have = source.contents("")
    wrong = [line["key"] for line in lines if not same(have.get(line["key"]), (line["size"], line.get("etag")))]
    if wrong:
        raise machine.Trouble(f"{len(wrong)} files are still not as they were, such as {wrong[0]}")
    return f"{len(lines)} files, {size} bytes, {len(differing)} of them copied back"


def read_some(store, lines):
    """A few files from end to end, each against what the store said of it when it was written."""
    some = random.sample(lines, min(SAMPLE, len(lines)))
    for line in some:
        whole, size = hashlib.md5(usedforsecurity=False), 0
        for block in store.read_stream(line["name"]):
            whole.update(block)
            size += len(block)
        tag = line.get("etag") or "-"
        if size != line["stored"] or "-" not in tag and whole.hexdigest() != tag:
            raise machine.Trouble(f"the copy of {line['key']} is not what it was")
    return len(some)
